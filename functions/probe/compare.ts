import type { Context } from '../api/endpoint.ts'
import { summary } from '../api/summary.ts'
import { timeline } from '../api/timeline.ts'
import type { LocalDay } from '../domain/calendar.ts'

/** A day of a classroom, looked at as a card and as a chart. */
export type Compared =
  | { readonly kind: 'compared'; readonly differenceMwh: number }
  /** Readings came in between at every attempt, so that neither answer is of one moment. */
  | { readonly kind: 'moving' }
  | { readonly kind: 'refused'; readonly detail: string }

const ATTEMPTS = 4

/**
 * The summary of a day less the sum of its timeline, by the code that answers dashboards. The two are read one
 * after the other; where they differ the summary is read again, and only if it has not moved meanwhile is
 * the difference one.
 */
export async function compareDay(
  classroom: string,
  day: LocalDay,
  context: Context,
): Promise<Compared> {
  const card = () => summary({ classroom, date: day.date }, context, {})
  let before = await card()
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const instants = {
      start: new Date(day.startMs).toISOString(),
      end: new Date(day.endMs).toISOString(),
    }
    const chart = await timeline({ classroom, bucket: '15', ...instants }, context, {})
    if ('problem' in before) return { kind: 'refused', detail: before.problem.detail }
    if ('problem' in chart) return { kind: 'refused', detail: chart.problem.detail }
    const differenceMwh =
      before.answer.total_mwh - chart.answer.timeline.reduce((mwh, it) => mwh + it.total_mwh, 0)
    if (differenceMwh === 0) return { kind: 'compared', differenceMwh }
    const after = await card()
    if ('answer' in after && after.answer.total_mwh === before.answer.total_mwh) {
      return { kind: 'compared', differenceMwh }
    }
    before = after
  }
  return { kind: 'moving' }
}
