import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { type DatedFacts, UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { type Reading, readingId } from '../../functions/domain/reading.ts'

const VectorReading = z.strictObject({
  t: z.number(),
  wh: z.number().nullable(),
  w: z.number().optional(),
  up: z.int().optional(),
  seq: z.int().optional(),
  boot: z.string().optional(),
  epoch: z.int().optional(),
  /** Receipt, in seconds as `t`; some hours after the start when it does not matter. */
  rec: z.number().optional(),
  replayed: z.boolean().optional(),
  on: z.record(z.string(), z.boolean()).optional(),
})

const Vector = z.strictObject({
  name: z.string(),
  start: z.iso.datetime().default('2026-01-15T06:00:00Z'),
  ratingW: z.number().default(5000),
  rolloverWh: z.number().optional(),
  channelRatingW: z.record(z.string(), z.number()).default({}),
  orderMatters: z.string().optional(),
  readings: z.array(VectorReading),
  expect: z.strictObject({
    measuredWh: z.number().optional(),
    measuredAtLeastWh: z.number().optional(),
    estimatedWh: z.tuple([z.number(), z.number()]).optional(),
    measuredPlusEstimatedWh: z.tuple([z.number(), z.number()]).optional(),
    suspensePlusEstimatedWh: z.number().optional(),
    suspenseWh: z.number().optional(),
    setAside: z.int().optional(),
    pending: z.int().optional(),
    resets: z.int().optional(),
    conflicts: z.int().optional(),
    tickets: z.int().optional(),
    lines: z.int().optional(),
    days: z.record(z.string(), z.number()).optional(),
  }),
})
export type Vector = z.infer<typeof Vector>

export function vectors(file: string): Vector[] {
  const text = readFileSync(new URL(`../fixtures/vectors/${file}`, import.meta.url), 'utf8')
  return z.object({ vectors: z.array(Vector) }).parse(JSON.parse(text)).vectors
}

/** The readings of a vector in its order of arrival; each carries its own receipt, as it would on the wire. */
export function readingsOf(vector: Vector): Reading[] {
  const startMs = Date.parse(vector.start)
  return vector.readings.map((r, index) => {
    const atMs = startMs + r.t * 1000
    const fields = {
      epoch: r.epoch ?? null,
      seq: r.seq ?? null,
      atMs,
      timeSource: 'measured' as const,
      receivedAtMs: r.rec === undefined ? startMs + 10_000_000 + index : startMs + r.rec * 1000,
      energyMwh: r.wh === null ? null : Math.round(r.wh * 1000),
      powerMw: r.w === undefined ? null : Math.round(r.w * 1000),
      on: null,
      bootId: r.boot ?? null,
      uptimeS: r.up ?? null,
      channels: Object.entries(r.on ?? {}).map(([deviceId, on]) => ({
        deviceId,
        energyMwh: null,
        powerMw: null,
        on,
        onTimeS: null,
      })),
      replayed: r.replayed ?? false,
      hash: `${r.t}/${r.wh}/${r.w}/${r.seq}`,
    }
    return { ...fields, id: readingId(fields) }
  })
}

export function factsOf(vector: Vector): DatedFacts[] {
  const channelRatingMw = new Map(
    Object.entries(vector.channelRatingW).map(([id, w]) => [id, w * 1000]),
  )
  const rolloverMwh = vector.rolloverWh === undefined ? null : vector.rolloverWh * 1000
  return [{ ...UNKNOWN_FACTS, ratingMw: vector.ratingW * 1000, rolloverMwh, channelRatingMw }]
}

/** All orders for up to 6 readings, 200 seeded shuffles above. */
export function orders<T>(items: readonly T[]): T[][] {
  if (items.length <= 6) return permutations(items)
  let seed = 20_260_115
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed / 2_147_483_648
  }
  return Array.from({ length: 200 }, () => {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      const held = shuffled[i] as T
      shuffled[i] = shuffled[j] as T
      shuffled[j] = held
    }
    return shuffled
  })
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]]
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  )
}
