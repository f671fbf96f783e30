import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { journalReader } from '../../functions/adapters/journal.ts'
import { fromItem, type StoredMessage } from '../../functions/adapters/raw.ts'
import type { Stack } from '../stack/stack.ts'
import { nodeRecord, registersOf } from './registers.ts'
import { type Column, textTable, thousandths } from './table.ts'
import { siteTime } from './time.ts'

const COLUMNS: Column[] = [
  { title: 'register' },
  { title: 'received' },
  { title: 'by' },
  { title: 'epoch', isNumber: true },
  { title: 'sequence', isNumber: true },
  { title: 'measured' },
  { title: 'Wh', isNumber: true },
  { title: 'W', isNumber: true },
  { title: 'notes' },
]

/** The latest raw events of a node by receipt, a line for each reading they hold. */
export async function showEvents(
  client: DynamoDBDocumentClient,
  stack: Stack,
  esp32Name: string,
  last: number,
): Promise<string> {
  const record = await nodeRecord(client, stack, esp32Name)
  const found: StoredMessage[] = []
  for (const register of registersOf(record)) {
    found.push(...(await latest(client, stack, register, last)))
  }
  const events = found.sort(byReceipt).slice(-last)
  if (events.length === 0) return `${esp32Name}: no raw event\n`
  return textTable(
    COLUMNS,
    events.flatMap((event) => rowsOf(event, stack.siteTimeZone)),
  )
}

/**
 * Raw events are keyed by identity, not by receipt. The latest stand at the end of a range: that of
 * a recent counter epoch (the ledger's head knows them), of times, or of receipts.
 */
async function latest(
  client: DynamoDBDocumentClient,
  stack: Stack,
  register: string,
  last: number,
): Promise<StoredMessage[]> {
  const head = await journalReader(client, stack.table('ledger')).head(register)
  const epochs = (head?.state.epochs ?? []).map((n) => `s#${String(n).padStart(10, '0')}#`)
  // Before the ledger has booked anything, the epoch with the highest number has to do.
  const prefixes = [...(epochs.length > 0 ? epochs : ['s#']), 't#', 'r#']
  const found: StoredMessage[] = []
  for (const prefix of prefixes) {
    const page = await client.send(
      new QueryCommand({
        TableName: stack.table('telemetry'),
        KeyConditionExpression: '#register = :register AND begins_with(id, :prefix)',
        ExpressionAttributeNames: { '#register': 'register' },
        ExpressionAttributeValues: { ':register': register, ':prefix': prefix },
        ScanIndexForward: false,
        Limit: last,
      }),
    )
    found.push(...(page.Items ?? []).map(fromItem))
  }
  return found
}

/** A broken-off node tells many readings in one moment; among those the identity keeps the order. */
function byReceipt(a: StoredMessage, b: StoredMessage): number {
  return a.receivedAtMs - b.receivedAtMs || (a.id < b.id ? -1 : 1)
}

function rowsOf(event: StoredMessage, zone: string): string[][] {
  return event.readings.map((reading, at) => {
    const isFirst = at === 0
    const notes = [
      ...(reading.timeSource === 'measured' ? [] : [`time by ${reading.timeSource}`]),
      ...(reading.replayed ? ['replayed'] : []),
      ...reading.channels.map((c) => `${c.deviceId} ${thousandths(c.energyMwh)} Wh`),
    ]
    return [
      isFirst ? event.register : '',
      isFirst ? siteTime(event.receivedAtMs, zone) : '',
      isFirst ? event.via : '',
      reading.epoch === null ? '-' : String(reading.epoch),
      reading.seq === null ? '-' : String(reading.seq),
      siteTime(reading.atMs, zone),
      thousandths(reading.energyMwh),
      thousandths(reading.powerMw),
      notes.join(', '),
    ]
  })
}
