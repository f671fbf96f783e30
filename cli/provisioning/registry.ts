import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { conditionFailed } from '../../functions/adapters/dynamo.ts'
import { AssignmentItem, FactItem, NodeItem, nodeStore } from '../../functions/adapters/nodes.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** A channel of a node with the power it is rated for, in mW. */
export interface Channel {
  device_id: string
  ratingMw: number
}

/** What a person says about a node when it is provisioned. */
export interface NodeEntry extends FactsGiven {
  classroom: string
}

/** What a person says a node's wiring is made for. */
export interface FactsGiven {
  esp32Name: string
  /** Most power the node's wiring carries, in mW; undefined leaves what is registered. */
  ratingMw?: number
  /** Where the node's meter wraps to zero, in mWh. */
  rolloverMwh?: number
  channels: readonly Channel[]
  /**
   * Since when ratings and rollover hold.
   * @default - always for the first facts of a node, and for later ones soon: booked lines keep the
   *   facts they were booked by, unless the past is meant
   */
  effectiveFromMs?: number
}

/** Functions remember facts for a minute; a fact that begins later than that is known when it does. */
export const UNTIL_KNOWN_MS = 2 * 60_000

type Fact = ReturnType<typeof FactItem.parse>

/** What the registry knows of a node before a call changes it. */
export interface Known {
  isRegistered: boolean
  /** The classroom of the latest assignment, null for a retired node; undefined for one without any. */
  classroom: string | null | undefined
  facts: readonly Fact[]
}

/** Registry access of one stack. Call `close` when done, or sockets keep the process alive. */
export interface Registry {
  read(esp32Name: string): Promise<Known>
  /** Adds what is missing: node, first assignment, changed facts. Never changes what is there. */
  write(entry: NodeEntry, known: Known, thingArn: string, by: string, nowMs: number): Promise<void>
  /** Adds the facts that differ from what is known. @returns how many those were */
  tell(given: FactsGiven, known: Known, by: string, nowMs: number): Promise<number>
  /** Adds where a node stands from an instant on; null for nowhere. */
  assign(
    esp32Name: string,
    to: { classroom: string | null; fromMs: number },
    by: string,
    nowMs: number,
  ): Promise<void>
  /** Adds what became of a certificate of a node. */
  note(esp32Name: string, what: CertificateNote, by: string, nowMs: number): Promise<void>
  close(): void
}

/** What happened to a certificate, for whoever asks later which chip could speak for a node, and when. */
export interface CertificateNote {
  readonly event: 'issued' | 'replaced' | 'revoked'
  readonly certificateId: string
  readonly reason?: string
}

/** Opens the Nodes table of a stack. */
export function openRegistry(stack: Stack): Registry {
  const plain = new DynamoDBClient(stack.client('dynamodb'))
  const client = DynamoDBDocumentClient.from(plain, {
    marshallOptions: { removeUndefinedValues: true },
  })
  const table = stack.table('nodes')
  const nodes = nodeStore(client, table)
  const read = async (esp32Name: string): Promise<Known> => {
    const { registered, assignments, facts } = await nodes.get(esp32Name)
    return { isRegistered: registered, classroom: assignments.at(-1)?.classroom, facts }
  }
  /** True when the item was put, false when its key was taken. */
  const putOnce = async (item: Record<string, unknown>): Promise<boolean> => {
    try {
      const ConditionExpression = 'attribute_not_exists(kind)'
      await client.send(new PutCommand({ TableName: table, Item: item, ConditionExpression }))
      return true
    } catch (error) {
      if (conditionFailed(error)) return false
      throw error
    }
  }
  return {
    read,
    write: async (entry, known, thingArn, by, nowMs) => {
      const { esp32Name, classroom } = entry
      if (!known.isRegistered) await putOnce(nodeItem(entry, thingArn, nowMs))
      if (known.classroom === undefined && !(await putOnce(firstAssignment(entry, by, nowMs)))) {
        // Of two calls at once for different classrooms one must fail, and not in silence.
        const now = await read(esp32Name)
        if (now.classroom !== classroom) throw otherClassroom(esp32Name, now.classroom, classroom)
      }
      await Promise.all(changedFacts(entry, known.facts, by, nowMs).map(putOnce))
    },
    tell: async (given, known, by, nowMs) => {
      const facts = changedFacts(given, known.facts, by, nowMs)
      await Promise.all(facts.map(putOnce))
      return facts.length
    },
    assign: async (esp32Name, to, by, nowMs) => {
      if (!(await putOnce(assignment(esp32Name, to, by, nowMs)))) {
        throw new Failure(
          `somebody else assigned ${esp32Name} in this very moment; look, then repeat`,
        )
      }
    },
    note: async (esp32Name, { event, certificateId, reason }, by, nowMs) => {
      await putOnce({
        esp32_name: esp32Name,
        kind: `certificate#${certificateId}#${event}`,
        reason,
        at_ms: nowMs,
        recorded_by: by,
      })
    },
    close: () => plain.destroy(),
  }
}

