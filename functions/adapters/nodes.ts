import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { Classroom, DeviceId, ThingName } from '../contract/names.ts'
import type { Assignment } from '../domain/assignment.ts'
import { Limits } from '../domain/checks/limits.ts'
import { type DatedFacts, type FactHistory, NO_FACTS, UNKNOWN_FACTS } from '../domain/facts.ts'
import type { PresenceState } from '../domain/presence.ts'
import { registerParts } from '../domain/reading.ts'
import { outageEnded, type Span } from '../domain/uptime.ts'
import { counterUpdate } from './control.ts'
import { DecisionItem } from './decisions.ts'
import { conditionFailed, despiteCrossings, transactionLost } from './dynamo.ts'
import { OutagesItem, outageUpdate, PresenceItem, presencePut } from './presence-items.ts'

/** The registry's own item of a node. */
export const NodeItem = z.object({
  esp32_name: ThingName,
  kind: z.literal('node'),
  created_at_ms: z.int(),
  thing_arn: z.string().optional(),
})

/**
 * A node stands in a classroom from an instant on; the first assignment (0) covers all earlier time.
 * Without a classroom it stands in none: it was retired. Such an item is not in the index by classroom.
 */
export const AssignmentItem = z.object({
  esp32_name: ThingName,
  kind: z.string().startsWith('assignment#'),
  classroom: Classroom.optional(),
  from_at_ms: z.int().min(0),
  recorded_at_ms: z.int(),
  recorded_by: z.string(),
})

/** A dated fact of the node's total (`device_id` null) or of one channel. Never changed, only followed. */
export const FactItem = z.object({
  esp32_name: ThingName,
  kind: z.string().startsWith('fact#'),
  device_id: DeviceId.nullable(),
  rating_mw: z.int().min(1).optional(),
  rollover_mwh: z.int().min(1).optional(),
  effective_from_ms: z.int().min(0),
  recorded_at_ms: z.int(),
  recorded_by: z.string(),
})

/** The assignments that the rollup has followed: the days in question are made by them. */
const StaysItem = z.object({
  esp32_name: ThingName,
  kind: z.literal('stays'),
  stays: z.array(z.tuple([z.string().nullable(), z.int()])),
  /** The local dates that were made anew for the last change. */
  dates: z.tuple([z.string(), z.string()]).optional(),
  at_ms: z.int(),
})

/** How far the rollup has carried a register's journal. */
export const WatermarkItem = z.object({
  esp32_name: ThingName,
  kind: z.string().startsWith('watermark#'),
  through_n: z.int().min(0),
  rolled_at_ms: z.int().optional(),
})

/** Thresholds of the nightly checks that are others for this node than the defaults. */
export const LimitsItem = z.object({
  esp32_name: ThingName,
  kind: z.literal('limits'),
  limits: Limits.partial(),
})

const AnyItem = z.looseObject({ kind: z.string() })

/** What the rollup has followed of a node's assignments, and when. */
export interface FollowedStays {
  readonly assignments: readonly Assignment[]
  /** The local dates made anew for the last change, both included; null when there were none. */
  readonly dates: { readonly from: string; readonly to: string } | null
  readonly atMs: number
}

/** All the registry holds of one node. */
export interface NodeRecord {
  readonly esp32Name: string
  readonly registered: boolean
  readonly createdAtMs: number | null
  readonly assignments: readonly Assignment[]
  /** When the latest of them was recorded; 0 without any. */
  readonly assignedAtMs: number
  /** The assignments that day items were made by; null before the first rollup. */
  readonly followed: FollowedStays | null
  readonly presence: PresenceState | null
  /** Outages that are over; none by default. */
  readonly outages?: readonly Span[]
  readonly facts: readonly z.infer<typeof FactItem>[]
  /** Answers about its registers, in the order they were made. @default none */
  readonly decisions?: readonly DecisionItem[]
  /** The node's own thresholds for checks; none by default. */
  readonly limits?: Partial<Limits>
  /** `through_n` by register. */
  readonly watermarks: ReadonlyMap<string, number>
}

