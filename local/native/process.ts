import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import * as z from 'zod'

/** What autovolt-node says of itself: its counter, the truth about its loads, and what is unsent. */
const Account = z.looseObject({
  esp32_name: z.string(),
  final: z.boolean(),
  counter_known: z.boolean(),
  counter_epoch: z.int(),
  /** Of the newest reading on its flash. */
  sequence_no: z.int(),
  counter_mws: z.int(),
  counter_mwh: z.int(),
  /** What the simulated loads really took, in mW·s. */
  truth_mws: z.int(),
  /** Readings without a PUBACK. */
  backlog: z.int(),
  /** How far its clock is behind, when it lives in its own past. */
  behind_ms: z.int(),
  boots: z.int(),
  channels: z.array(
    z.looseObject({ device_id: z.string(), counter_mwh: z.int(), truth_mws: z.int() }),
  ),
})
export type Account = z.infer<typeof Account>

/** How to run one. */
export interface NativeNode {
  binary: string
  esp32Name: string
  broker: { host: string; port: number }
  /** Where `ca.crt`, `device.crt` and `device.key` are. */
  things: string
  /** Its flash; settings and the truth about the loads are files next to it. */
  flash: string
  /** Further options, see `autovolt-node --help`. */
  options?: readonly string[]
  /** Hears each line of its log. */
  log?: (line: string) => void
}

/** One run of autovolt-node. */
export interface NativeProcess {
  /** Settles when the process has ended, with its exit code (null: a signal) and its last account. */
  readonly ended: Promise<{ code: number | null; account: Account | undefined }>
  /** What it says of itself now. Rejects when it ends instead. */
  account(): Promise<Account>
  /** Asks it to take a last reading, have everything acknowledged, and end. */
  stop(): void
  /** kill -9: a power cut. */
  kill(): void
}

/** Starts one; it ends with this process. */
export function runNode(node: NativeNode): NativeProcess {
  const { binary, esp32Name, broker, things, flash, options = [], log = () => {} } = node
  const child = spawn(
    binary,
    [
      ...['--name', esp32Name, '--host', broker.host, '--port', String(broker.port)],
      ...['--cafile', join(things, 'ca.crt'), '--cert', join(things, 'device.crt')],
      ...['--key', join(things, 'device.key'), '--flash', flash, '--with-parent'],
      ...options,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const waiting: ((account: Account) => void)[] = []
  let last: Account | undefined
  createInterface({ input: child.stdout }).on('line', (line) => {
    const told = accountOf(line)
    // Nothing a node says may end the stack.
    if (told === undefined) return log(line)
    last = told
    for (const tell of waiting.splice(0)) tell(told)
  })
  // Before its first line it may not have taken its signals in hand, and SIGUSR1 would end it.
  const begun = Promise.withResolvers<void>()
  createInterface({ input: child.stderr }).on('line', (line) => {
    begun.resolve()
    log(line)
  })
  const ended = endOf(child).then((code) => ({ code, account: last?.final ? last : undefined }))
  return {
    ended,
    account: async () => {
      const told = begun.promise.then(() => {
        const { promise, resolve } = Promise.withResolvers<Account>()
        waiting.push(resolve)
        child.kill('SIGUSR1')
        return promise
      })
      const gone = ended.then(({ code }) => {
        throw new Error(`${esp32Name} ended with ${code} and told nothing`)
      })
      return Promise.race([told, gone])
    },
    stop: () => child.kill('SIGTERM'),
    kill: () => child.kill('SIGKILL'),
  }
}

function accountOf(line: string): Account | undefined {
  try {
    return Account.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}

async function endOf(child: ChildProcess): Promise<number | null> {
  try {
    const [code] = await once(child, 'close')
    return code
  } catch {
    // It could not be started at all; that is an end as well.
    return null
  }
}
