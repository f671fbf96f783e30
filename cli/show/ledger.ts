import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { journalReader } from '../../functions/adapters/journal.ts'
import type { Entry } from '../../functions/domain/journal.ts'
import type { Line } from '../../functions/domain/line.ts'
import type { Stack } from '../stack/stack.ts'
import { nodeRecord, registersOf } from './registers.ts'
import { type Column, textTable, thousandths } from './table.ts'
import { clockTime, siteTime } from './time.ts'

const COLUMNS: Column[] = [
  { title: 'entry', isNumber: true },
  { title: 'booked' },
  { title: 'reason' },
  { title: 'line' },
  { title: 'from' },
  { title: 'to' },
  { title: 'Wh', isNumber: true },
  { title: 'confidence' },
  { title: 'notes' },
]

/** The latest journal entries of each register of a node, with their lines and totals. */
export async function showLedger(
  client: DynamoDBDocumentClient,
  stack: Stack,
  esp32Name: string,
  last: number,
): Promise<string> {
  const record = await nodeRecord(client, stack, esp32Name)
  const journal = journalReader(client, stack.table('ledger'))
  const texts: string[] = []
  for (const register of registersOf(record)) {
    const head = await journal.head(register)
    if (head === null) continue
    const entries = await journal.entries(register, Math.max(1, head.n - last + 1), last)
    const rows = entries.flatMap((entry) => rowsOf(entry, stack.siteTimeZone))
    texts.push(`${summary(head)}\n${textTable(COLUMNS, rows)}`)
  }
  return texts.length === 0 ? `${esp32Name}: no journal entry\n` : texts.join('\n')
}

function summary(head: Entry): string {
  const { readings, measuredMwh, estimatedMwh, suspenseMwh, resets } = head.state.totals
  return (
    `${head.register}: ${head.n} entries, ${readings} readings, measured ${thousandths(measuredMwh)} Wh, ` +
    `estimated ${thousandths(estimatedMwh)} Wh, suspense ${thousandths(suspenseMwh)} Wh, resets ${resets}, ` +
    `head ${head.hash.slice(0, 12)}`
  )
}

function rowsOf(entry: Entry, zone: string): string[][] {
  const own = [String(entry.n), siteTime(entry.bookedAtMs, zone), entry.reason]
  if (entry.lines.length === 0) {
    return [[...own, '-', '', '', '', '', `${entry.readings.length} readings, no line`]]
  }
  return entry.lines.map((line, at) => [
    ...(at === 0 ? own : ['', '', '']),
    line.reverses ? `reverses ${line.kind}` : line.kind,
    siteTime(line.fromMs, zone),
    clockTime(line.toMs, zone),
    thousandths(line.energyMwh),
    line.confidence,
    notes(line),
  ])
}

function notes(line: Line): string {
  return [
    ...line.flags,
    ...(line.bounds === null ? [] : [`bounds ${line.bounds.map(thousandths).join(' to ')} Wh`]),
    ...line.channels.map((c) => `${c.deviceId} ${thousandths(c.energyMwh)} Wh ${c.onTimeS} s`),
  ].join(', ')
}
