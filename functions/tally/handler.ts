import { MetricUnit } from '@aws-lambda-powertools/metrics'
import type { DynamoDBStreamEvent } from 'aws-lambda'
import { controlStore } from '../adapters/control.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { tally } from './tally.ts'

const control = controlStore(documentClient(), env('CONTROL_TABLE'))

/** Counts raw events and journal entries from their streams, and sees every change of the ledger. */
export const handler = observed<DynamoDBStreamEvent, void>().handler(async (event) => {
  const { add, tampered } = tally(event.Records)
  for (const { register, sk, eventName } of tampered) {
    logger.critical('a ledger item was changed or removed', { register, sk, eventName })
  }
  // Always reported, also as zero: an alarm must tell "nothing happened" from "nobody looked".
  metrics.addMetric('LedgerTampered', MetricUnit.Count, tampered.length)
  const [first] = event.Records
  if (first === undefined || Object.values(add).every((count) => count === 0)) return
  if (add.received > 0) metrics.addMetric('ReadingsReceived', MetricUnit.Count, add.received)
  if (add.booked > 0) metrics.addMetric('ReadingsBooked', MetricUnit.Count, add.booked)
  const guard = `${first.eventSourceARN}#${first.eventID}#${event.Records.length}`
  await control.countOnce(guard, add, Date.now())
})
