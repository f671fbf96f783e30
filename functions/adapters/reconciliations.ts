import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { Written } from './anchors.ts'
import { conditionFailed } from './dynamo.ts'

const count = z.int().min(0)

/** What of the window was proved: readings accepted, booked and quarantined, and what is in suspense. */
export const Proof = z.object({
  registers: count,
  readings_accepted: count,
  readings_booked: count,
  readings_unbooked: count,
  messages_quarantined: count,
  /** Raw events that cannot be opened; runs of former versions did not count them. */
  messages_unreadable: count.default(0),
  suspense_lines: count,
  suspense_mwh: z.int(),
  entries_walked: count,
  days_compared: count,
})
export type Proof = z.infer<typeof Proof>

/** A repair that a run has made, by driving readings through the ledger or by rebuilding. */
export const Repair = z.object({
  rule: z.string(),
  register: z.string(),
  window: z.string(),
  /** What was done, in a sentence. */
  done: z.string(),
})
export type Repair = z.infer<typeof Repair>

const Finding = z.object({
  rule: z.string(),
  register: z.string(),
  window: z.string(),
  from_ms: z.int().nullable(),
  severity: z.string(),
  evidence: z.record(z.string(), z.unknown()),
})

/** Tickets of one rule and severity that a run opened: an item holds no name for each of thousands. */
export const Opened = z.object({
  rule: z.string(),
  severity: z.string(),
  /** Pieces of former versions have an element for each ticket. */
  count: count.default(1),
  /** Those of the first. */
  registers: z.array(z.string()).default([]),
})
export type Opened = z.infer<typeof Opened>

/** What came of a piece of a run. */
export const PieceResult = z.object({
  proof: Proof,
  /** Findings by rule, those that open no ticket included. */
  checks: z.record(z.string(), count),
  repairs: z.array(Repair),
  opened: z.array(Opened),
  closed: z.int(),
  /** Tickets of its nodes that are not resolved, old and new. */
  open: count,
  restated_days: count,
  resends: count,
  failures: z.array(z.object({ esp32_name: z.string(), error: z.string() })),
  /** Findings that concern more than a node: they are told once, at the end. */
  site: z.array(Finding),
  /** Of the object that holds the heads of its chains; null where the piece is a sum of others. */
  anchors_sha256: z.string().nullable(),
})
export type PieceResult = z.infer<typeof PieceResult>

/** A part of a run: some nodes with all their registers. */
export interface Piece {
  readonly index: number
  readonly nodes: readonly string[]
  /** Null until it is done. */
  readonly result: PieceResult | null
}

/** `planning` → `running` → `done`, or `failed` when some nodes could not be looked at. */
export const RUN_STATUSES = ['planning', 'running', 'done', 'failed'] as const

/** A run as it is stored and shown. */
export const Run = z.object({
  id: z.string(),
  run_id: z.string(),
  status: z.literal(RUN_STATUSES),
  revision: count,
  requested_by: z.string(),
  started_at_ms: z.int(),
  finished_at_ms: z.int().nullable(),
  duration_ms: z.int().nullable(),
  /** Local days looked at, both included; lines posted since the last run reach further back. */
  from_date: z.string(),
  to_date: z.string(),
  nodes: count,
  pieces: count,
  proof: Proof.nullable(),
  checks: z.record(z.string(), count),
  repairs: count,
  repaired: z.array(Repair),
  tickets_opened: count,
  tickets_closed: count,
  restated_days: count,
  resends: count,
  failures: z.array(z.object({ esp32_name: z.string(), error: z.string() })),
  error: z.string().nullable(),
  /** The manifest whose anchors it compares with; null where none can be believed. */
  compares_with: Written.nullable().default(null),
  /** The manifest of the run's anchors, as it is written; told before it is put. */
  manifest: Written.nullable().default(null),
  /** What is still to be given out of a run that is over; null once that was done. */
  untold: z
    .object({
      /** The message to people; null where the figures are all. */
      notice: z.object({ subject: z.string(), message: z.string() }).nullable(),
      /** Whoever was to tell has died if it is not told by then. */
      until_ms: z.int(),
      /** How often it was tried, the try under way included. */
      attempts: count.default(1),
      /** The figures are out: a further try gives only the notice. */
      measured: z.boolean().default(false),
    })
    .nullable()
    .default(null),
  /** The message to people that could not be sent however often it was tried, and why. */
  not_told: z
    .object({ subject: z.string(), message: z.string(), error: z.string() })
    .nullable()
    .default(null),
})
export type Run = z.infer<typeof Run>

