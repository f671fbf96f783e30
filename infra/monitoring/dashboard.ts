import { Duration } from 'aws-cdk-lib'
import {
  AlarmStatusWidget,
  AlarmStatusWidgetSortBy,
  Dashboard,
  type IWidget,
  PeriodOverride,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { TABLE_NAMES } from '../constructs/tables.ts'
import { physicalName } from '../names.ts'
import { costOfANode } from './cost.ts'
import type { AppMetrics, Measure } from './measures.ts'
import { shareOfCeiling, throttlesOf } from './table-alarms.ts'
import type { TargetAlarms } from './target-alarms.ts'
import type { TargetName } from './targets.ts'
import type { Verdict } from './verdict.ts'
import { graph, HEIGHT, targetWidget, WIDTH } from './widgets.ts'

export interface OperationsPageProps {
  readonly config: StageConfig
  readonly metrics: AppMetrics
  readonly measures: Readonly<Record<TargetName, Measure>>
  readonly verdict: Verdict
  readonly targets: TargetAlarms
  readonly functions: readonly { readonly name: string; readonly memoryMb: number }[]
  /** Short names of the failure queues. */
  readonly queues: readonly string[]
  /** Short names of the functions that read a stream. */
  readonly consumers: readonly string[]
}

/**
 * One page that answers "is anything lost, late or wrong?". On top stands the verdict; below it each column is
 * a station on the way of a reading, from left to right, and each row asks another question of all of them.
 */
export class OperationsPage extends Construct {
  readonly pageName: string

  constructor(scope: Construct, id: string, props: OperationsPageProps) {
    super(scope, id)
    this.pageName = physicalName(props.config, 'operations')
    new Dashboard(this, 'Page', {
      dashboardName: this.pageName,
      defaultInterval: Duration.hours(3),
      periodOverride: PeriodOverride.INHERIT,
      widgets: [
        verdictOf(props),
        [heading('How much', 'received → accepted → booked → sure → rolled up → asked for')],
        howMuch(props),
        [heading('Late?', 'each station against the time it may take')],
        late(props),
        [heading('Lost or failing?', 'what waits in a queue, failed, or was refused')],
        lost(props),
        [heading('Wrong?', 'what the probe and the run of the night found')],
        wrong(props),
        [heading('Nodes, work and money', 'who is there, what is in progress, what it costs')],
        rest(props),
      ],
    })
  }
}

const heading = (title: string, what: string): IWidget =>
  new TextWidget({ markdown: `## ${title}\n${what}`, width: 24, height: 2 })

function verdictOf({ verdict, targets }: OperationsPageProps): IWidget[] {
  return [
    new AlarmStatusWidget({
      title: 'Is anything lost, late or wrong?',
      alarms: [...verdict.all],
      width: 2 * WIDTH,
      height: HEIGHT,
    }),
    new AlarmStatusWidget({
      title: 'What is promised',
      alarms: [...targets.byTarget.values()].flat().map(({ alarm }) => alarm),
      sortBy: AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
      width: 4 * WIDTH,
      height: HEIGHT,
    }),
  ]
}

function howMuch({ metrics: { own, api }, measures, config }: OperationsPageProps): IWidget[] {
  const refused = ['4xx'].map((name) => api(name).with({ label: 'API 4xx' }))
  return [
    graph(
      'Received',
      [
        own('tally', 'ReadingsReceived').with({ label: 'received' }),
        own('ingest', 'ReadingsRepeated').with({ label: 'repeated' }),
        own('ledger', 'ReadingsDuplicate').with({ label: 'duplicate' }),
        own('ledger', 'ReadingsConflicting').with({ label: 'conflicting' }),
      ],
      'readings',
    ),
    targetWidget('quarantine', measures.quarantine, refused),
    targetWidget('booked-in-time', measures['booked-in-time']),
    targetWidget('high-confidence', measures['high-confidence']),
    graph(
      `Rolled up (${config.siteTimeZone})`,
      [
        own('rollup', 'EntriesRolledUp').with({ label: 'entries' }),
        own('rollup', 'DaysClosed').with({ label: 'days closed' }),
        own('rollup', 'RegistersUnassigned').with({ label: 'without classroom' }),
      ],
      'items',
    ),
    graph('API answers', [api('Count').with({ label: 'answers' })], 'answers'),
  ]
}

function late({ metrics, measures, consumers }: OperationsPageProps): IWidget[] {
  const { own, lambda } = metrics
  const worst = own('tally', 'BookingDelayMs', 'Maximum').with({ label: 'slowest booking' })
  return [
    targetWidget('throughput', measures.throughput),
    targetWidget('ingest', measures.ingest),
    targetWidget('ledger', measures.ledger),
    graph(
      'Iterator age',
      [...consumers.map((name) => lambda(name, 'IteratorAge', 'Maximum')), worst],
      'ms',
    ),
    targetWidget('rollup-age', measures['rollup-age']),
    targetWidget('api-p95', measures['api-p95'], [measures['api-median'].metric]),
  ]
}

function lost(props: OperationsPageProps): IWidget[] {
  const { metrics, measures, queues, functions, config } = props
  const { lambda, queue } = metrics
  const each = (metricName: string) => functions.map(({ name }) => lambda(name, metricName))
  return [
    targetWidget('overdue', measures.overdue),
    graph('Failure queues', queues.map(queue), 'messages'),
    graph('Errors of functions', each('Errors'), 'errors'),
    graph('Throttles of functions', each('Throttles'), 'refused'),
    graph(
      'Throttles of tables',
      TABLE_NAMES.map((name) => throttlesOf(name, metrics)),
      'refused',
    ),
    graph(
      'Capacity, of the ceiling',
      TABLE_NAMES.map((name) => shareOfCeiling(name, config, metrics)),
      '%',
    ),
  ]
}

function wrong({ metrics: { own }, measures }: OperationsPageProps): IWidget[] {
  return [
    targetWidget('probe', measures.probe, [
      own('probe', 'ProbeFailed').with({ label: 'days not readable' }),
    ]),
    graph(
      'Resets and suspense',
      [
        own('tally', 'ResetsDetected').with({ label: 'resets' }),
        own('tally', 'SuspenseMwh').with({ label: 'into suspense, mWh' }),
        own('reconcile', 'SuspenseHeldMwh', 'Maximum').with({ label: 'held, mWh' }),
      ],
      '',
    ),
    targetWidget('rollups-differ', measures['rollups-differ'], [
      own('reconcile', 'Findings', 'Maximum').with({ label: 'findings of any kind' }),
      own('reconcile', 'ReadingsUnbooked', 'Maximum').with({ label: 'readings not booked' }),
    ]),
    targetWidget('sequence-gaps', measures['sequence-gaps']),
    targetWidget('tickets', measures.tickets, [
      own('probe', 'TicketsOpen', 'Maximum').with({ label: 'open' }),
      own('probe', 'TicketsOpenHigh', 'Maximum').with({ label: 'open, high severity' }),
    ]),
    targetWidget('api-errors', measures['api-errors']),
  ]
}

function rest({ metrics, measures, functions, config }: OperationsPageProps): IWidget[] {
  const { own } = metrics
  return [
    graph(
      'Nodes',
      [
        own('rollup', 'KnownDevices', 'Maximum').with({ label: 'known' }),
        own('rollup', 'OnlineDevices', 'Maximum').with({ label: 'online' }),
      ],
      'nodes',
    ),
    targetWidget('uptime', measures.uptime),
    targetWidget('reconcile', measures.reconcile),
    targetWidget('recalculation', measures.recalculation),
    targetWidget('aggregation', measures.aggregation),
    graph('Cost of a node and month', [costOfANode(metrics, functions, config)], 'USD'),
  ]
}
