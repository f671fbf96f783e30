import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { documentClient, env } from '../adapters/dynamo.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { ticketCounter } from '../adapters/ticket-counts.ts'
import { apiPorts } from '../api/ports.ts'
import { type Probed, probe } from './probe.ts'

const client = documentClient()
const ports = apiPorts(client)
const tickets = ticketCounter(client, env('CONTROL_TABLE'))

/** Every five minutes: do cards and charts agree, is anything received and not booked, do tickets wait. */
export const handler = observed<unknown, Probed>().handler(async () => {
  const caller = { sub: 'probe', username: 'probe', role: 'viewer' as const, classrooms: null }
  const done = await probe(Date.now(), {
    classrooms: () => ports.rollups.classrooms(),
    control: ports.control,
    tickets,
    context: { caller, ports },
    found: (what) => logger.error('a card and its chart cannot both be right', what),
  })
  const count = (name: string, value: number) => metrics.addMetric(name, MetricUnit.Count, value)
  count('ProbeCompared', done.compared)
  count('ProbeDifferenceMwh', done.difference_mwh)
  count('ProbeFailed', done.failed)
  count('ReadingsOverdue', done.overdue)
  count('TicketsOpen', done.tickets.open)
  count('TicketsOpenHigh', done.tickets.openHigh)
  count('TicketsOpenedWeek', done.tickets.openedSince)
  return done
})
