import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { closingStore } from '../../functions/adapters/closings.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import { type NodeRecord, nodeStore } from '../../functions/adapters/nodes.ts'
import { rawItems } from '../../functions/adapters/raw.ts'
import { rollupStore } from '../../functions/adapters/rollups.ts'
import { tariffStore } from '../../functions/adapters/tariffs.ts'
import { type Pricer, pricer } from '../../functions/domain/rollup/cost.ts'
import { type VerifiedMonths, verifyMonths } from '../../functions/verify/months.ts'
import { type Verified, type VerifyPorts, verifyRegister } from '../../functions/verify/register.ts'
import { stageConfig } from '../../infra/stages.ts'
import { type Expired, expiredMessages, type UnreadableLines } from '../archive/expired.ts'
import { nodeRecord, possibleRegisters } from '../show/registers.ts'
import { thousandths } from '../show/table.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'

/** How many registers were walked, and in how many something does not match. */
export interface VerifiedAll {
  registers: number
  mismatches: number
  /** Classrooms whose closed months were looked at, and those in which one is wrong. */
  classrooms: number
  monthMismatches: number
  /** Lines of the archive that hold no message. */
  unreadable: number
}

/** Only this many problems of a register are printed; the first one says most. */
const PRINTED_PROBLEMS = 10
/** A register that is being written to moves under the walk; what is wrong stays wrong. */
const WALKS = 3
const DAY_MS = 86_400_000

/** Verifies every register of a stack, or of one node, and tells a line about each. */
export async function verifyAll(
  stack: Stack,
  what: { node: string | undefined; isDeep: boolean },
  tell: (line: string) => void,
): Promise<VerifiedAll> {
  const retentionMs = stageConfig(stack.stage).rawRetentionDays * DAY_MS
  using expired = what.isDeep
    ? await expiredMessages(stack, what.node, Date.now() - retentionMs)
    : null
  return await withTables(stack, async (client) => {
    const done: VerifiedAll = {
      registers: 0,
      mismatches: 0,
      classrooms: 0,
      monthMismatches: 0,
      unreadable: expired?.unreadable.count ?? 0,
    }
    for (const line of expired === null ? [] : unreadableLines(expired.unreadable)) tell(line)
    const classrooms = new Set<string>()
    for await (const record of recordsOf(client, stack, what.node)) {
      for (const { classroom } of record.assignments) {
        if (classroom !== null) classrooms.add(classroom)
      }
      // What was received and never booked has a register that the ledger does not know.
      const registers = what.isDeep ? possibleRegisters(record) : [...record.watermarks.keys()]
      for (const register of registers.sort()) {
        const verified = await walk(client, stack, record, register, { ...what, expired })
        if (what.isDeep && !record.watermarks.has(register) && isEmpty(verified)) continue
        done.registers += 1
        if (verified.problems.length > 0) done.mismatches += 1
        for (const line of linesOf(verified)) tell(line)
      }
    }
    for (const classroom of [...classrooms].sort()) {
      const { months, problems } = await monthsOf(client, stack, classroom)
      if (months === 0 && problems.length === 0) continue
      done.classrooms += 1
      if (problems.length > 0) done.monthMismatches += 1
      tell(
        `${problems.length === 0 ? 'ok      ' : 'MISMATCH'}  ${classroom}: ${months} closed months`,
      )
      for (const problem of problems) tell(`          ${problem}`)
    }
    return done
  })
}

/** How many lines of the archive cannot be read, and where they lie. */
export function unreadableLines({ count, objects, first, lastKey }: UnreadableLines): string[] {
  if (count === 0) return []
  const more = count - first.length
  return [
    `MISMATCH  archive: ${count} lines of ${objects} objects cannot be read`,
    ...first.map(({ key, line, reason }) => `          ${key} line ${line}: ${reason}`),
    ...(more > 0 ? [`          and ${more} more, the last in ${lastKey}`] : []),
  ]
}

/** Prices are read anew for each look: a tariff may be recorded while this runs. */
async function pricerOf(client: DynamoDBDocumentClient, stack: Stack): Promise<Pricer> {
  const prices = await tariffStore(client, stack.table('control')).priceBook()
  return pricer(prices, stack.siteTimeZone)
}

async function monthsOf(
  client: DynamoDBDocumentClient,
  stack: Stack,
  classroom: string,
): Promise<VerifiedMonths> {
  const look = async () => {
    const { throughMonth } = await closingStore(client, stack.table('control')).closed()
    return verifyMonths(classroom, {
      rollups: rollupStore(client, stack.table('rollups')),
      pricer: await pricerOf(client, stack),
      siteTimeZone: stack.siteTimeZone,
      throughMonth,
    })
  }
  let verified = await look()
  for (let looks = 1; looks < WALKS && verified.problems.length > 0; looks += 1) {
    verified = await look()
  }
  return verified
}

async function* recordsOf(
  client: DynamoDBDocumentClient,
  stack: Stack,
  esp32Name: string | undefined,
): AsyncGenerator<NodeRecord> {
  if (esp32Name === undefined) yield* nodeStore(client, stack.table('nodes')).all()
  else yield await nodeRecord(client, stack, esp32Name)
}

async function walk(
  client: DynamoDBDocumentClient,
  stack: Stack,
  record: NodeRecord,
  register: string,
  { isDeep, expired }: { isDeep: boolean; expired: Expired | null },
): Promise<Verified> {
  const ports: VerifyPorts = {
    pricer: await pricerOf(client, stack),
    journal: journalReader(client, stack.table('ledger')),
    rollups: rollupStore(client, stack.table('rollups')),
    siteTimeZone: stack.siteTimeZone,
    ...(isDeep && {
      raw: {
        items: (name) => rawItems(client, stack.table('telemetry'), name),
        retentionDays: stageConfig(stack.stage).rawRetentionDays,
        now: Date.now,
        ...(expired !== null && { archived: (name: string) => expired.readings(name) }),
      },
    }),
  }
  let verified = await verifyRegister(record, register, ports)
  for (let walks = 1; walks < WALKS && verified.problems.length > 0; walks += 1) {
    const now = await nodeRecord(client, stack, record.esp32Name)
    verified = await verifyRegister(now, register, ports)
  }
  return verified
}

/** A register that may exist, and does not: a channel that never published on its own. */
function isEmpty({ entries, problems }: Verified): boolean {
  return entries === 0 && problems.length === 0
}

function linesOf(verified: Verified): string[] {
  const { register, entries, readings, days, problems } = verified
  const figures =
    `${register}: ${entries} entries, ${readings} readings, ${days} days, ` +
    `measured ${thousandths(verified.measuredMwh)} Wh, estimated ${thousandths(verified.estimatedMwh)} Wh, ` +
    `suspense ${thousandths(verified.suspenseMwh)} Wh`
  const notes = verified.notes.map((note) => `          ${note}`)
  if (problems.length === 0) return [`ok        ${figures}`, ...notes]
  const more = problems.length - PRINTED_PROBLEMS
  return [
    `MISMATCH  ${figures}`,
    ...problems.slice(0, PRINTED_PROBLEMS).map((problem) => `          ${problem}`),
    ...(more > 0 ? [`          and ${more} more`] : []),
    ...notes,
  ]
}
