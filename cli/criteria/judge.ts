/** What the decision to go on with a rollout rests on, as it was found. */
export interface Findings {
  /** Readings since the system began, by what became of them. */
  readonly counts: Counts
  /** Readings the last run of the reconciliation found stored and not booked; null before the first run. */
  readonly unbooked: number | null
  /** Readings of the time looked at, and how many of them were booked within a minute of receipt. */
  readonly booked: { readonly readings: number; readonly inTime: number }
  /** Days the former system has figures of; null when nothing of it was imported. */
  readonly former: { readonly days: number; readonly unexplained: readonly string[] } | null
  /** Runs of the reconciliation in the time looked at, the newest first. */
  readonly runs: readonly { readonly status: string; readonly finishedAtMs: number | null }[]
  /** Open tickets of high severity, by their ids. */
  readonly highTickets: readonly string[]
}

interface Counts {
  readonly received: number
  readonly booked: number
  readonly duplicates: number
  readonly conflicts: number
}

/** One criterion, judged. */
export interface Verdict {
  readonly name: 'nothing lost' | 'booked in time' | 'former system' | 'nightly run'
  readonly passes: boolean
  readonly figure: string
  readonly target: string
}

/** More than so many of a hundred readings are to be booked in time. */
const IN_TIME_PERCENT = 95
/** Runs come once a day; two hours more than a day is a missed one. */
const RUN_EVERY_MS = 26 * 3_600_000
const NAMED = 3

/**
 * Judges the four criteria by which a rollout goes on, or is rolled back.
 * @param hasFormer false where no former system is there to compare with
 */
export function judge(found: Findings, nowMs: number, hasFormer: boolean): Verdict[] {
  return [
    nothingLost(found),
    inTime(found),
    ...(hasFormer ? [formerSystem(found)] : []),
    nightlyRun(found, nowMs),
  ]
}

/** Readings received that nothing became of yet. */
export function unaccounted({ received, booked, duplicates, conflicts }: Counts): number {
  return received - booked - duplicates - conflicts
}

function nothingLost({ counts, unbooked }: Findings): Verdict {
  const { received, booked, duplicates, conflicts } = counts
  const missing = unaccounted(counts)
  const proof = unbooked === null ? 'no run has proved it' : `${unbooked} unbooked by the last run`
  return {
    name: 'nothing lost',
    passes: missing === 0 && unbooked === 0 && received > 0,
    figure: `${received} received = ${booked} booked + ${duplicates} repeated + ${conflicts} contradicted + ${missing} unaccounted for; ${proof}`,
    target: 'some received, 0 unaccounted for, 0 unbooked',
  }
}

function inTime({ booked: { readings, inTime: within } }: Findings): Verdict {
  // In tenths of a percent, rounded down: what is shown never says more than what was found.
  const permille = readings === 0 ? 0 : Math.floor((within * 1_000) / readings)
  return {
    name: 'booked in time',
    passes: within * 100 > readings * IN_TIME_PERCENT,
    figure: `${Math.floor(permille / 10)}.${permille % 10} % of ${readings} readings within a minute of receipt`,
    target: `more than ${IN_TIME_PERCENT} %`,
  }
}

function formerSystem({ former }: Findings): Verdict {
  const target = 'every day equal, or its difference explained'
  if (former === null) {
    const figure = 'nothing imported to compare with'
    return { name: 'former system', passes: false, figure, target }
  }
  const { days, unexplained } = former
  const named = unexplained.slice(0, NAMED).join(', ')
  const more = unexplained.length > NAMED ? ` and ${unexplained.length - NAMED} more` : ''
  return {
    name: 'former system',
    passes: days > 0 && unexplained.length === 0,
    figure: `${days} days of classrooms compared, ${unexplained.length} unexplained${named === '' ? '' : `: ${named}${more}`}`,
    target,
  }
}

function nightlyRun({ runs, highTickets }: Findings, nowMs: number): Verdict {
  const failed = runs.filter(({ status }) => status === 'failed').length
  const last = runs.find(({ status }) => status === 'done')?.finishedAtMs ?? null
  const isFresh = last !== null && nowMs - last <= RUN_EVERY_MS
  const ended =
    last === null ? 'none ended well' : `last ended well ${new Date(last).toISOString()}`
  const named = highTickets.slice(0, NAMED).join(', ')
  return {
    name: 'nightly run',
    passes: isFresh && failed === 0 && highTickets.length === 0,
    figure: `${runs.length} runs, ${failed} failed, ${ended}; ${highTickets.length} high tickets open${named === '' ? '' : `: ${named}`}`,
    target: 'one ended well in 26 hours, 0 failed, 0 high tickets',
  }
}
