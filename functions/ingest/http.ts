import { MetricUnit } from '@aws-lambda-powertools/metrics'
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'
import { archiveOfFunction } from '../adapters/archive.ts'
import { controlStore } from '../adapters/control.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { type HttpResponse, json, problem } from '../adapters/http.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { metrics, observed } from '../adapters/observe.ts'
import { quarantineStore } from '../adapters/quarantine.ts'
import { rawStore } from '../adapters/raw.ts'
import { hasRole } from '../adapters/roles.ts'
import { acceptPost } from './post.ts'

const client = documentClient()
const control = controlStore(client, env('CONTROL_TABLE'))
const ports = {
  archive: archiveOfFunction(env('ARCHIVE_STREAM')),
  nodes: nodeStore(client, env('NODES_TABLE')),
  raw: rawStore(client, env('TELEMETRY_TABLE'), Number(env('RAW_RETENTION_DAYS'))),
  quarantine: quarantineStore(
    client,
    env('QUARANTINE_TABLE'),
    Number(env('QUARANTINE_RETENTION_DAYS')),
  ),
}

/** `POST /telemetry`: the same path and rules as MQTT, for gateways and load tests (operator role). */
export const handler = observed<APIGatewayProxyEventV2WithJWTAuthorizer, HttpResponse>().handler(
  async (event) => {
    if (!hasRole(event, 'operator')) {
      const detail = 'posting telemetry in the name of a node takes the operator role'
      return problem({ status: 403, title: 'Forbidden', detail })
    }
    const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')
    const { timeEpoch, requestId, authorizer } = event.requestContext
    const post = {
      body,
      receivedAtMs: timeEpoch,
      requestId,
      principal: String(authorizer.jwt.claims.sub ?? ''),
    }
    const outcome = await acceptPost(post, ports)
    if ('problem' in outcome) {
      metrics.addMetric('MessagesQuarantined', MetricUnit.Count, 1)
      return problem(outcome.problem)
    }
    const { duplicates } = outcome.answer
    if (duplicates > 0) {
      await control.countRepeated(duplicates)
      metrics.addMetric('ReadingsRepeated', MetricUnit.Count, duplicates)
    }
    return json(202, outcome.answer)
  },
)
