import type { ControlStore } from '../adapters/control.ts'
import { standingAt } from './former.ts'
import {
  type DayTotal,
  type PricedDay,
  priced,
  type ReadPorts,
  startReading,
  withOpenDays,
} from './fresh.ts'
import { inTurn } from './in-turn.ts'

export interface CampusPorts extends ReadPorts {
  readonly control: Pick<ControlStore, 'lastRollup'>
}

export interface CampusOptions {
  /** Only these. @default every classroom that has a day item */
  readonly classrooms?: readonly string[] | undefined
  /** As in `ReadOptions`. */
  readonly asOfMs?: number | undefined
}

/** Figures of all classrooms as far as they are rolled up, and when that was. */
export interface Campus<T> {
  readonly days: T[]
  /** The last rollup; null when there was none. */
  readonly rolledAtMs: number | null
}

/** The days of all classrooms, from and to local dates, both included. No tail is read. */
export async function campusDays(
  fromDate: string,
  toDate: string,
  ports: CampusPorts,
  options: CampusOptions = {},
): Promise<Campus<PricedDay>> {
  return ofEach(ports, options, async (classroom, reading) => {
    const items =
      options.asOfMs === undefined
        ? await ports.rollups.days(classroom, fromDate, toDate)
        : await standingAt(options.asOfMs, classroom, fromDate, toDate, ports.rollups)
    return priced(items, reading)
  })
}

/** The same without blocks. */
export async function campusTotals(
  fromDate: string,
  toDate: string,
  ports: CampusPorts,
  options: CampusOptions = {},
): Promise<Campus<DayTotal>> {
  if (options.asOfMs !== undefined) return campusDays(fromDate, toDate, ports, options)
  return ofEach(ports, options, async (classroom, reading) => {
    const totals = await ports.rollups.totals(classroom, fromDate, toDate)
    return withOpenDays(classroom, totals, [], reading, ports)
  })
}

async function ofEach<T>(
  ports: CampusPorts,
  options: CampusOptions,
  read: (classroom: string, reading: Awaited<ReturnType<typeof startReading>>) => Promise<T[]>,
): Promise<Campus<T>> {
  const rolled = await ports.control.lastRollup()
  const started = await startReading(ports)
  const reading = { ...started, asOfMs: options.asOfMs ?? started.asOfMs }
  const known = await ports.rollups.classrooms()
  const { classrooms } = options
  const asked = classrooms === undefined ? known : known.filter((one) => classrooms.includes(one))
  const days = await inTurn(asked, (classroom) => read(classroom, reading))
  return { days: days.flat(), rolledAtMs: rolled?.at_ms ?? null }
}
