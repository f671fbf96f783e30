/** The three ways in which something can be amiss; the operations page reads from left to right by them. */
export const QUESTIONS = ['lost', 'late', 'wrong'] as const
export type Question = (typeof QUESTIONS)[number]

/** `count` is a number of things; the rest says itself. */
export type Unit = 'ms' | '%' | 'count' | 'per second' | 'mWh'

/**
 * What a figure is promised to be. Beyond `acceptable` administrators are warned, beyond `critical` whoever
 * is on call is woken. Null where there is nothing between well and critical.
 */
export interface Target {
  readonly title: string
  readonly question: Question
  readonly unit: Unit
  /** On which side of its lines the figure is well. */
  readonly better: 'lower' | 'higher'
  readonly target: number
  readonly acceptable: number | null
  readonly critical: number
  /** What the figure is, in a sentence. */
  readonly meaning: string
  /** Where to look first when it is beyond a line, and what to run. */
  readonly look: string
  readonly run: string
}

const minutes = (count: number) => count * 60_000

/**
 * The promises of the system: its success criteria and its performance table. Widgets draw these lines, alarms
 * watch them, `docs/runbook.md` has a heading `alarm-<name>` for each, and the local `/ops` shows them.
 */
export const TARGETS = {
  'booked-in-time': {
    title: 'Booked within a minute',
    question: 'late',
    unit: '%',
    better: 'higher',
    target: 95,
    acceptable: 95,
    critical: 80,
    meaning: 'Share of readings that were booked within a minute of their receipt.',
    look: 'The iterator age and the errors of ledger; then the throttles of the tables.',
    run: 'autovolt redrive --queue ledger-failures --dry-run',
  },
  overdue: {
    title: 'Received and not booked',
    question: 'lost',
    unit: 'count',
    better: 'lower',
    target: 0,
    acceptable: null,
    critical: 0,
    meaning: 'Readings received more than a quarter of an hour ago that are not accounted for.',
    look: 'Whether the ledger function runs at all, its iterator age, and its failure queue.',
    run: 'autovolt redrive --queue ledger-failures, then autovolt reconcile',
  },
  'high-confidence': {
    title: 'High confidence',
    question: 'wrong',
    unit: '%',
    better: 'higher',
    target: 90,
    acceptable: 90,
    critical: 70,
    meaning: 'Share of booked lines that a meter measured between two plausible readings.',
    look: 'Resets, and which nodes estimate: their meters or power supplies fail.',
    run: 'autovolt tickets, then autovolt show ledger --node <node>',
  },
  uptime: {
    title: 'Uptime of nodes',
    question: 'lost',
    unit: '%',
    better: 'higher',
    target: 95,
    acceptable: 95,
    critical: 80,
    meaning: 'Share of the last days in which the known nodes were online, on average.',
    look: 'GET /nodes: which nodes are offline, since when, and whether they share a classroom.',
    run: 'autovolt show events --node <node>',
  },
  'rollups-differ': {
    title: 'Rollups against the ledger',
    question: 'wrong',
    unit: 'count',
    better: 'lower',
    target: 0,
    acceptable: null,
    critical: 0,
    meaning: 'Day items the nightly run found to differ from the ledger, repaired ones included.',
    look: 'The run in GET /reconciliations names each; the log of rollup says what failed before.',
    run: 'autovolt verify --node <node>',
  },
  probe: {
    title: 'Cards against charts',
    question: 'wrong',
    unit: 'mWh',
    better: 'lower',
    target: 0,
    acceptable: null,
    critical: 0,
    meaning: 'Largest difference between the summary of a classroom and the sum of its timeline.',
    look: 'The log of probe names the classroom and the day.',
    run: 'autovolt verify --node <node>, for each node of the classroom',
  },
  'sequence-gaps': {
    title: 'Unfilled sequence gaps',
    question: 'lost',
    unit: 'count',
    better: 'lower',
    target: 0,
    acceptable: 0,
    critical: 10,
    meaning: 'Holes in the numbers of readings that the nightly run found after offline spells.',
    look: 'The tickets sequence_gap: the node was asked to send those readings again.',
    run: 'autovolt tickets',
  },
  'nightly-run': {
    title: 'Nightly run',
    question: 'wrong',
    unit: 'count',
    better: 'higher',
    target: 1,
    acceptable: null,
    critical: 1,
    meaning: 'Runs of the reconciliation that ended well in the last 26 hours.',
    look: 'GET /reconciliations: the last run, its status and its failures; the queue of its schedule.',
    run: 'autovolt reconcile',
  },
  reconcile: {
    title: 'Reconciliation',
    question: 'late',
    unit: 'ms',
    better: 'lower',
    target: minutes(5),
    acceptable: minutes(10),
    critical: minutes(30),
    meaning: 'How long a run of the reconciliation took.',
    look: 'The duration and throttles of reconcile, and how many entries the run walked.',
    run: 'autovolt reconcile',
  },
  recalculation: {
    title: 'Recalculation',
    question: 'late',
    unit: 'ms',
    better: 'lower',
    target: minutes(10),
    acceptable: minutes(10),
    critical: minutes(30),
    meaning: 'How long a recalculation took from its order to its result.',
    look: 'GET /jobs/{id}: how far it is; the throttles of the rollups table.',
    run: 'autovolt alarms',
  },
  tickets: {
    title: 'Tickets opened in a week',
    question: 'wrong',
    unit: 'count',
    better: 'lower',
    target: 4,
    acceptable: 4,
    critical: 20,
    meaning: 'Tickets that the runs of the last seven days opened: fewer than five are promised.',
    look: 'Which rule and which node they are of; one faulty node opens many.',
    run: 'autovolt tickets',
  },
  ingest: {
    title: 'Ingest, p95',
    question: 'late',
    unit: 'ms',
    better: 'lower',
    target: 100,
    acceptable: 500,
    critical: 1_000,
    meaning: 'Duration of the function that stores a message.',
    look: 'Cold starts after a deployment; then the latency and throttles of the telemetry table.',
    run: 'autovolt alarms',
  },
  ledger: {
    title: 'Ledger, for each reading',
    question: 'late',
    unit: 'ms',
    better: 'lower',
    target: 200,
    acceptable: 500,
    critical: 2_000,
    meaning: 'Duration of the function that books readings, over the readings it booked.',
    look: 'Retries of one register in the log of ledger; late readings are dearer than others.',
    run: 'autovolt show ledger --node <node>',
  },
  aggregation: {
    title: 'Daily aggregation',
    question: 'late',
    unit: 'ms',
    better: 'lower',
    target: 2_000,
    acceptable: 30_000,
    critical: 120_000,
    meaning: 'How long closing the days that are over took.',
    look: 'The duration of rollup, and how many days it closed at once.',
    run: 'autovolt rollup',
  },
  'rollup-age': {
    title: 'Age of the rollup',
    question: 'late',
    unit: 'ms',
    better: 'lower',
    target: minutes(20),
    acceptable: minutes(35),
    critical: minutes(65),
    meaning:
      'Age of the oldest entry that no day item contained when the rollup came, every quarter of an hour.',
    look: 'The log of rollup names registers that fail; the queue of its schedule tells of missed starts.',
    run: 'autovolt rollup',
  },
  'api-median': {
    title: 'API, median',
    question: 'late',
    unit: 'ms',
    better: 'lower',
    target: 200,
    acceptable: 350,
    critical: 1_000,
    meaning: 'Median latency of the HTTP API.',
    look: 'The access log by route; monthly views of the whole campus read every day item.',
    run: 'autovolt alarms',
  },
  'api-p95': {
    title: 'API, p95',
    question: 'late',
    unit: 'ms',
    better: 'lower',
    target: 500,
    acceptable: 500,
    critical: 1_500,
    meaning: 'Latency of the HTTP API that nineteen of twenty answers stay below.',
    look: 'The access log by route; cold starts, and reads of long ranges.',
    run: 'autovolt alarms',
  },
  'api-errors': {
    title: 'API errors',
    question: 'wrong',
    unit: '%',
    better: 'lower',
    target: 0,
    acceptable: 0.5,
    critical: 5,
    meaning: 'Share of answers of the HTTP API that were 5xx.',
    look: 'The log of the function behind the route in the access log.',
    run: 'autovolt alarms',
  },
  throughput: {
    title: 'Messages a second',
    question: 'late',
    unit: 'per second',
    better: 'lower',
    target: 100,
    acceptable: 200,
    critical: 400,
    meaning:
      'Messages from nodes. A hundred a second are proven; the ceiling of the tables is near 440.',
    look: 'Whether nodes send a backlog, or one sends without end.',
    run: 'autovolt show events --node <node>',
  },
  quarantine: {
    title: 'Quarantined messages',
    question: 'lost',
    unit: 'count',
    better: 'lower',
    target: 0,
    acceptable: 0,
    critical: 100,
    meaning: 'Messages in a quarter of an hour that could not be understood and lie in quarantine.',
    look: 'Their reason: new firmware, a wrong name, or somebody who tries.',
    run: 'autovolt quarantine list',
  },
} satisfies Readonly<Record<string, Target>>

export type TargetName = keyof typeof TARGETS

/** The targets as plain values, in the order of the page. */
export const TARGET_LIST = Object.entries(TARGETS).map(([name, target]) => ({
  name: name as TargetName,
  ...(target as Target),
}))
