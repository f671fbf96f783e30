import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { thingDirectory } from '../../cli/provisioning/files.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import type { Entry } from '../../functions/domain/journal.ts'
import { buildNode } from '../../local/native/build.ts'
import { type Account, type NativeProcess, runNode } from '../../local/native/process.ts'
import type { Site } from './site.ts'

/** The firmware's own code as a process, or the line that says why there is none. */
export const built = await buildNode()
export const isBuilt = 'binary' in built
if ('missing' in built) console.log(`${built.missing}; its tests are skipped`)

/** Starts a provisioned node against a stack; its flash stays between calls. */
export function startNode(site: Site, esp32Name: string, ...options: string[]): NativeProcess {
  if ('missing' in built) throw new Error(built.missing)
  const folder = join(site.dataDir, 'native')
  mkdirSync(folder, { recursive: true })
  return runNode({
    binary: built.binary,
    esp32Name,
    broker: site.endpoints.mqtt,
    things: thingDirectory(site.dataDir, esp32Name),
    flash: join(folder, esp32Name),
    options,
  })
}

/** Waits until a node says so of itself. */
export function nodeSays(
  node: NativeProcess,
  isSo: (account: Account) => boolean,
): Promise<Account> {
  const ask = async () => {
    const account = await node.account()
    expect(isSo(account), JSON.stringify(account)).toBe(true)
    return account
  }
  // A replay of a thousand readings is a matter of a second.
  return vi.waitFor(ask, { timeout: 3_600_000, interval: 5 })
}

/** Ends a node as it should end: a last reading, everything acknowledged. */
export async function endNode(node: NativeProcess): Promise<Account> {
  node.stop()
  const { code, account } = await node.ended
  expect(code, JSON.stringify(account)).toBe(0)
  return account as Account
}

/** What the ledger made of a register, summed from every line of its journal. */
export interface Booked {
  readings: number
  firstMwh: number
  lastMwh: number
  /** Sums of the lines by kind; a line that takes another back counts against it. */
  mwh: Record<string, number>
  lastSequenceNo: number | null
  conflicts: number
}

/** Waits until the ledger has booked so many readings of a register, and reads its whole journal. */
export async function bookedOf(
  site: Site,
  register: string,
  readings: number,
  timeout: number,
): Promise<Booked> {
  const journal = journalReader(site.tables, site.endpoints.tables.ledger as string)
  const hasAll = async () => {
    const head = await journal.head(register)
    expect(head?.state.totals.readings ?? 0, `readings of ${register} in the ledger`).toBe(readings)
  }
  await vi.waitFor(hasAll, { timeout, interval: 200 })
  const entries: Entry[] = []
  for (;;) {
    const page = await journal.entries(register, entries.length + 1, 500)
    entries.push(...page)
    if (page.length < 500) break
  }
  const all = entries.flatMap((entry) => entry.readings).sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0))
  const mwh: Record<string, number> = {}
  for (const line of entries.flatMap((entry) => entry.lines)) {
    mwh[line.kind] = (mwh[line.kind] ?? 0) + line.energyMwh
  }
  return {
    readings: all.length,
    firstMwh: all[0]?.energyMwh ?? 0,
    lastMwh: all.at(-1)?.energyMwh ?? 0,
    mwh,
    lastSequenceNo: all.at(-1)?.seq ?? null,
    conflicts: entries.filter((entry) => entry.reason === 'conflict').length,
  }
}
