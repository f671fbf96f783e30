import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readCredentials, thingDirectory } from '../../cli/provisioning/files.ts'
import { fromEndpoints } from '../../cli/stack/local.ts'
import type { Stack } from '../../cli/stack/stack.ts'
import { makeAnnouncer } from '../fleet/announcer.ts'
import type { Endpoints } from '../runtime.ts'
import { buildNode } from './build.ts'
import { type Account, type NativeProcess, runNode } from './process.ts'
import { makeStory } from './story.ts'

/** The room all of them are in. */
export const NATIVE_CLASSROOM = 'Native'
export const nativeName = (n: number) => `esp32-native-${n}`

/** What hangs on each of them, as autovolt-node has it without further options. */
const CHANNELS = [
  { device_id: 'light-1', ratingMw: 36_000 },
  { device_id: 'fan-1', ratingMw: 72_000 },
  { device_id: 'projector', ratingMw: 285_000 },
]
const PERIOD_MS = 10_000
const TICK_MS = 500
/** For the last reading to be acknowledged; what is not stays on its flash. */
const DRAIN_S = 2
const STOP_WITHIN_MS = 4_000
const LONGEST_PAUSE_MS = 30_000
/** One that ran this long was well, so the next pause is short again. */
const WELL_AFTER_MS = 60_000

/** Running autovolt-node processes. */
export interface NativeNodes {
  /** Each takes a last reading, has it acknowledged if the broker answers, and ends; within seconds. */
  stop(): Promise<void>
}

/**
 * Runs the node's firmware as processes of this machine against a running local stack: builds it
 * when it must, provisions `esp32-native-1` to `-count` once, and starts again what dies. Where
 * the tools to build it are missing it says so in a line, and nothing runs.
 */
export async function startNative(
  stack: { readonly endpoints: Endpoints; readonly dataDir: string },
  count: number,
  { log }: { log(line: string): void },
): Promise<NativeNodes> {
  const built = await buildNode(log)
  if ('missing' in built) {
    log(`Without native nodes: ${built.missing}`)
    return { stop: async () => {} }
  }
  const target = fromEndpoints(stack.endpoints, stack.dataDir)
  const folder = join(stack.dataDir, 'native')
  mkdirSync(folder, { recursive: true })
  const announcer = makeAnnouncer(log)
  const supervised: Supervised[] = []
  for (let n = 1; n <= count; n += 1) {
    const esp32Name = nativeName(n)
    await provisionOnce(target, esp32Name)
    const story = makeStory(esp32Name)
    const start = () =>
      runNode({
        binary: built.binary,
        esp32Name,
        broker: stack.endpoints.mqtt,
        things: thingDirectory(stack.dataDir, esp32Name),
        flash: join(folder, `${esp32Name}.flash`),
        options: [
          ...['--seed', String(n), '--period-ms', String(PERIOD_MS)],
          ...['--drain-seconds', String(DRAIN_S)],
        ],
        log: (line) => {
          const said = story(line)
          if (said !== undefined) announcer.say(said)
        },
      })
    supervised.push(supervise(start, (why) => announcer.say(`${esp32Name} ${why}`)))
  }
  const ticking = setInterval(() => announcer.tick(Date.now()), TICK_MS)
  log(`${count} autovolt-node processes are running in room ${NATIVE_CLASSROOM}`)
  return {
    stop: async () => {
      clearInterval(ticking)
      const accounts = await Promise.all(supervised.map((it) => it.stop()))
      const unsent = accounts.reduce((sum, it) => sum + (it?.backlog ?? 0), 0)
      log(`Native nodes stopped; ${unsent} readings unsent, kept on their flash`)
    },
  }
}

interface Supervised {
  /** Gives its last account; undefined for one that had to be killed or was not running. */
  stop(): Promise<Account | undefined>
}

/** Keeps one running: starts it again after 1 s, then twice as long up to 30 s. */
export function supervise(start: () => NativeProcess, say: (why: string) => void): Supervised {
  let running: NativeProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let stopping = false
  let pauseMs = 1_000

  const begin = async () => {
    const startedAtMs = Date.now()
    running = start()
    const { code } = await running.ended
    running = undefined
    if (stopping) return
    if (Date.now() - startedAtMs > WELL_AFTER_MS) pauseMs = 1_000
    say(`ended with ${code ?? 'a signal'}, starts again in ${pauseMs / 1_000} s`)
    timer = setTimeout(begin, pauseMs)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
  begin()
  return {
    stop: async () => {
      stopping = true
      clearTimeout(timer)
      const last = running
      if (last === undefined) return undefined
      last.stop()
      const late = setTimeout(() => last.kill(), STOP_WITHIN_MS)
      const { account } = await last.ended
      clearTimeout(late)
      return account
    },
  }
}

/** A node whose three files are there was provisioned on an earlier start. */
async function provisionOnce(stack: Stack, esp32Name: string): Promise<void> {
  try {
    readCredentials(thingDirectory(stack.dataDir, esp32Name))
    return
  } catch {
    const { provisionNode } = await import('../../cli/provisioning/provision.ts')
    await provisionNode(stack, {
      esp32Name,
      classroom: NATIVE_CLASSROOM,
      ratingMw: CHANNELS.reduce((sum, channel) => sum + channel.ratingMw, 0),
      channels: CHANNELS,
      effectiveFromMs: 0,
    })
  }
}
