import { MetricUnit } from '@aws-lambda-powertools/metrics'
import * as z from 'zod'
import { documentClient, env } from '../adapters/dynamo.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { metrics, observed } from '../adapters/observe.ts'
import { quarantineStore } from '../adapters/quarantine.ts'
import { LifecycleRuleEvent } from '../contract/lifecycle.ts'
import { RuleEvent } from '../contract/rule-event.ts'
import { tell } from './connection.ts'
import { see } from './see.ts'

const client = documentClient()
const ports = {
  nodes: nodeStore(client, env('NODES_TABLE'), env('CONTROL_TABLE')),
  quarantine: quarantineStore(
    client,
    env('QUARANTINE_TABLE'),
    Number(env('QUARANTINE_RETENTION_DAYS')),
  ),
}

const Event = z.union([RuleEvent, LifecycleRuleEvent])

/** Status messages, wills and heartbeats of nodes, and what the broker says of their connections. */
export const handler = observed<unknown, { outcome: string }>().handler(async (input) => {
  const event = Event.parse(input)
  if (!('client_id' in event)) return { outcome: await tell(event, ports) }
  const outcome = await see(event, ports)
  if (outcome === 'quarantined') metrics.addMetric('MessagesQuarantined', MetricUnit.Count, 1)
  return { outcome }
})
