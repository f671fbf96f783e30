import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { type DayItem, fromItem } from '../../functions/adapters/rollups.ts'
import { toDecimal } from '../../functions/domain/tariff/decimal.ts'
import { costMicro } from '../../functions/domain/tariff/price.ts'
import type { Stack } from '../stack/stack.ts'
import { nodeRecord, registersOf } from './registers.ts'
import { type Column, textTable, thousandths } from './table.ts'

const COLUMNS: Column[] = [
  { title: 'day' },
  { title: 'classroom' },
  { title: 'register' },
  { title: 'device' },
  { title: 'Wh', isNumber: true },
  { title: 'cost', isNumber: true },
  { title: 'on h', isNumber: true },
  { title: 'suspense Wh', isNumber: true },
  { title: 'coverage h', isNumber: true },
  { title: 'state' },
  { title: 'through', isNumber: true },
]

/** The latest day items of a node, a line for each register and one for each of its channels. */
export async function showDays(
  client: DynamoDBDocumentClient,
  stack: Stack,
  esp32Name: string,
  last: number,
): Promise<string> {
  const record = await nodeRecord(client, stack, esp32Name)
  const registers = new Set(registersOf(record))
  const classrooms = new Set(record.assignments.map((assignment) => assignment.classroom))
  const items: DayItem[] = []
  for (const classroom of classrooms) {
    if (classroom === null) continue
    items.push(...(await latest(client, stack, classroom, registers, last)))
  }
  const dates = [...new Set(items.map((item) => item.date))].sort().slice(-last)
  if (dates.length === 0) {
    return `${esp32Name}: no day item yet (\`autovolt rollup\` makes them at once)\n`
  }
  const shown = items
    .filter((item) => dates.includes(item.date))
    .sort((a, b) => compare(a.date, b.date) || compare(a.register, b.register))
  return textTable(COLUMNS, shown.flatMap(rowsOf))
}

/** Newest first, until as many days are found as asked for. */
async function latest(
  client: DynamoDBDocumentClient,
  stack: Stack,
  classroom: string,
  registers: ReadonlySet<string>,
  last: number,
): Promise<DayItem[]> {
  const found: DayItem[] = []
  let start: Record<string, unknown> | undefined
  do {
    const page = await client.send(
      new QueryCommand({
        TableName: stack.table('rollups'),
        KeyConditionExpression: 'classroom = :classroom AND begins_with(period, :day)',
        ExpressionAttributeValues: { ':classroom': classroom, ':day': 'day#' },
        ScanIndexForward: false,
        ExclusiveStartKey: start,
      }),
    )
    for (const item of page.Items ?? []) {
      if (registers.has(String(item.register))) found.push(fromItem(item))
    }
    start = page.LastEvaluatedKey
  } while (start !== undefined && new Set(found.map((item) => item.date)).size <= last)
  return found
}

function rowsOf(item: DayItem): string[][] {
  const { figures } = item
  const { measuredMwh, apportionedMwh, estimatedMwh, suspenseMwh, coverageS } = figures.quality
  const micro = costMicro(item.cost)
  const own = [item.date, item.classroom, item.register]
  const channels = [...figures.devices].filter(([deviceId]) => deviceId !== null)
  return [
    [
      ...own,
      '(all)',
      thousandths(measuredMwh + apportionedMwh + estimatedMwh),
      micro === null ? '-' : toDecimal(micro, 6),
      hours(sum(figures.onTimeS)),
      thousandths(suspenseMwh),
      hours(coverageS),
      item.state,
      String(item.throughN),
    ],
    ...channels.map(([deviceId, series]) => [
      '',
      '',
      '',
      String(deviceId),
      thousandths(sum(series.energyMwh)),
      '',
      hours(sum(series.onTimeS)),
    ]),
  ]
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function hours(seconds: number): string {
  return (seconds / 3600).toFixed(2)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
