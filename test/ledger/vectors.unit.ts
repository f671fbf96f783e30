import { describe, expect, test } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { localDay } from '../../functions/domain/calendar.ts'
import { fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import type { Reading } from '../../functions/domain/reading.ts'
import { cut } from '../../functions/domain/rollup/cut.ts'
import { book } from '../../functions/ledger/book.ts'
import { counterProblems } from '../../functions/verify/counters.ts'
import { memoryJournal } from './memory-journal.ts'
import { factsOf, orders, readingsOf, type Vector, vectors } from './vectors.ts'

/** Books the readings one by one in this order, and says what the ledger then says. */
async function outcome(vector: Vector, arrival: readonly Reading[]) {
  const journal = memoryJournal()
  const facts = factsOf(vector)
  let conflicts = 0
  for (const reading of arrival) {
    const booked = await book('node', [reading], {
      journal,
      facts: async () => facts,
      now: () => 0,
    })
    conflicts += booked.conflicts.length
  }
  const entries = journal.stored.map(fromItem)
  const { lines, readings } = fold(entries)
  const pending = entries.at(-1)?.state.walk.pending.length ?? 0
  const stoodOn = new Set(lines.flatMap((line) => line.between))
  const counters = readings.filter((reading) => reading.energyMwh !== null)
  const opened = stoodOn.size === 0 ? 1 : 0
  return {
    lines,
    readings,
    conflicts,
    pending,
    setAside: counters.filter((r) => !stoodOn.has(r.id)).length - pending - opened,
  }
}

const wh = (lines: readonly Line[], ...kinds: string[]) =>
  lines.filter((l) => kinds.includes(l.kind)).reduce((sum, l) => sum + l.energyMwh, 0) / 1000

function check(vector: Vector, got: Awaited<ReturnType<typeof outcome>>): void {
  const { expect: want } = vector
  const { lines } = got
  const measured = wh(lines, 'measured', 'reset')
  const estimated = wh(lines, 'estimate')
  const suspense = wh(lines, 'suspense')
  const within = (value: number, range: [number, number] | undefined) => {
    if (range === undefined) return
    expect(value).toBeGreaterThanOrEqual(range[0])
    expect(value).toBeLessThanOrEqual(range[1])
  }
  if (want.measuredWh !== undefined) expect(measured).toBe(want.measuredWh)
  if (want.measuredAtLeastWh !== undefined)
    expect(measured).toBeGreaterThanOrEqual(want.measuredAtLeastWh)
  within(estimated, want.estimatedWh)
  within(measured + estimated, want.measuredPlusEstimatedWh)
  if (want.suspensePlusEstimatedWh !== undefined)
    expect(suspense + estimated).toBeCloseTo(want.suspensePlusEstimatedWh, 6)
  if (want.suspenseWh !== undefined) expect(suspense).toBe(want.suspenseWh)
  if (want.setAside !== undefined) expect(got.setAside).toBe(want.setAside)
  if (want.pending !== undefined) expect(got.pending).toBe(want.pending)
  if (want.lines !== undefined) expect(lines).toHaveLength(want.lines)
  if (want.conflicts !== undefined) expect(got.conflicts).toBe(want.conflicts)
  if (want.tickets !== undefined)
    expect(lines.filter((l) => l.kind === 'suspense')).toHaveLength(want.tickets)
  if (want.resets !== undefined) {
    expect(lines.filter((l) => l.flags.includes('post_reset'))).toHaveLength(want.resets)
  }
  for (const [date, dayWh] of Object.entries(want.days ?? {})) {
    const day = localDay(date, 'Asia/Kolkata')
    const parts = lines.map((line) => cut(line, day.startMs, day.endMs)?.energyMwh ?? 0)
    expect(parts.reduce((a, b) => a + b, 0) / 1000).toBe(dayWh)
  }
  for (const line of lines.filter((l) => l.bounds))
    within(line.energyMwh, line.bounds as [number, number])
  expect(counterProblems(lines, got.readings)).toEqual([])
}

describe.each(['ledger-vectors.json', 'more-vectors.json'])('%s', (file) => {
  test.each(vectors(file).map((v) => [v.name, v] as const))(
    '%s',
    async (_name, vector) => {
      const readings = readingsOf(vector)
      const first = await outcome(vector, readings)
      check(vector, first)
      if (vector.orderMatters !== undefined) return
      const effective = first.lines.map(lineIdentity).sort()
      for (const arrival of orders(readings)) {
        const again = await outcome(vector, [...arrival, ...arrival.slice(0, 2)])
        expect(again.lines.map(lineIdentity).sort()).toEqual(effective)
      }
    },
    120_000,
  )
})
