import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { documentClient, env } from '../adapters/dynamo.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { metrics, observed } from '../adapters/observe.ts'
import { quarantineStore } from '../adapters/quarantine.ts'
import { RuleEvent } from '../contract/rule-event.ts'
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

/** Status messages, wills and heartbeats. */
export const handler = observed<unknown, { outcome: string }>().handler(async (event) => {
  const outcome = await see(RuleEvent.parse(event), ports)
  if (outcome === 'quarantined') metrics.addMetric('MessagesQuarantined', MetricUnit.Count, 1)
  return { outcome }
})
