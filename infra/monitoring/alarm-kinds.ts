import { type Question, TARGET_LIST } from './targets.ts'

/** `warning` goes to administrators by day, `critical` to whoever is on call at once. */
export const SEVERITIES = ['warning', 'critical'] as const
export type AlarmSeverity = (typeof SEVERITIES)[number]

/** The tag of an alarm that says how severe it is. */
export const SEVERITY_TAG = 'severity'

/** What alarms of one kind have in common. `{of}` stands for the function, queue or table in question. */
export interface AlarmKind {
  readonly question: Question
  readonly severity: AlarmSeverity
  readonly meaning: string
  readonly look: string
  readonly run: string
}

/**
 * Alarms that exist for each function, queue, schedule, stream or table, and the few that stand alone. A
 * heading `alarm-<kind>` of `docs/runbook.md` belongs to each.
 */
export const ALARM_KINDS = {
  errors: {
    question: 'late',
    severity: 'critical',
    meaning: '{of} failed. What could not be retried is in its failure queue.',
    look: 'The log group of {of}: the error and the request it belongs to.',
    run: 'autovolt redrive --all --dry-run',
  },
  throttled: {
    question: 'late',
    severity: 'warning',
    meaning: 'Invocations of {of} were refused: the concurrency of the account was used up.',
    look: 'The concurrent executions of the account, and which function takes them.',
    run: 'nothing at once: events wait for up to six hours; ask AWS for more concurrency',
  },
  slow: {
    question: 'late',
    severity: 'warning',
    meaning: '{of} took most of the time it may take; beyond that Lambda ends it.',
    look: 'Throttles and latency of the tables it uses; then whether its work has grown.',
    run: 'autovolt alarms',
  },
  late: {
    question: 'late',
    severity: 'critical',
    meaning:
      '{of} reads stream records older than five minutes: one is tried again and again, or more come than it can take.',
    look: 'The log of {of}: which register fails, and whether its batches are full.',
    run: 'autovolt redrive --all --dry-run',
  },
  missed: {
    question: 'late',
    severity: 'critical',
    meaning: '{of} was not started when its schedule says it should have been.',
    look: 'The queue of its schedule, its permissions and throttles.',
    run: 'autovolt rollup, autovolt reconcile: whichever it is',
  },
  'not-empty': {
    question: 'lost',
    severity: 'critical',
    meaning: 'Something could not be delivered and lies in {of}.',
    look: 'The reason in the messages: `autovolt redrive --queue {of} --dry-run` prints it.',
    run: 'autovolt redrive --queue {of}, once the cause is gone',
  },
  'table-throttled': {
    question: 'late',
    severity: 'critical',
    meaning: 'Requests to the table {of} were refused: its ceiling or a partition was reached.',
    look: 'The consumed capacity of the table against its ceiling, and who writes so much.',
    run: 'raise tableLimits of the stage and deploy, if the load is real',
  },
  'table-near-limit': {
    question: 'late',
    severity: 'warning',
    meaning: 'The table {of} takes more than four fifths of the requests its ceiling allows.',
    look: 'Messages a second: a backlog after an outage passes by itself.',
    run: 'raise tableLimits of the stage and deploy, before it throttles',
  },
  failed: {
    question: 'wrong',
    severity: 'critical',
    meaning: '{of}',
    look: 'The log of the function that counted it names the register or the node, and the reason.',
    run: 'autovolt verify --node <node>',
  },
  'archive-late': {
    question: 'late',
    severity: 'critical',
    meaning:
      'The oldest message not yet in the archive has waited a quarter of an hour longer than it should.',
    look: 'The log group of the delivery stream; after 24 hours Firehose gives messages up.',
    run: 'autovolt alarms',
  },
  'archive-failing': {
    question: 'lost',
    severity: 'critical',
    meaning: 'Deliveries to the archive keep failing for a quarter of an hour.',
    look: 'The log group of the delivery stream: its role, its bucket; messages wait for 24 hours.',
    run: 'autovolt alarms',
  },
  'archive-throttled': {
    question: 'lost',
    severity: 'critical',
    meaning: 'Messages were refused because the delivery stream takes no more.',
    look: 'Messages a second, and the quota of the delivery stream; ask for a higher one.',
    run: 'autovolt redrive --queue rule-failures',
  },
  'archive-not-copied': {
    question: 'lost',
    severity: 'critical',
    meaning: 'Objects of the archive could not be copied to the second region.',
    look: 'The replication metrics of the bucket: S3 lists why.',
    run: 'S3 Batch Replication, once mended: it copies what is missing',
  },
  'ledger-tampered': {
    question: 'wrong',
    severity: 'critical',
    meaning: 'A ledger item was changed or removed, which no part of the system does.',
    look: 'The log of {of} names the register and the item; CloudTrail names who did it.',
    run: 'autovolt verify --node <node>, and compare with point-in-time recovery',
  },
} satisfies Readonly<Record<string, AlarmKind>>

export type AlarmKindName = keyof typeof ALARM_KINDS

/** Alarms over other alarms: one for each question, and one over all. */
export const COMPOSITES = {
  'anything-lost':
    'Is anything lost? At least one alarm says that a message, reading or node is missing.',
  'anything-late':
    'Is anything late? At least one alarm says that something takes longer than it may.',
  'anything-wrong':
    'Is anything wrong? At least one alarm says that figures or results are not right.',
  attention: 'Something is lost, late or wrong.',
} as const
export type CompositeName = keyof typeof COMPOSITES

/** Every heading the runbook needs for its alarms, as anchors without `#`. */
export const RUNBOOK_ANCHORS: readonly string[] = [
  ...Object.keys(ALARM_KINDS),
  ...TARGET_LIST.map(({ name }) => name),
  ...Object.keys(COMPOSITES),
].map(runbookAnchor)

/** The heading of `docs/runbook.md` that tells what to do about alarms of a kind or on a target. */
export function runbookAnchor(kind: string): string {
  return `alarm-${kind}`
}
