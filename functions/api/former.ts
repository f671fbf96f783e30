import type { DayItem, RollupStore } from '../adapters/rollups.ts'
import type { MonthItem } from '../domain/rollup/month.ts'

/** What a classroom's closed days said at an instant: what stands today, or what was kept of it. */
export async function standingAt(
  asOfMs: number,
  classroom: string,
  fromDate: string,
  toDate: string,
  rollups: Pick<RollupStore, 'days' | 'formerDays'>,
): Promise<DayItem[]> {
  // Today's first: an item restated in between is then found in both, never in neither.
  const today = await rollups.days(classroom, fromDate, toDate)
  const former = await rollups.formerDays(classroom, fromDate, toDate)
  return stood([...today, ...former], asOfMs, ({ date, register }) => `${date}#${register}`)
}

/** What a classroom's closed months said at an instant. */
export async function monthsAt(
  asOfMs: number,
  classroom: string,
  fromMonth: string,
  toMonth: string,
  rollups: Pick<RollupStore, 'months' | 'formerMonths'>,
): Promise<MonthItem[]> {
  const today = await rollups.months(classroom, fromMonth, toMonth)
  const former = await rollups.formerMonths(classroom, fromMonth, toMonth)
  return stood([...today, ...former], asOfMs, ({ month }) => month)
}

/** Of each key the last revision that stood at the instant; none for what was made later. */
function stood<T extends { readonly sinceMs: number; readonly revision: number }>(
  items: readonly T[],
  asOfMs: number,
  key: (item: T) => string,
): T[] {
  const byKey = new Map<string, T>()
  for (const item of items) {
    const known = byKey.get(key(item))
    if (item.sinceMs > asOfMs || (known && known.revision >= item.revision)) continue
    byKey.set(key(item), item)
  }
  return [...byKey.values()]
}