const StoredPiece = z.object({
  index: count,
  nodes: z.array(z.string()),
  result: PieceResult.nullable(),
})

export interface ReconciliationStore {
  get(runId: string): Promise<Run | null>
  /** Puts a run nobody has put. @returns false when somebody has */
  create(run: Run): Promise<boolean>
  /** Writes the run as the revision after the one it was made from. @returns false when that is gone */
  save(run: Run): Promise<boolean>
  /** The newest runs first. */
  recent(limit: number): Promise<Run[]>
  /** Plans a piece; one that is done stays as it is. */
  plan(runId: string, piece: Piece): Promise<void>
  piece(runId: string, index: number): Promise<Piece | null>
  pieces(runId: string): AsyncGenerator<Piece>
  /** Keeps what came of a piece; of two workers the first is believed. */
  finish(runId: string, piece: Piece): Promise<void>
}

const KIND = 'run'
const runKey = (runId: string) => `reconcile#${runId}`
const piecesOf = (runId: string) => `reconcile#${runId}`
const pieceId = (index: number) => `piece#${String(index).padStart(7, '0')}`

export function reconciliationStore(
  client: DynamoDBDocumentClient,
  table: string,
): ReconciliationStore {
  const put = async (Item: Record<string, unknown>, condition: object) => {
    try {
      await client.send(new PutCommand({ TableName: table, Item, ...condition }))
      return true
    } catch (error) {
      if (conditionFailed(error)) return false
      throw error
    }
  }
  const isNew = { ConditionExpression: 'attribute_not_exists(id)' }
  const isOpen = {
    ConditionExpression: 'attribute_not_exists(id) OR #result = :none',
    ExpressionAttributeNames: { '#result': 'result' },
    ExpressionAttributeValues: { ':none': null },
  }
  const pieceItem = (runId: string, piece: Piece) => ({
    kind: piecesOf(runId),
    id: pieceId(piece.index),
    ...piece,
  })
  return {
    async get(runId) {
      const Key = { kind: KIND, id: runKey(runId) }
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key, ConsistentRead: true }),
      )
      return Item === undefined ? null : Run.parse(Item)
    },
    create: (run) => put({ kind: KIND, ...run, id: runKey(run.run_id) }, isNew),
    save: (run) =>
      put(
        { kind: KIND, ...run, id: runKey(run.run_id) },
        {
          ConditionExpression: 'revision = :previous',
          ExpressionAttributeValues: { ':previous': run.revision - 1 },
        },
      ),
    async recent(limit) {
      const { Items } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'kind = :kind AND begins_with(id, :prefix)',
          ExpressionAttributeValues: { ':kind': KIND, ':prefix': runKey('') },
          ScanIndexForward: false,
          ConsistentRead: true,
          Limit: limit,
        }),
      )
      return (Items ?? []).map((item) => Run.parse(item))
    },
    async plan(runId, piece) {
      await put(pieceItem(runId, piece), isOpen)
    },
    async piece(runId, index) {
      const Key = { kind: piecesOf(runId), id: pieceId(index) }
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key, ConsistentRead: true }),
      )
      return Item === undefined ? null : StoredPiece.parse(Item)
    },
    async *pieces(runId) {
      let start: Record<string, unknown> | undefined
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'kind = :kind',
            ExpressionAttributeValues: { ':kind': piecesOf(runId) },
            ConsistentRead: true,
            ExclusiveStartKey: start,
          }),
        )
        for (const item of page.Items ?? []) yield StoredPiece.parse(item)
        start = page.LastEvaluatedKey
      } while (start !== undefined)
    },
    async finish(runId, piece) {
      await put(pieceItem(runId, piece), isOpen)
    },
  }
}
