import type { RollupStore } from '../adapters/rollups.ts'
import type { Pricer } from '../domain/rollup/cost.ts'
import { foldMonth, localMonth } from '../domain/rollup/month.ts'

export interface VerifyMonthsPorts {
  readonly rollups: RollupStore
  readonly pricer: Pricer
  readonly siteTimeZone: string
  /** The last closed local month; null when none ever was. */
  readonly throughMonth: string | null
}

/** What a look at a classroom's closed months found. No problem means each is the sum of its days. */
export interface VerifiedMonths {
  readonly classroom: string
  readonly months: number
  readonly problems: readonly string[]
}

/** Month items made anew from the day items, against the stored ones; and none may be missing. */
export async function verifyMonths(
  classroom: string,
  ports: VerifyMonthsPorts,
): Promise<VerifiedMonths> {
  const { rollups, pricer, siteTimeZone, throughMonth } = ports
  const problems: string[] = []
  const stored = await rollups.months(classroom, '0000-01', '9999-12')
  for (const { month, figures } of stored) {
    const { firstDate, lastDate } = localMonth(month, siteTimeZone)
    const days = await rollups.days(classroom, firstDate, lastDate)
    const expected = foldMonth(days, siteTimeZone, pricer)
    if (JSON.stringify(figures) !== JSON.stringify(expected)) {
      problems.push(
        `month item ${classroom} ${month} has ${figures.totalMwh} mWh and differs from its days, which have ${expected.totalMwh} mWh`,
      )
    }
  }
  if (throughMonth !== null) {
    const known = new Set(stored.map(({ month }) => month))
    const totals = await rollups.totals(classroom, '0000-01-01', `${throughMonth}-31`)
    for (const month of new Set(totals.map(({ date }) => date.slice(0, 7)))) {
      if (!known.has(month)) problems.push(`month item ${classroom} ${month} is missing`)
    }
  }
  return { classroom, months: stored.length, problems }
}
