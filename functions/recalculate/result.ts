import type { JobResult, Outcome } from '../adapters/jobs.ts'
import { sum } from '../domain/rollup/figures.ts'

/** A job's result: the sum of its classroom-days. */
export function resultOf(
  outcomes: readonly Outcome[],
  closedThroughMonth: string | null,
): JobResult {
  const changed = outcomes.filter(({ items }) => items > 0)
  const byDay = [...Map.groupBy(changed, ({ date }) => date)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([date, own]) => ({ date, ...totals(own) }))
  const months = changed
    .map(({ classroom, date }) => ({ month: date.slice(0, 7), classroom }))
    .filter(({ month }) => closedThroughMonth !== null && month <= closedThroughMonth)
    .map(({ month, classroom }) => `${month}#${classroom}`)
  return {
    classroomDays: changed.length,
    months: new Set(months).size,
    openItems: sum(outcomes.map(({ openItems }) => openItems)),
    ...totals(changed),
    byDay,
  }
}

const totals = (outcomes: readonly Outcome[]) => ({
  items: sum(outcomes.map(({ items }) => items)),
  beforeMicro: sum(outcomes.map(({ beforeMicro }) => beforeMicro)),
  afterMicro: sum(outcomes.map(({ afterMicro }) => afterMicro)),
  unpricedBeforeMwh: sum(outcomes.map(({ unpricedBeforeMwh }) => unpricedBeforeMwh)),
  unpricedAfterMwh: sum(outcomes.map(({ unpricedAfterMwh }) => unpricedAfterMwh)),
})
