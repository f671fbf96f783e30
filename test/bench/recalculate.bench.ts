/**
 * How long a recalculation takes: a classroom of 10 nodes over a year, and a campus of 300 nodes over a
 * month, by a tariff with three bands and duty. The worker runs in this process over the real engine;
 * every item is restated with its history, and the months are summed up anew.
 *
 * Run: `node test/bench/recalculate.bench.ts`
 */

import { datesOf } from '../../functions/recalculate/pieces.ts'
import { work } from '../../functions/recalculate/work.ts'
import { type Campus, campusOn, type SeededDay } from '../recalculate/campus.ts'
import { workingDay } from './seeded-days.ts'
import { startTables } from './tables.ts'

const NODES_A_ROOM = 10
const ORDERED = Date.parse('2026-02-05T10:00:00+05:30')
const BANDS = [
  { fromMinute: 0, toMinute: 540, energyMicroPerKwh: 7_250_000 },
  { fromMinute: 540, toMinute: 1_080, energyMicroPerKwh: 5_800_000 },
  { fromMinute: 1_080, toMinute: 1_440, energyMicroPerKwh: 8_700_000 },
]
const VARIANTS = Array.from({ length: 50 }, (_, seed) => workingDay(seed))

interface Case {
  readonly title: string
  readonly rooms: number
  readonly fromDate: string
  readonly toDate: string
}
const CASES: readonly Case[] = [
  { title: 'a classroom-year (10 nodes)', rooms: 1, fromDate: '2025-01-01', toDate: '2025-12-31' },
  { title: 'a campus-month (300 nodes)', rooms: 30, fromDate: '2026-01-01', toDate: '2026-01-31' },
]

for (const one of CASES) {
  await using tables = await startTables()
  const campus = campusOn(tables)
  const days = await seed(campus, one)
  await campus.tariff({
    id: 'bands',
    correction: 2,
    bands: BANDS,
    dutyPpm: 62_500,
    surchargeMicroPerKwh: 100_000,
    recordedAtMs: ORDERED - 1,
  })
  for (const dryRun of [true, false]) {
    const { fromDate, toDate } = one
    const id = await campus.order({ asOfMs: ORDERED, fromDate, toDate, dryRun })
    const before = units(tables.touched())
    const startedAt = performance.now()
    const left = await work(id, campus.ports(ORDERED + 1))
    const seconds = (performance.now() - startedAt) / 1_000
    const job = await campus.jobs.get(id)
    if (left !== 'done' || job?.result?.items !== days) {
      throw new Error(`${left}: ${job?.result?.items} of ${days} items`)
    }
    const after = units(tables.touched())
    console.log(
      `${one.title}${dryRun ? ', dry run' : ''}: ${days} items, ${job.result.months} months in ` +
        `${seconds.toFixed(1)} s, ${Math.round(days / seconds)} items/s; ` +
        `${after.read - before.read} read and ${after.written - before.written} write units`,
    )
  }
}

async function seed(campus: Campus, { rooms, fromDate, toDate }: Case): Promise<number> {
  const dates = datesOf({ fromDate, toDate })
  await campus.tariff({ id: 'flat', recordedAtMs: 0 })
  const days: SeededDay[] = []
  for (let room = 0; room < rooms; room++) {
    const classroom = `Room ${String(room).padStart(2, '0')}`
    for (const date of dates) {
      for (let node = 0; node < NODES_A_ROOM; node++) {
        const register = `esp32-${room * NODES_A_ROOM + node}`
        const figures = VARIANTS[days.length % VARIANTS.length] as SeededDay['figures']
        days.push({ classroom, date, register, figures })
      }
    }
    for (const month of new Set(dates.map((date) => date.slice(0, 7)))) {
      const own = days.filter((day) => day.classroom === classroom && day.date.startsWith(month))
      await campus.close(own)
      await campus.closeMonth(classroom, month, ORDERED - 86_400_000)
    }
  }
  return days.length
}

function units(touched: Record<string, { read: number; written: number }>) {
  const all = Object.values(touched)
  return {
    read: all.reduce((sum, { read }) => sum + read, 0),
    written: all.reduce((sum, { written }) => sum + written, 0),
  }
}
