import type { ControlStore } from '../adapters/control.ts'
import type { TicketCounts } from '../adapters/ticket-counts.ts'
import type { Context } from '../api/endpoint.ts'
import { dayAt } from '../domain/calendar.ts'
import { compareDay } from './compare.ts'

export interface ProbePorts {
  readonly classrooms: () => Promise<readonly string[]>
  readonly control: Pick<ControlStore, 'counts' | 'receivedSince'>
  readonly tickets: (sinceMs: number) => Promise<TicketCounts>
  /** Who asks, and what the read API reads. */
  readonly context: Context
  /** Told of each day that cannot be trusted. */
  readonly found: (what: { classroom: string; date: string; detail: string }) => void
}

/** What a look at the system from outside found. */
export interface Probed {
  readonly compared: number
  /** Largest difference of a card and its chart, whatever its sign. */
  readonly difference_mwh: number
  /** Days that could not be read. */
  readonly failed: number
  /** Readings received long ago that nothing accounts for. */
  readonly overdue: number
  readonly tickets: TicketCounts
}

/** Classrooms of a run; the next one goes on behind them. */
const CLASSROOMS = 3
const EVERY_MS = 5 * 60_000
/** Counts of what is received and booked come a minute apart; a retried batch takes minutes. */
const OVERDUE_MS = 15 * 60_000
const WEEK_MS = 7 * 86_400_000

/** Compares cards and charts of some classrooms, today and yesterday, and reads what else shows trouble. */
export async function probe(nowMs: number, ports: ProbePorts): Promise<Probed> {
  const today = dayAt(nowMs, ports.context.ports.siteTimeZone)
  const yesterday = dayAt(today.startMs - 1, ports.context.ports.siteTimeZone)
  const done = { compared: 0, difference_mwh: 0, failed: 0 }
  for (const classroom of turn(await ports.classrooms(), nowMs)) {
    for (const day of [today, yesterday]) {
      const outcome = await attempt(() => compareDay(classroom, day, ports.context))
      if (outcome.kind === 'moving') continue
      const say = (detail: string) => ports.found({ classroom, date: day.date, detail })
      if (outcome.kind === 'refused') {
        done.failed += 1
        say(outcome.detail)
        continue
      }
      done.compared += 1
      const difference = Math.abs(outcome.differenceMwh)
      if (difference > 0) say(`the summary differs from the timeline by ${difference} mWh`)
      done.difference_mwh = Math.max(done.difference_mwh, difference)
    }
  }
  const [counts, lately, tickets] = await Promise.all([
    ports.control.counts(),
    ports.control.receivedSince(nowMs - OVERDUE_MS),
    ports.tickets(nowMs - WEEK_MS),
  ])
  const accounted = counts.booked + counts.duplicates + counts.conflicts
  return { ...done, overdue: Math.max(0, counts.received - lately - accounted), tickets }
}

/** The classrooms whose turn it is: all come by, whatever their number. */
export function turn(classrooms: readonly string[], nowMs: number): string[] {
  const all = [...classrooms].sort()
  if (all.length <= CLASSROOMS) return all
  const first = (Math.floor(nowMs / EVERY_MS) * CLASSROOMS) % all.length
  return Array.from({ length: CLASSROOMS }, (_, at) => all[(first + at) % all.length] as string)
}

type Outcome = Awaited<ReturnType<typeof compareDay>>

/** A classroom that cannot be read must not hide the others. */
async function attempt(doing: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await doing()
  } catch (error) {
    return { kind: 'refused', detail: error instanceof Error ? error.message : String(error) }
  }
}
