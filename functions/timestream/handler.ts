import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { TimestreamWriteClient } from '@aws-sdk/client-timestream-write'
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import { env } from '../adapters/dynamo.ts'
import { failureQueue } from '../adapters/failures.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { type CopyPorts, copyBatch } from './copy.ts'

const ports: CopyPorts = {
  target: {
    client: new TimestreamWriteClient({}),
    database: env('TIMESTREAM_DATABASE'),
    table: env('TIMESTREAM_TABLE'),
  },
  failureQueue: failureQueue(env('FAILURES_QUEUE_URL')),
  refused: (register, id, reason) => logger.error('not in Timestream', { register, id, reason }),
  now: Date.now,
}

/** A stream's event; one that redrive made says so, and is told why each record failed. */
type CopyEvent = DynamoDBStreamEvent & { readonly redriven?: boolean }
type CopyAnswer = DynamoDBBatchResponse & { readonly reasons?: Readonly<Record<string, string>> }

/** New raw events from the Telemetry stream become rows of a Timestream table. */
export const handler = observed<CopyEvent, CopyAnswer>().handler(async (event) => {
  const redriven = event.redriven === true
  const done = await copyBatch(event.Records, ports, { redriven })
  const { written, superseded, rejected, failures, error, reasons } = done
  if (written > 0) metrics.addMetric('TimestreamWritten', MetricUnit.Count, written)
  if (superseded > 0) metrics.addMetric('TimestreamSuperseded', MetricUnit.Count, superseded)
  if (rejected > 0) metrics.addMetric('TimestreamRejected', MetricUnit.Count, rejected)
  if (failures.length > 0) {
    logger.error('readings not written to Timestream', { error: error as Error })
  }
  return {
    batchItemFailures: failures.map((itemIdentifier) => ({ itemIdentifier })),
    ...(redriven && { reasons }),
  }
})
