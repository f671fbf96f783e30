import { Duration, Stack, Validations } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { FailureAlarm } from './failure-alarm.ts'
import { type FunctionContext, ServiceFunction } from './function.ts'
import { StreamConsumer } from './stream-consumer.ts'

export interface TimestreamSinkProps {
  /** An existing database and table: AWS lets no new customer make one since 20 June 2025. */
  readonly database: string
  readonly table: string
  readonly telemetry: Table
}

/** Copies every reading to an existing Timestream table. The ledger neither waits for it nor reads it. */
export class TimestreamSink extends Construct {
  constructor(scope: Construct, id: string, context: FunctionContext, props: TimestreamSinkProps) {
    super(scope, id)
    const { database, table, telemetry } = props
    const sink = new ServiceFunction(this, 'Timestream', context, {
      name: 'timestream',
      entry: 'functions/timestream/handler.ts',
      description: 'Copies readings to an existing Timestream table; nothing here depends on it',
      rights: {},
      memoryMb: 256,
      timeout: Duration.minutes(1),
    })
    sink.lambda.addEnvironment('TIMESTREAM_DATABASE', database)
    sink.lambda.addEnvironment('TIMESTREAM_TABLE', table)
    const tableArn = Stack.of(this).formatArn({
      service: 'timestream',
      resource: 'database',
      resourceName: `${database}/table/${table}`,
    })
    sink.role.addToPolicy(
      new PolicyStatement({ actions: ['timestream:WriteRecords'], resources: [tableArn] }),
    )
    // The client asks where to write before it does.
    sink.role.addToPolicy(
      new PolicyStatement({ actions: ['timestream:DescribeEndpoints'], resources: ['*'] }),
    )
    Validations.of(sink.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'timestream:DescribeEndpoints and dynamodb:ListStreams take no resource; they tell an address and names, no content.',
    })
    new StreamConsumer(this, 'Stream', context, {
      target: sink,
      sources: { Telemetry: { table: telemetry, insertsOnly: true } },
      batchSize: 100,
      window: Duration.seconds(10),
      retryAttempts: 10,
      setsAside: true,
    })
    new FailureAlarm(this, 'Rejected', context, {
      counter: sink,
      metricName: 'TimestreamRejected',
      name: 'timestream-rejected',
      meaning:
        'Timestream refused readings for good: too old for its memory store, or of another type than the rows before. The messages in timestream-failures name them and why; `autovolt redrive` tries again.',
    })
  }
}
