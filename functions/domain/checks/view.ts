import type { LocalDay } from '../calendar.ts'
import type { Line } from '../line.ts'
import type { PresenceState } from '../presence.ts'
import type { PlacedReading } from '../reading.ts'
import type { DayFigures } from '../rollup/figures.ts'
import type { Span } from '../uptime.ts'
import type { Limits } from './limits.ts'

/** All that a run has seen of one node: what the checks are given. */
export interface NodeView {
  readonly esp32Name: string
  readonly nowMs: number
  /** Readings and lines from this instant on were looked at, and days that begin at or after it. */
  readonly fromMs: number
  readonly zone: string
  readonly createdAtMs: number | null
  /** False for a node that was never assigned to a classroom. */
  readonly isAssigned: boolean
  /** Since when booking stands still; null while it goes on. */
  readonly pausedAtMs?: number | null
  /** Times in which the node was not connected, by the broker and its own word. @default none */
  readonly outages?: readonly Span[]
  readonly presence: Pick<PresenceState, 'online' | 'last_seen_ms'> | null
  /** False when nobody ever recorded a price for anything. */
  readonly hasTariffs: boolean
  readonly registers: readonly RegisterView[]
  readonly limits: Limits
}

/** What was seen of one register. */
export interface RegisterView {
  readonly register: string
  readonly chain: readonly ChainFault[]
  /** Accepted readings that no entry holds. */
  readonly unbooked: readonly { readonly id: string; readonly receivedAtMs: number }[]
  /** Raw events that cannot be opened, so that nobody knows what they hold. */
  readonly unreadable: readonly UnreadableEvent[]
  /** Where lines are not what readings and counters say, in sentences. */
  readonly lineFaults: readonly string[]
  /** Day items that are not what the ledger says. */
  readonly dayFaults: readonly DayFault[]
  /** The last reading before those; absent or null where there is none. */
  readonly before?: PlacedReading | null
  /** In order, without a hole. */
  readonly readings: readonly PlacedReading[]
  /** The effective lines between them. */
  readonly lines: readonly Line[]
  /** Readings at the journal's end that fell behind the last kept one, until later ones decide. */
  readonly held?: { readonly after: PlacedReading; readonly readings: readonly PlacedReading[] }
  readonly days: readonly DayView[]
  /** Ranges of sequence numbers that the node says it no longer holds. */
  readonly given: readonly SequenceSpan[]
}

/** A raw event that cannot be opened, by its key. */
export interface UnreadableEvent {
  readonly id: string
  /** When its readings were made, as far as its key and what is booked beside it tell; null where nothing does. */
  readonly atMs: number | null
  readonly reason: string
}

/** What is wrong with a journal, and at which entry. */
export interface ChainFault {
  readonly n: number
  /**
   * `changed`: content and hash differ; `unlinked`: it does not follow the one before; `missing`;
   * `unreadable`; `forged`: another hash than the one anchored; `cut`: the anchored entry is gone.
   */
  readonly kind: 'changed' | 'unlinked' | 'missing' | 'unreadable' | 'forged' | 'cut'
  readonly detail: string
}

export interface DayFault {
  readonly date: string
  readonly classroom: string
  /** The item is not there; is for another part of the day; has other figures, or another cost. */
  readonly kind: 'missing' | 'part' | 'differs' | 'cost'
}

/** Sequence numbers of one epoch, both ends included. */
export interface SequenceSpan {
  readonly epoch: number
  readonly from: number
  readonly to: number
}

/** A register's local day in a classroom, folded from the ledger. */
export interface DayView {
  readonly day: LocalDay
  readonly classroom: string
  readonly figures: DayFigures
  /** Energy without a price, by the day item; 0 where there is none yet. */
  readonly unpricedMwh: number
}

/** The days that are over: an unfinished day says little. */
export function finished(view: Pick<NodeView, 'nowMs'>, register: RegisterView): DayView[] {
  return register.days.filter(({ day }) => day.endMs <= view.nowMs)
}
