import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { auditStore } from '../adapters/audit.ts'
import { closingStore } from '../adapters/closings.ts'
import { controlStore } from '../adapters/control.ts'
import { controlLists } from '../adapters/control-lists.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { jobStore } from '../adapters/jobs.ts'
import { journalReader } from '../adapters/journal.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { tariffStore } from '../adapters/tariffs.ts'
import { ticketCounter } from '../adapters/ticket-counts.ts'
import type { ApiPorts } from '../api/endpoint.ts'
import { type Probed, probe } from './probe.ts'

const client = documentClient()
const control = controlStore(client, env('CONTROL_TABLE'))
const rollups = rollupStore(client, env('ROLLUPS_TABLE'))
const ports: ApiPorts = {
  nodes: nodeStore(client, env('NODES_TABLE')),
  rollups,
  journal: journalReader(client, env('LEDGER_TABLE')),
  control,
  closings: closingStore(client, env('CONTROL_TABLE')),
  tariffs: tariffStore(client, env('CONTROL_TABLE')),
  jobs: jobStore(client, env('CONTROL_TABLE')),
  audit: auditStore(client, env('CONTROL_TABLE')),
  lists: controlLists(client, env('CONTROL_TABLE')),
  currency: env('CURRENCY'),
  siteTimeZone: env('SITE_TIME_ZONE'),
  now: Date.now,
}
const tickets = ticketCounter(client, env('CONTROL_TABLE'))

/** Every five minutes: do cards and charts agree, is anything received and not booked, do tickets wait. */
export const handler = observed<unknown, Probed>().handler(async () => {
  const caller = { sub: 'probe', username: 'probe', role: 'viewer' as const, classrooms: null }
  const done = await probe(Date.now(), {
    classrooms: () => rollups.classrooms(),
    control,
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