/** A node stands in one classroom at a time; provisioning never moves it. */
export function otherClassroom(
  esp32Name: string,
  is: string | null | undefined,
  wanted: string,
): Failure {
  const stands = is === null ? 'was retired and is in no classroom' : `is assigned to "${is}"`
  return new Failure(
    `--classroom: ${esp32Name} ${stands}, not "${wanted}"; provisioning does not move a node, because a move needs the instant it happened: \`autovolt node move ${esp32Name} --to <classroom> --from <instant>\``,
  )
}

function nodeItem(entry: NodeEntry, thingArn: string, nowMs: number): Record<string, unknown> {
  const item = NodeItem.parse({
    esp32_name: entry.esp32Name,
    kind: 'node',
    created_at_ms: nowMs,
    thing_arn: thingArn,
  })
  if (entry.channels.length === 0) return item
  const channels = entry.channels.map((channel) => ({
    device_id: channel.device_id,
    rating_w: channel.ratingMw / 1000,
  }))
  return { ...item, channels }
}

/** The first assignment covers all earlier time, so it is from 0, whenever it was recorded. */
function firstAssignment(entry: NodeEntry, by: string, nowMs: number): Record<string, unknown> {
  return AssignmentItem.parse({
    esp32_name: entry.esp32Name,
    kind: 'assignment#0000',
    classroom: entry.classroom,
    from_at_ms: 0,
    recorded_at_ms: nowMs,
    recorded_by: by,
  })
}

/** A later assignment; without a classroom (and so without a place in the index) the node is retired. */
function assignment(
  esp32Name: string,
  { classroom, fromMs }: { classroom: string | null; fromMs: number },
  by: string,
  nowMs: number,
): Record<string, unknown> {
  const digits = (ms: number) => String(ms).padStart(13, '0')
  return AssignmentItem.parse({
    esp32_name: esp32Name,
    kind: `assignment#${digits(fromMs)}#${digits(nowMs)}`,
    ...(classroom !== null && { classroom }),
    from_at_ms: fromMs,
    recorded_at_ms: nowMs,
    recorded_by: by,
  })
}

/** Only what differs from the latest fact of its register, so that a second call adds nothing. */
function changedFacts(
  entry: FactsGiven,
  known: readonly Fact[],
  by: string,
  nowMs: number,
): Record<string, unknown>[] {
  const soon = known.length === 0 ? 0 : nowMs + UNTIL_KNOWN_MS
  // The order of recording numbers the facts, whatever the clock of this machine says.
  const recordedAtMs = known.reduce((ms, fact) => Math.max(ms, fact.recorded_at_ms + 1), nowMs)
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
    .map((fact) =>
      FactItem.parse({
        ...fact,
        esp32_name: entry.esp32Name,
        kind: `fact#${fact.device_id ?? '*'}#${String(recordedAtMs).padStart(13, '0')}`,
        effective_from_ms: entry.effectiveFromMs ?? soon,
        recorded_at_ms: recordedAtMs,
        recorded_by: by,
      }),
    )
    .filter((fact) => !isKnown(fact, known, entry.effectiveFromMs))
}

/**
 * True when each value the fact gives is what its register's latest facts say already, from the same
 * instant on where one was asked for.
 */
function isKnown(fact: Fact, known: readonly Fact[], fromMs: number | undefined): boolean {
  const own = known
    .filter((other) => other.device_id === fact.device_id)
    .sort((a, b) => b.recorded_at_ms - a.recorded_at_ms)
  const same = (field: 'rating_mw' | 'rollover_mwh') => {
    if (fact[field] === undefined) return true
    const latest = own.find((other) => other[field] !== undefined)
    if (latest === undefined || latest[field] !== fact[field]) return false
    return fromMs === undefined || latest.effective_from_ms === fromMs
  }
  return same('rating_mw') && same('rollover_mwh')
}