export interface NodeStore {
  /** Everything of one node; `registered` is false for a name nobody provisioned. */
  get(esp32Name: string): Promise<NodeRecord>
  /** Names of the nodes ever assigned to a classroom. Eventually consistent (an index). */
  inClassroom(classroom: string): Promise<string[]>
  /** Every node, a page at a time. */
  all(): AsyncGenerator<NodeRecord>
  isRegistered(esp32Name: string): Promise<boolean>
  presence(esp32Name: string): Promise<PresenceState | null>
  /**
   * Writes presence, and the outage that ends with it, provided it is still what it was.
   * @returns false when it has changed
   */
  changePresence(next: PresenceState, previous: PresenceState | null): Promise<boolean>
  /** Remembers that the day items follow these assignments. */
  rememberStays(esp32Name: string, followed: FollowedStays): Promise<void>
  /** Moves a watermark forward, never back. */
  moveWatermark(register: string, throughN: number, nowMs: number): Promise<void>
}

/**
 * @param controlTable where the number of nodes online is kept; needed by those who change presence
 */
export function nodeStore(
  client: DynamoDBDocumentClient,
  table: string,
  controlTable?: string,
): NodeStore {
  const presence = async (esp32Name: string) => {
    const key = { esp32_name: esp32Name, kind: 'presence' }
    const { Item } = await client.send(
      new GetCommand({ TableName: table, Key: key, ConsistentRead: true }),
    )
    return Item === undefined ? null : PresenceItem.parse(Item)
  }
  return {
    async get(esp32Name) {
      const items: Record<string, unknown>[] = []
      let start: Record<string, unknown> | undefined
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'esp32_name = :name',
            ExpressionAttributeValues: { ':name': esp32Name },
            ConsistentRead: true,
            ExclusiveStartKey: start,
          }),
        )
        items.push(...(page.Items ?? []))
        start = page.LastEvaluatedKey
      } while (start !== undefined)
      return toRecord(esp32Name, items)
    },

    async inClassroom(classroom) {
      const names = new Set<string>()
      let start: Record<string, unknown> | undefined
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            IndexName: 'by-classroom',
            KeyConditionExpression: 'classroom = :classroom',
            ExpressionAttributeValues: { ':classroom': classroom },
            ExclusiveStartKey: start,
          }),
        )
        for (const item of page.Items ?? []) names.add(AssignmentItem.parse(item).esp32_name)
        start = page.LastEvaluatedKey
      } while (start !== undefined)
      return [...names].sort()
    },

    async *all() {
      // A scan gives the items of one node one after another, but a page may end between them.
      let held: { name: string; items: Record<string, unknown>[] } | null = null
      let start: Record<string, unknown> | undefined
      do {
        const page = await client.send(
          new ScanCommand({ TableName: table, ExclusiveStartKey: start }),
        )
        for (const item of page.Items ?? []) {
          const name = String(item.esp32_name)
          if (held !== null && held.name !== name) {
            yield toRecord(held.name, held.items)
            held = null
          }
          held ??= { name, items: [] }
          held.items.push(item)
        }
        start = page.LastEvaluatedKey
      } while (start !== undefined)
      if (held !== null) yield toRecord(held.name, held.items)
    },

    async isRegistered(esp32Name) {
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: { esp32_name: esp32Name, kind: 'node' } }),
      )
      return Item !== undefined
    },

    presence,

    async changePresence(next, previous) {
      const put = presencePut(table, next, previous)
      const outage = outageEnded(previous, next)
      const step = Number(next.online) - Number(previous?.online ?? false)
      try {
        if (step === 0) await client.send(new PutCommand(put))
        else {
          if (controlTable === undefined)
            throw new Error('changing presence needs the Control table')
          // The number of nodes online changes together with the node, or it would drift.
          const count = { Update: counterUpdate(controlTable, { online: step }) }
          const history =
            outage === null ? [] : [{ Update: outageUpdate(table, next.esp32_name, outage) }]
          const all = new TransactWriteCommand({ TransactItems: [{ Put: put }, count, ...history] })
          await despiteCrossings(() => client.send(all))
        }
        return true
      } catch (error) {
        if (conditionFailed(error) || transactionLost(error)) return false
        throw error
      }
    },

    async rememberStays(esp32Name, { assignments, dates, atMs }) {
      const Item = {
        esp32_name: esp32Name,
        kind: 'stays',
        stays: assignments.map(({ classroom, fromMs }) => [classroom, fromMs]),
        ...(dates !== null && { dates: [dates.from, dates.to] }),
        at_ms: atMs,
      }
      await client.send(new PutCommand({ TableName: table, Item }))
    },

    async moveWatermark(register, throughN, nowMs) {
      const { esp32Name } = registerParts(register)
      try {
        await client.send(
          new UpdateCommand({
            TableName: table,
            Key: { esp32_name: esp32Name, kind: `watermark#${register}` },
            UpdateExpression: 'SET through_n = :n, rolled_at_ms = :now',
            ConditionExpression: 'through_n < :n',
            ExpressionAttributeValues: { ':n': throughN, ':now': nowMs },
          }),
        )
      } catch (error) {
        // Another worker carried it further in the meantime; that is what we wanted.
        if (!conditionFailed(error)) throw error
      }
    },
  }
}

