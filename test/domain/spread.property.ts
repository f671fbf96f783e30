import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localDay } from '../../functions/domain/calendar.ts'
import { emptyDay } from '../../functions/domain/rollup/figures.ts'
import { priceDay, spreadCost } from '../../functions/domain/tariff/price.ts'
import { priceSegments } from '../../functions/domain/tariff/resolve.ts'
import type { TariffVersion } from '../../functions/domain/tariff/version.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 300)

/** Days of 92, 94, 96, 98 and 100 blocks. */
const DAYS: [string, string][] = [
  ['2026-01-15', 'Asia/Kolkata'],
  ['2026-03-29', 'Europe/Berlin'],
  ['2026-11-01', 'America/New_York'],
  ['2026-10-04', 'Australia/Lord_Howe'],
  ['2026-04-05', 'Australia/Lord_Howe'],
]
const price = fc.integer({ min: 0, max: 20_000_000 })

test('blocks and devices each add up to the cost of the day, and energy is priced or unpriced', () => {
  const seed = Number(process.env.PROPERTY_SEED ?? 20_260_115)
  fc.assert(
    fc.property(
      fc.constantFrom(...DAYS),
      fc.array(
        fc.tuple(
          fc.integer({ min: -3_600, max: 90_000 }),
          price,
          price,
          fc.integer({ min: 0, max: 300_000 }),
        ),
        {
          maxLength: 5,
        },
      ),
      fc.tuple(fc.integer({ min: 1, max: 1_439 }), price, price),
      fc.array(fc.tuple(fc.nat(101), fc.constantFrom('fan', 'light', null), fc.nat(2_000_000)), {
        maxLength: 30,
      }),
      fc.tuple(fc.nat(86_000), fc.nat(86_000)),
      ([date, zone], starts, [edge, night, noon], uses, [left, back]) => {
        const day = localDay(date, zone)
        const versions = starts.map(
          ([atS, perKwh, surcharge, dutyPpm], index): TariffVersion => ({
            ...{ id: `t${index}`, classroom: null, recordedAtMs: index },
            ...{ effectiveFromMs: day.startMs + atS * 1_000, energyMicroPerKwh: perKwh },
            ...{ surchargeMicroPerKwh: surcharge, dutyPpm },
            bands:
              index % 2 === 0
                ? []
                : [
                    { fromMinute: 0, toMinute: edge, energyMicroPerKwh: night },
                    { fromMinute: edge, toMinute: 1_440, energyMicroPerKwh: noon },
                  ],
          }),
        )
        // The node was away in between, and may have come back in the same block.
        const [goneMs, backMs] = [left, back]
          .sort((a, b) => a - b)
          .map((s) => day.startMs + s * 1_000) as [number, number]
        const scope = {
          day,
          stretches: [
            { fromMs: day.startMs, toMs: goneMs },
            { fromMs: backMs, toMs: day.endMs },
          ].filter(({ fromMs, toMs }) => fromMs < toMs),
        }
        const figures = emptyDay(day.blocks)
        for (const id of ['fan', 'light']) {
          figures.devices.set(id, {
            energyMwh: figures.onTimeS.map(() => 0),
            onTimeS: figures.onTimeS.map(() => 0),
          })
        }
        let used = 0
        for (const [at, id, mwh] of uses) {
          const series = figures.devices.get(id)?.energyMwh as number[]
          const block = at % day.blocks
          series[block] = (series[block] as number) + mwh
          used += mwh
        }
        const totals = figures.onTimeS.map((_, block) =>
          [...figures.devices.values()].reduce(
            (all, one) => all + (one.energyMwh[block] as number),
            0,
          ),
        )
        const segments = priceSegments(versions, 'A1', day, zone, Number.MAX_SAFE_INTEGER)
        expect(segments[0]?.fromMs).toBe(day.startMs)
        expect(segments.at(-1)?.toMs).toBe(day.endMs)
        segments.forEach((segment, at) => {
          if (at > 0) expect(segment.fromMs).toBe(segments[at - 1]?.toMs)
        })
        const cost = priceDay(totals, scope, segments)
        const priced = cost.byVersion.reduce((all, one) => all + one.energyMwh, 0)
        expect(priced + cost.unpricedMwh).toBe(used)
        const whole = cost.byVersion.reduce((all, one) => all + one.costMicro, 0)
        const { blocks, devices } = spreadCost(figures, scope, segments, cost)
        expect(blocks.reduce((all, one) => all + one, 0)).toBe(whole)
        expect([...devices.values()].reduce((all, one) => all + one, 0)).toBe(whole)
        expect([...blocks, ...devices.values()].every((part) => part >= 0)).toBe(true)
        // What used nothing costs nothing.
        blocks.forEach((micro, block) => {
          if (totals[block] === 0) expect(micro).toBe(0)
        })
        for (const [id, micro] of devices) {
          if (figures.devices.get(id)?.energyMwh.every((mwh) => mwh === 0)) expect(micro).toBe(0)
        }
      },
    ),
    { numRuns: RUNS, seed },
  )
  console.log(`spread: seed ${seed}, ${RUNS} runs`)
})
