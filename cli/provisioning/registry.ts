import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** A channel of a node with the power it is rated for, in mW. */
export interface Channel {
  device_id: string
  ratingMw: number
}

/** What a person says about a node when it is provisioned. */
export interface NodeEntry {
  esp32Name: string
  classroom: string
  /** Most power the node's wiring carries, in mW; undefined leaves what is registered. */
  ratingMw?: number
  /** Where the node's meter wraps to zero, in mWh. */
  rolloverMwh?: number
  channels: readonly Channel[]
  /** Since when rating and rollover hold; 0 for always. */
  effectiveFromMs: number
}

const Registered = z.looseObject({
  kind: z.string(),
  classroom: z.string().optional(),
  from_at_ms: z.number().optional(),
  device_id: z.string().nullish(),
  rating_mw: z.number().nullish(),
  rollover_mwh: z.number().nullish(),
  effective_from_ms: z.number().optional(),
})
type Registered = z.infer<typeof Registered>

/** What the registry knows of a node before a call changes it. */
export interface Known {
  items: readonly Registered[]
  /** The classroom of the latest assignment; undefined for a node without one. */
  classroom: string | undefined
}

/** Registry access of one stack. Call `close` when done, or sockets keep the process alive. */
export interface Registry {
  read(esp32Name: string): Promise<Known>
  /** Adds what is missing: node, first assignment, changed facts. Never changes what is there. */
  write(entry: NodeEntry, known: Known, thingArn: string, by: string, nowMs: number): Promise<void>
  close(): void
}

/** Opens the Nodes table of a stack. */
export function openRegistry(stack: Stack): Registry {
  const plain = new DynamoDBClient(stack.client('dynamodb'))
  const client = DynamoDBDocumentClient.from(plain, {
    marshallOptions: { removeUndefinedValues: true },
  })
  const table = stack.table('nodes')
  const put = (item: Record<string, unknown>) => putOnce(client, table, item)
  return {
    read: (esp32Name) => read(client, table, esp32Name),
    write: async (entry, known, thingArn, by, nowMs) => {
      const has = (prefix: string) => known.items.some((item) => item.kind.startsWith(prefix))
      const recorded = { recorded_at_ms: nowMs, recorded_by: by }
      if (!has('node')) await put(nodeItem(entry, thingArn, nowMs))
      if (!has('assignment#')) await assign(client, table, entry, recorded)
      await Promise.all(
        changedFacts(entry, known.items).map((fact) =>
          put({ ...fact, kind: `${fact.kind}#${String(nowMs).padStart(13, '0')}`, ...recorded }),
        ),
      )
    },
    close: () => plain.destroy(),
  }
}

async function read(
  client: DynamoDBDocumentClient,
  table: string,
  esp32Name: string,
): Promise<Known> {
  const items: Registered[] = []
  let from: Record<string, unknown> | undefined
  do {
    const page = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'esp32_name = :name',
        ExpressionAttributeValues: { ':name': esp32Name },
        ConsistentRead: true,
        ExclusiveStartKey: from,
      }),
    )
    for (const item of page.Items ?? []) items.push(Registered.parse(item))
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  const latest = items
    .filter((item) => item.kind.startsWith('assignment#'))
    .sort((a, b) => (a.from_at_ms ?? 0) - (b.from_at_ms ?? 0))
    .at(-1)
  return { items, classroom: latest?.classroom }
}

function nodeItem(entry: NodeEntry, thingArn: string, nowMs: number): Record<string, unknown> {
  return {
    esp32_name: entry.esp32Name,
    kind: 'node',
    created_at_ms: nowMs,
    thing_arn: thingArn,
    channels:
      entry.channels.length === 0
        ? undefined
        : entry.channels.map(({ device_id, ratingMw }) => ({
            device_id,
            rating_w: ratingMw / 1000,
          })),
  }
}

/**
 * The first assignment covers all earlier time. Of two calls at once for different classrooms one
 * must fail, which is why the put is conditional and its loss is not passed over in silence.
 */
async function assign(
  client: DynamoDBDocumentClient,
  table: string,
  entry: NodeEntry,
  recorded: Record<string, unknown>,
): Promise<void> {
  const { esp32Name, classroom } = entry
  const made = await putOnce(client, table, {
    esp32_name: esp32Name,
    kind: 'assignment#0000',
    classroom,
    from_at_ms: 0,
    ...recorded,
  })
  if (made) return
  const known = await read(client, table, esp32Name)
  if (known.classroom !== classroom) throw otherClassroom(esp32Name, known.classroom, classroom)
}

/** A node stands in one classroom at a time; provisioning never moves it. */
export function otherClassroom(esp32Name: string, is: string | undefined, wanted: string): Failure {
  return new Failure(
    `--classroom: ${esp32Name} is assigned to "${is}", not "${wanted}"; provisioning does not move a node, because a move needs the instant it happened`,
  )
}

/** Only what differs from the latest fact of its register, so that a second call adds nothing. */
function changedFacts(entry: NodeEntry, items: readonly Registered[]) {
  const given = [
    { device_id: null, rating_mw: entry.ratingMw, rollover_mwh: entry.rolloverMwh },
    ...entry.channels.map(({ device_id, ratingMw }) => ({
      device_id,
      rating_mw: ratingMw,
      rollover_mwh: undefined,
    })),
  ]
  return given
    .filter((fact) => fact.rating_mw !== undefined || fact.rollover_mwh !== undefined)
    .map((fact) => ({
      esp32_name: entry.esp32Name,
      kind: `fact#${fact.device_id ?? '*'}`,
      ...fact,
      effective_from_ms: entry.effectiveFromMs,
    }))
    .filter((fact) => !sameAsLatest(fact, items))
}

function sameAsLatest(
  fact: { kind: string; rating_mw?: number; rollover_mwh?: number; effective_from_ms: number },
  items: readonly Registered[],
): boolean {
  const latest = items
    .filter((item) => item.kind.startsWith(`${fact.kind}#`))
    .sort((a, b) => (a.kind < b.kind ? -1 : 1))
    .at(-1)
  if (latest === undefined) return false
  return (
    (fact.rating_mw ?? latest.rating_mw) === latest.rating_mw &&
    (fact.rollover_mwh ?? latest.rollover_mwh) === latest.rollover_mwh &&
    fact.effective_from_ms === latest.effective_from_ms
  )
}

/** True when the item was put, false when its key was taken. */
async function putOnce(
  client: DynamoDBDocumentClient,
  table: string,
  item: Record<string, unknown>,
): Promise<boolean> {
  try {
    await client.send(
      new PutCommand({
        TableName: table,
        Item: item,
        ConditionExpression: 'attribute_not_exists(kind)',
      }),
    )
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false
    throw error
  }
}
