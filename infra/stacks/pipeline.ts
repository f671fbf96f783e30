import { CfnOutput, Duration, Stack, type StackProps, TimeZone } from 'aws-cdk-lib'
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import type { Construct } from 'constructs'
import { AsyncInvocation } from '../constructs/async-invocation.ts'
import { Backup } from '../constructs/backup.ts'
import { DevicePolicy } from '../constructs/device-policy.ts'
import { FailureAlarm } from '../constructs/failure-alarm.ts'
import { FailureQueue } from '../constructs/failure-queue.ts'
import { FirmwareReleases } from '../constructs/firmware-releases.ts'
import { FormerBridge } from '../constructs/former-bridge.ts'
import { type FunctionContext, ServiceFunction } from '../constructs/function.ts'
import { LedgerGuard } from '../constructs/ledger-guard.ts'
import { Onboarding } from '../constructs/onboarding.ts'
import { Reconciliation } from '../constructs/reconciliation.ts'
import { Schedules } from '../constructs/schedules.ts'
import { StreamConsumer } from '../constructs/stream-consumer.ts'
import { TimestreamSink } from '../constructs/timestream-sink.ts'
import { LIFECYCLE, TopicRule } from '../constructs/topic-rule.ts'

/** The way of a reading: rule → ingest → telemetry → ledger → rollup, and who is present. */
export class PipelineStack extends Stack {
  /** The nightly run, which people may also start. */
  readonly reconcile: ServiceFunction
  /** Books readings, and follows what people decide. */
  readonly ledger: ServiceFunction

