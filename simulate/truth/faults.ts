/** What goes wrong with messages on their way. */
export const MESSAGE_FAULTS = [
  /** Never arrives. */
  'lost',
  /** Processed twice, as the cloud may deliver an event twice. */
  'doubled',
  /** Published again by the node, which missed the acknowledgement. */
  'republished',
  /** Its later readings come once more in another message, cut otherwise. */
  'overlapped',
  /** Another message claims one of its readings with another power. */
  'conflicting',
  /** Processed hours to days after its receipt. */
  'delayed',
  /** Processed up to two hours after its receipt, behind younger ones. */
  'reordered',
  /** The node was offline, and sends what it kept afterwards. */
  'backlog',
] as const

/** What goes wrong with nodes. */
export const NODE_FAULTS = [
  /** The mains fail; the node goes on from the counter of its last reading. */
  'power_cut',
  /** The mains fail, and the counter goes back to an older checkpoint of the same epoch. */
  'checkpoint_lost',
  /** The mains fail, and the counter begins again at zero (in a new epoch, where the node names them). */
  'nvs_wiped',
  'clock_drift',
  /** The clock is off for hours: by four minutes, an hour or a year. */
  'clock_jump',
  /** The clock is still off when the node starts again, perhaps with a new epoch. */
  'jump_over_start',
  /** The node has no time until an hour after it started. */
  'clock_absent',
  /** Readings without a time come from a later start, so that only their receipt is left. */
  'clock_lost',
  /** Up to three readings show a counter of zero. */
  'glitch_zero',
  /** Up to three readings show a counter far too high. */
  'glitch_high',
] as const

/** What goes wrong in the cloud. */
export const CLOUD_FAULTS = [
  /** A function ends before it sends a write. */
  'crash_before',
  /** A function ends after a write was done and before it knows. */
  'crash_after',
  /** The answer to a put is lost and the SDK sends it again, which then fails its own condition. */
  'answer_lost',
  'throttled',
  /** Conditions of one register fail many times in a row. */
  'condition_storm',
  /** A stream batch that was done is delivered again. */
  'redelivered',
  /** Two workers have the records of one register at the same time. */
  'two_workers',
  /** A batch of which a part failed; the stream delivers again from the first failure on. */
  'partial_batch',
  /** Raw events never come out of the stream, not even by way of the failure queue. */
  'record_trimmed',
  /** All raw events of a register are handed to the ledger once more. */
  'raw_replayed',
  /** A day item is not what the ledger says. */
  'day_spoiled',
  /** The schedule starts the nightly run twice. */
  'run_repeated',
  /** A worker of the nightly run ends anywhere in its work, and is started again. */
  'worker_killed',
  /** Time runs out for a worker, and another invocation goes on. */
  'worker_continued',
  /** The workers of a run work at the same time, and finish what others have begun. */
  'workers_at_once',
  /** The nightly run looks while the ledger books. */
  'night_while_booking',
] as const

export const FAULTS = [...MESSAGE_FAULTS, ...NODE_FAULTS, ...CLOUD_FAULTS] as const
export type Fault = (typeof FAULTS)[number]

/** Which faults may be drawn, and how often each was. */
export interface FaultPlan {
  readonly counts: Map<Fault, number>
  /** Draws a fault: true when it is planned and `drawn`; then it is counted. */
  strikes(fault: Fault, drawn: boolean): boolean
  /** Draws a fault that strikes as often as `doing` says; nothing is done where it is not planned. */
  strikesOften(fault: Fault, doing: () => number): void
}

export function faultPlan(planned: readonly Fault[]): FaultPlan {
  const allowed = new Set(planned)
  const counts = new Map<Fault, number>(planned.map((fault) => [fault, 0]))
  return {
    counts,
    strikes(fault, drawn) {
      if (!drawn || !allowed.has(fault)) return false
      counts.set(fault, (counts.get(fault) ?? 0) + 1)
      return true
    },
    strikesOften(fault, doing) {
      if (allowed.has(fault)) counts.set(fault, (counts.get(fault) ?? 0) + doing())
    },
  }
}
