/** Every rule a run proves or looks for; each has a file of its own beside this one. */
export const RULES = [
  'unbooked_reading',
  'unreadable_event',
  'broken_chain',
  'lines_differ',
  'rollup_differs',
  'sequence_gap',
  'missing_reading',
  'gap',
  'missing_heartbeat',
  'interval_spike',
  'sum_check',
  'zero_while_on',
  'use_while_off',
  'stuck_counter',
  'clock_drift',
  'reset_rate',
  'prolonged_estimation',
  'old_suspense',
  'unassigned_node',
  'no_tariff',
] as const
export type Rule = (typeof RULES)[number]

/** `info` is counted in the run's report and opens no ticket: it is odd, and explained. */
export const SEVERITIES = ['info', 'low', 'medium', 'high'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Readings, entries and figures that a person needs to judge a finding. */
export type Evidence = Readonly<
  Record<string, number | string | boolean | null | readonly (number | string)[]>
>

/** Something that is not as it should be. A value: nothing is done by finding it. */
export interface Finding {
  readonly rule: Rule
  /** The register; for what concerns a whole node its name, and for a classroom `classroom:<name>`. */
  readonly register: string
  /**
   * What tells two findings of one rule and register apart: a local date, an interval, an entry. It
   * stays the same from night to night, as long as the matter does.
   */
  readonly window: string
  /** The time the matter begins; null for a state that either holds now or does not. */
  readonly fromMs: number | null
  readonly severity: Severity
  readonly evidence: Evidence
}

/** An instant as evidence and windows write it. */
export const instant = (ms: number) => new Date(ms).toISOString()

/** Lists in evidence hold this many; their count stands beside them. */
export const NAMED = 10