function toRecord(esp32Name: string, items: readonly Record<string, unknown>[]): NodeRecord {
  const of = <T>(prefix: string, schema: z.ZodType<T>): T[] =>
    items
      .filter((item) => AnyItem.parse(item).kind.startsWith(prefix))
      .map((item) => schema.parse(item))
  const [node] = of('node', NodeItem)
  const [presence] = of('presence', PresenceItem)
  const [followed] = of('stays', StaysItem)
  const assignments = of('assignment#', AssignmentItem)
  return {
    esp32Name,
    registered: node !== undefined,
    createdAtMs: node?.created_at_ms ?? null,
    assignments: assignments
      .sort((a, b) => a.from_at_ms - b.from_at_ms || a.recorded_at_ms - b.recorded_at_ms)
      .map((item) => ({ classroom: item.classroom ?? null, fromMs: item.from_at_ms })),
    assignedAtMs: Math.max(0, ...assignments.map((item) => item.recorded_at_ms)),
    followed: followed === undefined ? null : fromStays(followed),
    presence: presence ?? null,
    outages: of('outages#', OutagesItem).flatMap(({ spans }) =>
      spans.map(([fromMs, toMs]) => ({ fromMs, toMs })),
    ),
    facts: of('fact#', FactItem),
    decisions: of('decision#', DecisionItem).sort((a, b) => a.n - b.n),
    limits: of('limits', LimitsItem)[0]?.limits ?? {},
    watermarks: new Map(
      of('watermark#', WatermarkItem).map((w) => [w.kind.slice('watermark#'.length), w.through_n]),
    ),
  }
}

function fromStays({ stays, dates, at_ms }: z.infer<typeof StaysItem>): FollowedStays {
  return {
    assignments: stays.map(([classroom, fromMs]) => ({ classroom, fromMs })),
    dates: dates === undefined ? null : { from: dates[0], to: dates[1] },
    atMs: at_ms,
  }
}

/** What people said of a register over time, for the node's total or for a channel of its own. */
export function factsOf(record: NodeRecord, register: string): FactHistory {
  const { deviceId } = registerParts(register)
  const instants = [...new Set(record.facts.map((fact) => fact.effective_from_ms))].sort(
    (a, b) => a - b,
  )
  if (instants.length === 0) return NO_FACTS
  const inOrderRecorded = [...record.facts].sort(byRecording)
  return instants.map((fromMs) => ({
    ...factsFrom(record.facts, deviceId, fromMs),
    recorded: inOrderRecorded.findLastIndex((fact) => fact.effective_from_ms === fromMs) + 1,
  }))
}

/** Facts are only added, so a fact's place in this order is its number for good. */
function byRecording(a: NodeRecord['facts'][number], b: NodeRecord['facts'][number]): number {
  return a.recorded_at_ms - b.recorded_at_ms || (a.kind < b.kind ? -1 : 1)
}

/** Of what was said for an instant, the fact that begins last stands, then the one recorded last. */
function factsFrom(
  facts: NodeRecord['facts'],
  deviceId: string | null,
  fromMs: number,
): Omit<DatedFacts, 'recorded'> {
  const newestFirst = facts
    .filter((fact) => fact.effective_from_ms <= fromMs)
    .sort(
      (a, b) => b.effective_from_ms - a.effective_from_ms || b.recorded_at_ms - a.recorded_at_ms,
    )
  const own = newestFirst.filter((fact) => fact.device_id === deviceId)
  const channelRatingMw = new Map<string, number>()
  for (const { device_id, rating_mw } of newestFirst) {
    if (device_id === null || rating_mw === undefined || channelRatingMw.has(device_id)) continue
    channelRatingMw.set(device_id, rating_mw)
  }
  const ratingMw = own.find((f) => f.rating_mw !== undefined)?.rating_mw
  return {
    fromMs,
    ratingMw: ratingMw ?? UNKNOWN_FACTS.ratingMw,
    rolloverMwh: own.find((f) => f.rollover_mwh !== undefined)?.rollover_mwh ?? null,
    channelRatingMw,
    loadMw: deviceId === null ? null : (ratingMw ?? null),
  }
}
