import { MetricUnit } from '@aws-lambda-powertools/metrics'
import type { DynamoDBStreamEvent } from 'aws-lambda'
import { controlStore } from '../adapters/control.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { tally } from './tally.ts'

const control = controlStore(documentClient(), env('CONTROL_TABLE'))

/** Counts raw events and journal entries from their streams, and sees every change of the ledger. */
export const handler = observed<DynamoDBStreamEvent, void>().handler(async (event) => {
  const { add, lines, booking, tampered } = tally(event.Records)
  for (const { register, sk, eventName } of tampered) {
    logger.critical('a ledger item was changed or removed', { register, sk, eventName })
  }
  // Always reported, also as zero: an alarm must tell "nothing happened" from "nobody looked".
  metrics.addMetric('LedgerTampered', MetricUnit.Count, tampered.length)
  const [first] = event.Records
  if (first === undefined || Object.values(add).every((count) => count === 0)) return
  const guard = `${first.eventSourceARN}#${first.eventID}#${event.Records.length}`
  if (!(await control.countOnce(guard, add, Date.now()))) return
  const count = (name: string, value: number) => metrics.addMetric(name, MetricUnit.Count, value)
  if (add.received > 0) count('ReadingsReceived', add.received)
  if (add.entries === 0) return
  count('ReadingsBooked', add.booked)
  count('ReadingsBookedInTime', booking.inTime)
  metrics.addMetric('BookingDelayMs', MetricUnit.Milliseconds, booking.longestMs)
  count('EntriesBooked', add.entries)
  count('ResetsDetected', add.resets)
  count('LinesHigh', lines.high)
  count('LinesMedium', lines.medium)
  count('LinesLow', lines.low)
  count('EnergyBookedMwh', lines.energyMwh)
  count('SuspenseMwh', lines.suspenseMwh)
})
