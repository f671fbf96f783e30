import { LambdaClient } from '@aws-sdk/client-lambda'
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'
import { changeStore } from '../adapters/changes.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import type { HttpResponse } from '../adapters/http.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { observed } from '../adapters/observe.ts'
import { startFunction } from '../adapters/start-function.ts'
import { ticketStore } from '../adapters/tickets.ts'
import { guarded } from '../admin/guarded.ts'
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
  guarded('operator', ROUTES, ports),
)
