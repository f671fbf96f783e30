import { closeOfDayMs } from '../tariff/horizon.ts'
import type { DayCost } from '../tariff/price.ts'
import type { Pricer } from './cost.ts'
import type { DayFigures, Stretch } from './figures.ts'
import { type DayScope, partOfDay } from './scopes.ts'

/**
 * `provisional` while the day is open, `final` once it was closed, `restated` when a closed day got
 * other figures. What a closed day said before is kept.
 */
export type DayState = 'provisional' | 'final' | 'restated'

/** A register's local day in a classroom: what dashboards read. */
export interface DayItem {
  readonly classroom: string
  readonly date: string
  readonly register: string
  /** Entries up to this number are in the figures. */
  readonly throughN: number
  /** Counts the writes; a write replaces exactly the revision it has read. */
  readonly revision: number
  readonly state: DayState
  readonly figures: DayFigures
  /**
   * The part of the day that the node stood in the classroom, null for all of it. Empty when it turned
   * out that it did not stand there: the item is void.
   */
  readonly part: readonly Stretch[] | null
  /** By the tariffs recorded until `horizonMs`. An open day's cost changes with every new tariff. */
  readonly cost: DayCost
  readonly horizonMs: number
  /** Since when these figures stand: the close of the day, or a restatement. */
  readonly sinceMs: number
  readonly closedAtMs: number | null
  /** Why a closed day changed: `late`, `assignment`, or the id of a recalculation. */
  readonly restatedBy: string | null
}

/** What an item says; the rest is when and how often it was said. */
export interface DayContent {
  readonly throughN: number
  readonly figures: DayFigures
}

/** When a day item is written, by whom, and what is known at that time. */
export interface Writing {
  readonly nowMs: number
  readonly pricer: Pricer
  /** The last local day that was closed; null when none ever was. */
  readonly closedThrough: string | null
  /** Given to days that are closed already. */
  readonly reason: string
}

/** An item to write, and the former one to keep beside it. */
export interface Written {
  readonly item: DayItem
  readonly former: DayItem | null
}

/**
 * The item that follows on `known` (null: none yet) with new content. Written after the day's close
 * it is closed at once. A closed item whose figures or cost change is restated, and keeps its former
 * self; one that only took along readings that change nothing stays as it is.
 */
export function nextItem(
  known: DayItem | null,
  register: string,
  scope: DayScope,
  content: DayContent,
  writing: Writing,
): Written {
  const { classroom, day } = scope
  const { nowMs, pricer, closedThrough, reason } = writing
  const closeMs = closeOfDayMs(day)
  const isOver = nowMs >= closeMs || (known !== null && known.state !== 'provisional')
  // An open day knows what is recorded by now; its horizon lies ahead.
  const horizonMs = isOver ? pricer.horizonMs(classroom, day) : nowMs
  const cost = pricer.cost(content.figures, scope, horizonMs)
  const next = {
    classroom,
    date: day.date,
    register,
    throughN: content.throughN,
    revision: (known?.revision ?? 0) + 1,
    figures: content.figures,
    part: partOfDay(scope),
    cost,
    horizonMs,
  }
  if (known !== null && known.state !== 'provisional') {
    const { state, sinceMs, closedAtMs, restatedBy } = known
    const item = { ...next, state, sinceMs, closedAtMs, restatedBy }
    if (saysTheSame(known, item)) return { item, former: null }
    // Clocks of two writers may differ; what comes later never stands earlier.
    const restated = { sinceMs: Math.max(nowMs, known.sinceMs), restatedBy: reason }
    return { item: { ...item, state: 'restated', ...restated }, former: known }
  }
  const open = {
    state: 'provisional',
    sinceMs: closeMs,
    closedAtMs: null,
    restatedBy: null,
  } as const
  if (!isOver) return { item: { ...next, ...open }, former: null }
  const closed = { ...open, state: 'final', closedAtMs: nowMs } as const
  const isInTime = closedThrough === null || day.date > closedThrough
  // One that the close passed over, as it does void ones, is final as long as it says what it said then.
  const isPassedOver = known !== null && figuresOf(known) === figuresOf({ ...known, ...next })
  if (isInTime || isPassedOver) return { item: { ...next, ...closed }, former: null }
  const born = { state: 'restated', sinceMs: nowMs, restatedBy: reason } as const
  return { item: { ...next, ...closed, ...born }, former: null }
}

/** The item at another cost or in another state, with nothing new from the ledger. */
export function sameEntries(known: DayItem, scope: DayScope, writing: Writing): Written {
  const { throughN, figures } = known
  return nextItem(known, known.register, scope, { throughN, figures }, writing)
}

/** True when an item covers just that scope; it does not when a node's stay was recorded later. */
export function samePart(item: DayItem, scope: DayScope): boolean {
  return JSON.stringify(item.part) === JSON.stringify(partOfDay(scope))
}

/** True when two items tell a reader the same: energy, on-time, quality, scope and cost. */
export function saysTheSame(a: DayItem, b: DayItem): boolean {
  return said(a) === said(b)
}

const said = (item: DayItem) => JSON.stringify([figuresOf(item), item.cost])

function figuresOf({ figures, part }: DayItem): string {
  const { onTimeS, devices, quality } = figures
  const sorted = [...devices]
    .filter(([id, series]) => id === null || !isEmpty(series.energyMwh) || !isEmpty(series.onTimeS))
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  return JSON.stringify([onTimeS, sorted, quality, part])
}

const isEmpty = (values: readonly number[]) => values.every((value) => value === 0)

/** Figures that can be added to without changing the given ones. */
export function copyOf(figures: DayFigures): DayFigures {
  return {
    onTimeS: [...figures.onTimeS],
    devices: new Map(
      [...figures.devices].map(([id, { energyMwh, onTimeS }]) => [
        id,
        { energyMwh: [...energyMwh], onTimeS: [...onTimeS] },
      ]),
    ),
    quality: { ...figures.quality },
    sequences: new Map([...figures.sequences].map(([epoch, range]) => [epoch, { ...range }])),
    readings: figures.readings,
  }
}
