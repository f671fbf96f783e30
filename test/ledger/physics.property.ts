import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { localDay } from '../../functions/domain/calendar.ts'
import { UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import type { Line } from '../../functions/domain/line.ts'
import { type Reading, readingId } from '../../functions/domain/reading.ts'
import { addEntry, blockTotals, emptyDay } from '../../functions/domain/rollup/figures.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 1_000)
const SEED = Number(process.env.PROPERTY_SEED ?? 20_260_115)
const START_MS = Date.UTC(2026, 0, 15, 6)

/**
 * A load with a known true energy, and a counter that shows it as counters do: in steps of its
 * resolution, wrapping, falling back to a checkpoint or beginning anew when the node restarts. Loads stay
 * between 500 and 1,500 W, so that what the ends of a silence show is within three times what it held.
 */
const moment = fc.record({
  seconds: fc.integer({ min: 20, max: 1_200 }),
  loadW: fc.integer({ min: 500, max: 1_500 }),
  event: fc.oneof(
    { weight: 16, arbitrary: fc.constant('on' as const) },
    { weight: 1, arbitrary: fc.constant('reset' as const) },
    { weight: 1, arbitrary: fc.constant('rollback' as const) },
    { weight: 2, arbitrary: fc.constant('lost' as const) },
    { weight: 1, arbitrary: fc.constant('zero' as const) },
    { weight: 1, arbitrary: fc.constant('high' as const) },
    { weight: 1, arbitrary: fc.constant('leap' as const) },
  ),
  lostPart: fc.integer({ min: 1, max: 9 }),
})
const model = fc.record({
  resolutionMwh: fc.constantFrom<number[]>(1, 1_000),
  rolloverMwh: fc.option(fc.constant(4_000_000)),
  moments: fc.array(moment, { minLength: 2, maxLength: 60, size: 'max' }),
})
type Model = typeof model extends fc.Arbitrary<infer T> ? T : never

/** Milliwatt-seconds, so that the truth of every moment is a whole number. */
function observe({ resolutionMwh, rolloverMwh, moments }: Model) {
  const readings: Reading[] = []
  const truthAt = new Map<string, number>()
  let atMs = START_MS
  let trueMws = 0
  let counterMws = (rolloverMwh === null ? 5_000 : rolloverMwh - 60_000) * 3_600
  let epoch = 1
  let seq = 0
  let boot = 0
  let bootAtMs = START_MS - 3_600_000
  /** Readings that never were true. */
  const odd = new Set<string>()
  /** Energy a restart cost the counter where the counter does not show it: it is above what was seen. */
  let hiddenMwh = 0
  let forgottenMws = 0
  let seenMwh = 0
  let leapt = false
  for (const { seconds, loadW, event, lostPart } of moments) {
    const restartedAtMs = atMs + Math.floor(seconds / 2) * 1000
    atMs += seconds * 1000
    trueMws += loadW * 1000 * seconds
    counterMws += loadW * 1000 * seconds
    seq += 1
    // A counter that wraps is a meter's own, which no checkpoint of the node can set back.
    // And what a counter that leapt falls back to may look true again, which no rule can tell.
    const fallsBack = event === 'rollback' && rolloverMwh === null && !leapt
    if (event === 'reset' || fallsBack) {
      boot += 1
      bootAtMs = restartedAtMs
      const sinceMws = loadW * 1000 * (seconds - Math.floor(seconds / 2))
      if (event === 'reset') {
        epoch += 1
        counterMws = sinceMws
      } else {
        forgottenMws += counterMws
        counterMws = Math.floor((counterMws * lostPart) / 10)
        forgottenMws -= counterMws
      }
    }
    // A counter that shows far more than can have flowed, and keeps doing so. One that wraps could land
    // anywhere, which no rule can tell from a true value.
    if (event === 'leap' && rolloverMwh === null) leapt = true
    if (event === 'leap' && rolloverMwh === null) counterMws += 80_000_000 * 3_600
    if (event === 'lost') continue
    let valueMwh = Math.floor(counterMws / 3_600)
    valueMwh -= valueMwh % resolutionMwh
    if (rolloverMwh !== null) valueMwh %= rolloverMwh
    // Near its maximum, a meter that wraps shows a true zero; no rule can tell it from a false one.
    const isOdd = event === 'high' || (event === 'zero' && rolloverMwh === null)
    if (!isOdd) {
      if (valueMwh >= seenMwh) hiddenMwh += forgottenMws / 3_600
      forgottenMws = 0
      seenMwh = valueMwh
    }
    if (isOdd && event === 'zero') valueMwh = 0
    if (event === 'high') valueMwh += 80_000_000
    const fields = {
      epoch,
      seq,
      atMs,
      timeSource: 'measured' as const,
      receivedAtMs: atMs + 1_000,
      energyMwh: valueMwh,
      powerMw: loadW * 1000,
      on: true,
      bootId: String(boot),
      uptimeS: Math.floor((atMs - bootAtMs) / 1000),
      channels: [],
      replayed: false,
      hash: String(seq),
    }
    const id = readingId(fields)
    readings.push({ ...fields, id })
    truthAt.set(id, trueMws / 3_600)
    if (isOdd) odd.add(id)
  }
  return { readings, truthAt, odd, hiddenMwh }
}

const met: Record<string, number> = {
  measured: 0,
  reset: 0,
  estimate: 0,
  suspense: 0,
  rollback: 0,
  rollover: 0,
  set_aside: 0,
}
const sumOf = (lines: readonly Line[], ...kinds: string[]) =>
  lines.filter((l) => kinds.includes(l.kind)).reduce((sum, l) => sum + l.energyMwh, 0)

test('what is measured never exceeds the truth, and the truth lies within what is said of the rest', () => {
  fc.assert(
    fc.property(model, (m) => {
      const { readings, truthAt, odd, hiddenMwh } = observe(m)
      const facts = [{ ...UNKNOWN_FACTS, rolloverMwh: m.rolloverMwh }]
      const lines = intervals(readings, facts)
      for (const line of lines) {
        for (const name of [line.kind, ...line.flags])
          if (name in met) met[name] = (met[name] ?? 0) + 1
      }
      const [first] = readings
      const stood = lines.flatMap((line) => line.between)
      const last = readings.findLast((reading) => stood.includes(reading.id))
      if (first === undefined || last === undefined) return
      // A first reading that is odd opens the register at a value that was never true.
      if (odd.has(first.id) || odd.has(last.id)) return
      const truthMwh = (truthAt.get(last.id) ?? 0) - (truthAt.get(first.id) ?? 0)
      const measured = sumOf(lines, 'measured', 'reset')
      // One resolution for each life of the counter: each begins and ends between two steps.
      const lives =
        1 +
        lines.filter((l) => l.flags.includes('post_reset') || l.flags.includes('rollback')).length
      const blur = m.resolutionMwh * lives
      expect(measured).toBeLessThanOrEqual(truthMwh + blur)
      const most =
        lines.reduce((sum, l) => sum + (l.bounds?.[1] ?? 0), 0) + sumOf(lines, 'suspense')
      expect(measured + most).toBeGreaterThanOrEqual(truthMwh - hiddenMwh - blur)
    }),
    { numRuns: RUNS, seed: SEED },
  )
}, 3_600_000)

test('within a stretch of one counter, measured, estimated and suspended energy are what it shows', () => {
  fc.assert(
    fc.property(model, (m) => {
      const { readings } = observe(m)
      const lines = intervals(readings, [{ ...UNKNOWN_FACTS, rolloverMwh: m.rolloverMwh }])
      const byId = new Map(readings.map((r) => [r.id, r.energyMwh ?? 0]))
      let startMwh: number | null = null
      let creditedMwh = 0
      for (const line of lines) {
        const [from, to] = line.between.map((id) => byId.get(id) ?? 0) as [number, number]
        const breaks =
          line.flags.includes('rollback') ||
          line.flags.includes('post_reset') ||
          (line.flags.includes('gap') && line.kind === 'estimate')
        if (breaks) {
          startMwh = null
          creditedMwh = 0
          continue
        }
        startMwh ??= from
        creditedMwh += line.energyMwh
        const wrapped = line.flags.includes('rollover') ? (m.rolloverMwh ?? 0) : 0
        startMwh -= wrapped
        // A jump is an estimate and a suspense line between the same two readings; both must be in.
        if (line.kind === 'estimate') continue
        expect(creditedMwh).toBe(to - startMwh)
      }
    }),
    { numRuns: RUNS, seed: SEED },
  )
}, 3_600_000)

test('every line lies between its readings, and its blocks add up to it', () => {
  fc.assert(
    fc.property(model, (m) => {
      const { readings } = observe(m)
      const lines = intervals(readings, [{ ...UNKNOWN_FACTS, rolloverMwh: m.rolloverMwh }])
      const times = new Map(readings.map((r) => [r.id, r.atMs]))
      for (const line of lines) {
        expect(line.fromMs).toBeGreaterThanOrEqual(times.get(line.between[0]) ?? Number.NaN)
        expect(line.toMs).toBeLessThanOrEqual(times.get(line.between[1]) ?? Number.NaN)
        expect(line.fromMs).toBeLessThanOrEqual(line.toMs)
      }
      let blocksMwh = 0
      for (const date of ['2026-01-15', '2026-01-16', '2026-01-17']) {
        const day = localDay(date, 'Asia/Kolkata')
        const figures = emptyDay(day.blocks)
        const stretches = [{ fromMs: day.startMs, toMs: day.endMs }]
        addEntry(figures, { lines, readings: [] }, { day, stretches })
        blocksMwh += blockTotals(figures).reduce((sum, mwh) => sum + mwh, 0)
        expect(Math.min(...blockTotals(figures))).toBeGreaterThanOrEqual(0)
      }
      expect(blocksMwh).toBe(sumOf(lines, 'measured', 'reset', 'estimate'))
    }),
    { numRuns: RUNS, seed: SEED },
  )
}, 3_600_000)

afterAll(() => {
  console.log(`physics: seed ${SEED}, ${RUNS} runs; cases met: ${JSON.stringify(met)}`)
  expect(Object.entries(met).filter(([, times]) => times === 0)).toEqual([])
})
