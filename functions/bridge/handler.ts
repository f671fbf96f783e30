import { MetricUnit } from '@aws-lambda-powertools/metrics'
import * as z from 'zod'
import { documentClient, env } from '../adapters/dynamo.ts'
import { failureQueue } from '../adapters/failures.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { RuleEvent } from '../contract/rule-event.ts'
import { type Bridged, type BridgePorts, bridge } from './bridge.ts'
import { deliverTo } from './deliver.ts'
import { standings } from './standing.ts'

/** A rule's event; one that redrive sends says so. */
const Event = RuleEvent.extend({ redriven: z.literal(true).optional() })
const Chosen = z.object({ nodes: z.array(z.string()), classrooms: z.array(z.string()) })

const ports: BridgePorts = {
  deliver: deliverTo(env('FORMER_URL')),
  standing: standings(nodeStore(documentClient(), env('NODES_TABLE')), Date.now),
  failureQueue: failureQueue(env('FAILURES_QUEUE_URL')),
  chosen: Chosen.parse(JSON.parse(env('FORMER_CHOSEN'))),
  now: Date.now,
}

/** During the pilot: messages of chosen nodes go to the former system as well, as its nodes would have sent them. */
export const handler = observed<unknown, Bridged>().handler(async (input) => {
  const { redriven, ...event } = Event.parse(input)
  const done = await bridge(event, ports, redriven === true)
  if (done.delivered > 0) metrics.addMetric('FormerDelivered', MetricUnit.Count, done.delivered)
  if (done.rejected > 0) {
    metrics.addMetric('FormerRejected', MetricUnit.Count, done.rejected)
    logger.error('refused by the former system', { esp32_name: event.esp32_name })
  }
  return done
})
