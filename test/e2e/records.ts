import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { QueryCommand } from '@aws-sdk/lib-dynamodb'
import { expect, vi } from 'vitest'
import { journalReader } from '../../functions/adapters/journal.ts'
import type { Entry } from '../../functions/domain/journal.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import type { Site } from './site.ts'

/** How long a condition may take to come true on a busy machine. */
const PATIENCE = { timeout: 100_000, interval: 50 }

/** Repeats an assertion until it holds; fails with its last complaint. */
export function eventually<T>(assert: () => Promise<T> | T): Promise<T> {
  return vi.waitFor(assert, PATIENCE)
}

/** Every item under one partition key. */
export async function itemsOf(
  site: Site,
  table: 'telemetry' | 'ledger' | 'nodes' | 'rollups' | 'control' | 'quarantine',
  key: string,
): Promise<Record<string, unknown>[]> {
  const name = { telemetry: 'register', ledger: 'register', rollups: 'classroom', control: 'kind' }
  const items: Record<string, unknown>[] = []
  let start: Record<string, unknown> | undefined
  do {
    const page = await site.tables.send(
      new QueryCommand({
        TableName: site.endpoints.tables[table],
        KeyConditionExpression: '#key = :key',
        ExpressionAttributeNames: {
          '#key': (name as Record<string, string>)[table] ?? 'esp32_name',
        },
        ExpressionAttributeValues: { ':key': key },
        ConsistentRead: true,
        ExclusiveStartKey: start,
      }),
    )
    items.push(...(page.Items ?? []))
    start = page.LastEvaluatedKey
  } while (start !== undefined)
  return items
}

/** The reasons in a node's quarantine, as `<kind>: <reason>`, oldest first. */
export async function quarantined(site: Site, esp32Name: string): Promise<string[]> {
  const items = await itemsOf(site, 'quarantine', esp32Name)
  return items.map((item) => `${item.quarantine_kind}: ${item.reason}`)
}

const journal = (site: Site) => journalReader(site.tables, site.endpoints.tables.ledger as string)

/** Waits until the ledger has booked exactly so many readings of a register; gives the head. */
export async function booked(site: Site, register: string, readings: number): Promise<Entry> {
  return eventually(async () => {
    const head = await journal(site).head(register)
    expect(head?.state.totals.readings ?? 0, `readings of ${register} in the ledger`).toBe(readings)
    return head as Entry
  })
}

/** A register's whole journal as texts: `<n> <reason> <kind> <from>–<to> <mWh> <confidence> <flags>`. */
export async function linesOf(site: Site, register: string): Promise<string[]> {
  const entries = await journal(site).entries(register, 1, 10_000)
  const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19)
  return entries.flatMap(({ n, reason, lines }) =>
    lines.map((line) =>
      [
        n,
        reason,
        `${line.reverses ? '-' : '+'}${line.kind}`,
        `${clock(line.fromMs)}–${clock(line.toMs)}`,
        line.energyMwh,
        line.confidence,
        ...line.flags,
      ].join(' '),
    ),
  )
}

/** The sum of a metric over everything a function has written to its log (EMF). */
export function metricSum(site: Site, fn: string, metric: string): number {
  return measured(site, fn, metric)
    .flatMap((line) => line[metric])
    .reduce<number>((sum, value) => sum + Number(value ?? 0), 0)
}

/** The newest instant, on the stack's clock, for which a function has measured a metric; 0 for never. */
export function measuredAt(site: Site, fn: string, metric: string): number {
  return Math.max(0, ...measured(site, fn, metric).map(({ _aws }) => _aws.Timestamp))
}

type Emf = Record<string, unknown> & { _aws: { Timestamp: number } }

function measured(site: Site, fn: string, metric: string): Emf[] {
  const file = join(site.dataDir, 'logs', `autovolt-local-${fn}.log`)
  // A function that was never invoked has no log yet.
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text
    .split('\n')
    .filter((line) => line.includes(`"${metric}"`))
    .map((line) => JSON.parse(line))
}

/** How many messages wait in each queue that has any: nothing, when nothing failed. */
export async function failedMessages(site: Site): Promise<Record<string, number>> {
  const sqs = new SQSClient(localClient(site.endpoints.control, site.endpoints.region))
  const found: Record<string, number> = {}
  for (const [name, QueueUrl] of Object.entries(site.endpoints.queues)) {
    const AttributeNames = ['ApproximateNumberOfMessages' as const]
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames }),
    )
    const count = Number(Attributes?.ApproximateNumberOfMessages)
    if (count !== 0) found[name] = count
  }
  sqs.destroy()
  return found
}
