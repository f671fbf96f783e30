import * as fc from 'fast-check'
import { type Reading, readingId } from '../../functions/domain/reading.ts'

/** 2026-01-15T06:00:00Z. */
export const START_MS = 1_768_456_800_000
/** How long after it was made a reading without a clock, or of a backlog, is received. */
const LATE_MS = 20_000_000
/** Where the meter of a wrapping life passes its maximum, in mWh. */
export const ROLLOVER_MWH = 400_000

const EVENTS = [
  ['on', 14],
  ['reset', 1],
  ['reset behind', 1],
  ['rollback', 1],
  ['restart', 1],
  ['drop', 1],
  ['zero', 1],
  ['spike', 1],
  ['jump', 1],
  ['bare', 1],
  ['states', 1],
  ['clock behind', 1],
  ['clock ahead', 1],
  ['clock lost', 2],
] as const
type Event = (typeof EVENTS)[number][0]

/** A step of a node's life as it may be seen: the counter goes on, jumps, falls back or begins anew. */
const step = fc.record({
  seconds: fc.integer({ min: 1, max: 4_000 }),
  powerMw: fc.integer({ min: 0, max: 3_000_000 }),
  event: fc.oneof(
    ...EVENTS.map(([event, weight]) => ({ weight, arbitrary: fc.constant<Event>(event) })),
  ),
  knowsPower: fc.boolean(),
  conflict: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
})

export const life = fc.record({
  /** What the node says of itself: epochs and sequence numbers, boots, uptimes. */
  says: fc.record({ epoch: fc.boolean(), boot: fc.boolean(), uptime: fc.boolean() }),
  /** Some of the readings come in a backlog that says so; what their clocks claim is not doubted then. */
  backlog: fc.boolean(),
  wraps: fc.boolean(),
  startMwh: fc.constantFrom<number[]>(0, 100_000, 380_000),
  /** A register that never shows a counter. */
  bare: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  /** Some lives are dense, so that what is looked up of the journal is only a part of it. */
  dense: fc.boolean(),
  steps: fc.array(step, { minLength: 1, maxLength: 120, size: 'max' }),
})
export type Life = typeof life extends fc.Arbitrary<infer T> ? T : never

/** The readings of a life, in the order they were made; conflicting claims beside the true ones. */
export function readingsOf(life: Life): Reading[] {
  const { says, wraps, startMwh, bare, dense, steps: raw } = life
  const readings: Reading[] = []
  const steps = dense ? raw.map((s) => ({ ...s, seconds: 1 + (s.seconds % 600) })) : raw
  let atMs = START_MS
  let energyMwh = startMwh
  let epoch = 7
  let seq = 0
  let boot = 0
  let bootAtMs = START_MS - 3_600_000
  steps.forEach((s, index) => {
    atMs += s.seconds * 1000
    const usedMwh = Math.floor((s.powerMw * s.seconds) / 3_600)
    energyMwh += usedMwh
    seq += 1
    if (['reset', 'reset behind', 'rollback', 'restart'].includes(s.event)) {
      boot += 1
      bootAtMs = atMs - Math.floor(s.seconds / 2) * 1000
    }
    if (s.event === 'reset' || s.event === 'reset behind') {
      // The next epoch's number says nothing of its order.
      epoch = (epoch * 7919) % 104_729
      energyMwh = Math.floor(usedMwh / 2)
      seq = 1
    }
    if (s.event === 'rollback' || s.event === 'drop') energyMwh = Math.floor(energyMwh * 0.9)
    if (s.event === 'jump') energyMwh += 90_000_000
    if (wraps && energyMwh >= ROLLOVER_MWH && s.event !== 'jump') energyMwh %= ROLLOVER_MWH
    const isBehind = s.event === 'clock behind' || s.event === 'reset behind'
    const shift = isBehind ? -5_000_000 : s.event === 'clock ahead' ? 290_000 : 0
    const seen = s.event === 'zero' ? 0 : s.event === 'spike' ? energyMwh + 5_000 : energyMwh
    const isLost = s.event === 'clock lost'
    const isReplayed = life.backlog && index % 5 < 2
    const lateMs = isLost || isReplayed ? LATE_MS : 0
    const hasNoCounter = bare || s.event === 'bare' || s.event === 'states'
    const make = (value: number, receivedAtMs: number, hash: string): Reading => {
      const fields = {
        epoch: says.epoch ? epoch : null,
        seq: says.epoch ? seq : null,
        atMs: isLost ? receivedAtMs + lateMs : atMs + shift,
        timeSource: isLost ? ('received' as const) : ('measured' as const),
        receivedAtMs: receivedAtMs + lateMs,
        energyMwh: hasNoCounter ? null : value,
        powerMw: s.event === 'states' || !s.knowsPower ? null : s.powerMw,
        on: null,
        bootId: says.boot ? `boot-${boot}` : null,
        uptimeS: says.uptime ? Math.floor((atMs - bootAtMs) / 1000) : null,
        channels: [
          { deviceId: 'fan', energyMwh: null, powerMw: null, on: index % 3 > 0, onTimeS: null },
        ],
        replayed: isReplayed,
        hash,
      }
      return { ...fields, id: readingId(fields) }
    }
    readings.push(make(seen, atMs + 1_000, `h${index}`))
    if (!s.conflict) return
    // Other content under the same identity, or the same content in a message received at another time.
    const receivedAtMs = atMs + 500 + (index % 2) * 1_000
    if (index % 4 < 2) readings.push(make(seen + 1, receivedAtMs, `c${index}`))
    else readings.push(make(seen, receivedAtMs, `h${index}`))
    // A third claim, whose receipt lies between those of the others or is that of one of them.
    if (index % 3 === 0) readings.push(make(seen + 2, atMs + 750 + (index % 5) * 250, `d${index}`))
  })
  return readings
}

/** A life, and one way its messages may come: shuffled, repeated, cut into batches. */
export const arrivals = life.chain((l) => {
  const readings = readingsOf(l)
  const doubled = [...readings, ...readings.filter((_, index) => index % 3 === 0)]
  return fc.record({
    life: fc.constant(l),
    readings: fc.constant(readings),
    arrival: fc.shuffledSubarray(doubled, { minLength: doubled.length }),
    /** A stream in order is the usual case, with only a few repeats at its end. */
    shuffled: fc.boolean(),
    cuts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }),
  })
})
