import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { allowanceStore } from '../adapters/allowances.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import type { HookAnswer } from '../contract/claim.ts'
import { answer, type HookPorts } from './answer.ts'

const client = documentClient()
const ports: HookPorts = {
  allowances: allowanceStore(client, env('CONTROL_TABLE')),
  nodes: nodeStore(client, env('NODES_TABLE')),
  now: Date.now,
  refused(reason, request) {
    metrics.addMetric('ClaimsRefused', MetricUnit.Count, 1)
    logger.warn('claim refused', { reason, ...request })
  },
}

/** AWS IoT asks before it gives a node an identity by claim, or renews one. */
export const handler = observed<unknown, HookAnswer>().handler((event) => answer(event, ports))
