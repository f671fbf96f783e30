import { dateAt, localDay } from '../calendar.ts'
import { type Finding, NAMED } from './finding.ts'
import type { NodeView } from './view.ts'

/** An event of which nobody knows the time lies before every window: no run takes it for explained. */
const FOR_GOOD_MS = 0
const NO_DATE = 'without a time'

/**
 * A raw event can be opened: what one that cannot be holds is in no figure, and in no count of readings. One
 * finding for each day, since what damages one event may damage all of them.
 */
export function unreadableEvent({ registers, zone }: NodeView): Finding[] {
  return registers.flatMap(({ register, unreadable }) => {
    const days = Map.groupBy(unreadable, ({ atMs }) =>
      atMs === null ? NO_DATE : dateAt(atMs, zone),
    )
    return [...days].map(
      ([date, events]): Finding => ({
        rule: 'unreadable_event',
        register,
        window: date,
        fromMs: date === NO_DATE ? FOR_GOOD_MS : localDay(date, zone).startMs,
        severity: 'high',
        evidence: {
          events: events.length,
          ids: events.slice(0, NAMED).map(({ id }) => id),
          reason: events[0]?.reason ?? '',
        },
      }),
    )
  })
}
