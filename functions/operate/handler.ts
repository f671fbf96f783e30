import { LambdaClient } from '@aws-sdk/client-lambda'
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'
import { changeStore } from '../adapters/changes.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { type HttpResponse, problem } from '../adapters/http.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { observed } from '../adapters/observe.ts'
import { suffices } from '../adapters/roles.ts'
import { startFunction } from '../adapters/start-function.ts'
import { ticketStore } from '../adapters/tickets.ts'
import { callerOf } from '../api/caller.ts'
import { type OperatePorts, ROUTES } from './routes.ts'

const client = documentClient()
const lambda = new LambdaClient({})
const ports: OperatePorts = {
  tickets: ticketStore(client, env('CONTROL_TABLE')),
  changes: changeStore(client, env('CONTROL_TABLE')),
  startRun: startFunction(lambda, env('RECONCILE_FUNCTION')),
  startLedger: startFunction(lambda, env('LEDGER_FUNCTION')),
  nodes: nodeStore(client, env('NODES_TABLE')),
  controlTable: env('CONTROL_TABLE'),
  nodesTable: env('NODES_TABLE'),
  now: Date.now,
}

/** What operators do over HTTP about what the reconciliation finds. */
export const handler = observed<APIGatewayProxyEventV2WithJWTAuthorizer, HttpResponse>().handler(
  async (event) => {
    const route = ROUTES[event.routeKey]
    if (route === undefined) {
      const detail = `no handler for "${event.routeKey}"`
      return problem({ status: 404, title: 'No such route', detail })
    }
    const { sub, username, role } = callerOf(event)
    if (role === null || !suffices(role, 'operator')) {
      const detail = `"${event.routeKey}" takes the operator role`
      return problem({ status: 403, title: 'Forbidden', detail })
    }
    const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')
    return route({ actor: { sub, username, role }, body, id: event.pathParameters?.id }, ports)
  },
)