  constructor(scope: Construct, id: string, context: FunctionContext, props: StackProps) {
    super(scope, id, props)
    const { config, tables } = context
    const { telemetry, ledger: ledgerTable } = tables.byName

    // What nodes may do, and what happens to what they say.
    const devicePolicy = new DevicePolicy(this, 'DevicePolicy', config)
    new Onboarding(this, 'Onboarding', context, { devicePolicy })
    new FirmwareReleases(this, 'Firmware', config)
    const ruleFailures = new FailureQueue(this, 'RuleFailures', {
      ...context,
      name: 'rule-failures',
      meaning:
        'Messages of nodes that a topic rule could not hand to its function. Each holds the payload and the reason; send it again once the cause is gone.',
    })

    const ingest = new ServiceFunction(this, 'Ingest', context, {
      name: 'ingest',
      entry: 'functions/ingest/handler.ts',
      description: 'Stores each reading once, or quarantines it with the reason',
      rights: {
        telemetry: ['PutItem', 'GetItem'],
        quarantine: ['PutItem'],
        control: ['UpdateItem'],
      },
      memoryMb: 256,
      timeout: Duration.seconds(10),
    })
    // Six hours is the longest Lambda keeps an event: a throttled account loses no reading.
    new AsyncInvocation(this, 'IngestAsync', context, {
      target: ingest,
      maxEventAge: Duration.hours(6),
    })
    const bridge =
      config.formerSystem && new FormerBridge(this, 'FormerBridge', context, config.formerSystem)
    new TopicRule(this, 'TelemetryRule', {
      config,
      channel: 'telemetry',
      target: ingest,
      failures: ruleFailures,
      archive: context.archive.stream,
      also: bridge?.target,
    })

    const presence = new ServiceFunction(this, 'Presence', context, {
      name: 'presence',
      entry: 'functions/presence/handler.ts',
      description: 'Keeps which nodes are online and when they were last seen',
      rights: {
        nodes: ['GetItem', 'PutItem', 'UpdateItem'],
        control: ['UpdateItem'],
        quarantine: ['PutItem'],
      },
      memoryMb: 256,
      timeout: Duration.seconds(10),
    })
    // An hour later several heartbeats have said the same or better.
    new AsyncInvocation(this, 'PresenceAsync', context, {
      target: presence,
      maxEventAge: Duration.hours(1),
    })
    const heard = {
      StatusRule: 'status',
      HeartbeatRule: 'heartbeat',
      LifecycleRule: LIFECYCLE,
    } as const
    for (const [id, channel] of Object.entries(heard)) {
      new TopicRule(this, id, { config, channel, target: presence, failures: ruleFailures })
    }

    // The only function that may write the ledger. It can put; nothing can change or delete.
    this.ledger = new ServiceFunction(this, 'Ledger', context, {
      name: 'ledger',
      entry: 'functions/ledger/handler.ts',
      description: 'Books readings as immutable, chained journal entries',
      rights: {
        ledger: ['PutItem', 'GetItem', 'Query'],
        nodes: ['PutItem', 'GetItem', 'Query'],
        control: ['GetItem', 'PutItem', 'UpdateItem'],
        quarantine: ['PutItem'],
      },
      memoryMb: 512,
      timeout: Duration.minutes(1),
      // Settling a long time goes on in other invocations; what is left of it bounds it.
      startsItself: true,
    })
    const { ledger } = this
    const { failures } = new StreamConsumer(this, 'LedgerStream', context, {
      target: ledger,
      sources: { Telemetry: { table: telemetry, insertsOnly: true } },
      batchSize: 100,
      window: Duration.seconds(config.ledgerWindowSeconds),
      parallelizationFactor: 4,
      retryAttempts: 10,
      setsAside: true,
    })
    // What is owed is settled before the next reading in any case, and by the next nightly run.
    new AsyncInvocation(this, 'LedgerAsync', context, {
      target: ledger,
      maxEventAge: Duration.hours(6),
      failures,
    })
    new FailureAlarm(this, 'BookingFailed', context, {
      counter: ledger,
      metricName: 'BookingFailed',
      name: 'booking-failed',
      question: 'lost',
      meaning:
        'Readings could not be booked. The log of ledger names the register and the reason; what no retry would help is in its failure queue.',
    })

    const rollup = new ServiceFunction(this, 'Rollup', context, {
      name: 'rollup',
      entry: 'functions/rollup/handler.ts',
      description: 'Folds new journal entries into day items, exactly once; closes days and months',
      rights: {
        ledger: ['Query', 'GetItem'],
        nodes: ['Query', 'Scan', 'GetItem', 'PutItem', 'UpdateItem'],
        rollups: ['PutItem', 'GetItem', 'Query'],
        control: ['PutItem', 'GetItem', 'UpdateItem', 'Query'],
      },
      memoryMb: 512,
      timeout: Duration.minutes(5),
    })
    // The next quarter does what this one could not, so an old start is worthless.
    new AsyncInvocation(this, 'RollupAsync', context, {
      target: rollup,
      maxEventAge: Duration.minutes(15),
    })
    // Days end by the clocks of the site; ten minutes later their nodes have told of the last reading.
    const timeZone = TimeZone.of(config.siteTimeZone)
    new Schedules(this, 'RollupSchedule', context, {
      target: rollup,
      missed: 'The next start does what this one should have, closing days and months included.',
      starts: [
        {
          name: 'quarter-hour',
          description: 'Carries new journal entries into the day items every 15 minutes',
          when: ScheduleExpression.rate(Duration.minutes(15)),
        },
        {
          name: 'close-day',
          description: 'Closes the local day that ended ten minutes ago',
          when: ScheduleExpression.cron({ hour: '0', minute: '10', timeZone }),
        },
        {
          name: 'close-month',
          description: 'Closes the local month that ended twenty minutes ago',
          when: ScheduleExpression.cron({ day: '1', hour: '0', minute: '20', timeZone }),
        },
      ],
    })
    new FailureAlarm(this, 'RollupFailed', context, {
      counter: rollup,
      metricName: 'RollupFailed',
      name: 'rollup-failed',
      meaning:
        'Registers could not be rolled up, so their days stand still. The log of rollup names the register and the reason; the next quarter tries again.',
    })

    this.reconcile = new Reconciliation(this, 'Reconciliation', context, { ledger, rollup }).target
    new Backup(this, 'Backup', context)

    const tally = new ServiceFunction(this, 'Tally', context, {
      name: 'tally',
      entry: 'functions/tally/handler.ts',
      description: 'Counts what was received and booked, and watches the ledger for changes',
      rights: { control: ['UpdateItem', 'PutItem'] },
      memoryMb: 256,
      timeout: Duration.minutes(1),
    })
    new StreamConsumer(this, 'TallyStreams', context, {
      target: tally,
      sources: {
        Telemetry: { table: telemetry, insertsOnly: true },
        Ledger: { table: ledgerTable },
      },
      batchSize: 1_000,
      window: Duration.seconds(config.tallyWindowSeconds),
      retryAttempts: 10,
    })
    if (config.timestream !== undefined) {
      new TimestreamSink(this, 'TimestreamSink', context, { ...config.timestream, telemetry })
    }
    new LedgerGuard(this, 'LedgerGuard', context, tally)

    new CfnOutput(this, 'DevicePolicyName', { value: devicePolicy.policyName })
  }
}
