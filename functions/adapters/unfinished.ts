import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'

const Series = z.object({ energyMwh: z.array(z.int()), onTimeS: z.array(z.int()) })

/** A day of a register in a classroom, as far as its journal was read. */
const StoredDay = z.object({
  scope: z.object({
    classroom: z.string(),
    day: z.object({ date: z.string(), startMs: z.int(), endMs: z.int(), blocks: z.int() }),
    stretches: z.array(z.object({ fromMs: z.int(), toMs: z.int() })).readonly(),
  }),
  figures: z.object({
    onTimeS: z.array(z.int()),
    devices: z.array(z.tuple([z.string().nullable(), Series])).transform((all) => new Map(all)),
    quality: z.object({
      measuredMwh: z.int(),
      apportionedMwh: z.int(),
      estimatedMwh: z.int(),
      suspenseMwh: z.int(),
      coverageS: z.int(),
      gaps: z.int(),
      resets: z.int(),
    }),
    sequences: z
      .array(z.tuple([z.int(), z.object({ min: z.int(), max: z.int(), count: z.int() })]))
      .transform((all) => new Map(all)),
    readings: z.int(),
  }),
  throughN: z.int(),
})
export type UnfinishedDay = z.output<typeof StoredDay>

/** Where the days of a node's move were left, by a run that had no more time. */
const Unfinished = z.object({
  /** The assignments they are made by; other ones make it worthless. */
  stays: z.string(),
  from: z.string(),
  to: z.string(),
  /** Registers whose days are written. */
  done: z.array(z.string()),
  register: z.string(),
  /** The next entry to read. */
  next: z.int(),
})
export type Unfinished = z.infer<typeof Unfinished>

export interface UnfinishedStore {
  load(esp32Name: string): Promise<{ at: Unfinished; days: UnfinishedDay[] } | null>
  save(esp32Name: string, at: Unfinished, days: readonly UnfinishedDay[]): Promise<void>
}

const KIND = 'unfinished'
/** As many days as make an item of less than 400 KB, however many channels they have. */
const DAYS_A_PART = 20
/** What nobody goes on with is removed after that. */
const KEPT_S = 14 * 86_400

const Head = Unfinished.extend({ saved: z.string(), parts: z.int() })
const Part = z.object({ days: z.instanceof(Uint8Array<ArrayBufferLike>) })

/** Puts what was folded so far into items of their own, and then the one that names them. */
export function unfinishedStore(
  client: DynamoDBDocumentClient,
  table: string,
  now: () => number,
): UnfinishedStore {
  const put = (id: string, item: object) => {
    const expires_at = Math.floor(now() / 1_000) + KEPT_S
    const Item = { kind: KIND, id, ...item, expires_at }
    return client.send(new PutCommand({ TableName: table, Item }))
  }
  const get = async (id: string) => {
    const Key = { kind: KIND, id }
    return (await client.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }))).Item
  }
  const partId = (name: string, saved: string, part: number) => `${name}#${saved}#${part}`
  return {
    async load(esp32Name) {
      const item = await get(esp32Name)
      if (item === undefined) return null
      const { saved, parts, ...at } = Head.parse(item)
      const days: UnfinishedDay[] = []
      for (let part = 0; part < parts; part++) {
        const stored = await get(partId(esp32Name, saved, part))
        // Removed after its time, half before the other: begin anew.
        if (stored === undefined) return null
        days.push(...unpack(Part.parse(stored).days))
      }
      return { at, days }
    },
    async save(esp32Name, at, days) {
      const saved = `${at.next}-${now()}`
      let parts = 0
      for (let from = 0; from < days.length; from += DAYS_A_PART) {
        const packed = pack(days.slice(from, from + DAYS_A_PART))
        await put(partId(esp32Name, saved, parts), { days: packed })
        parts += 1
      }
      await put(esp32Name, { ...at, saved, parts })
    },
  }
}

const pack = (days: readonly UnfinishedDay[]) =>
  deflateRawSync(
    JSON.stringify(days, (_, value) => (value instanceof Map ? [...value.entries()] : value)),
  )

const unpack = (bytes: Uint8Array) =>
  z.array(StoredDay).parse(JSON.parse(inflateRawSync(bytes).toString()))
