import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { auditStore } from '../adapters/audit.ts'
import { closingStore } from '../adapters/closings.ts'
import { controlStore } from '../adapters/control.ts'
import { controlLists } from '../adapters/control-lists.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import type { HttpResponse } from '../adapters/http.ts'
import { jobStore } from '../adapters/jobs.ts'
import { journalReader } from '../adapters/journal.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { observed } from '../adapters/observe.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { tariffStore } from '../adapters/tariffs.ts'
import { dispatch } from './dispatch.ts'
import type { ApiPorts } from './endpoint.ts'
import { ENDPOINTS } from './routes.ts'

const client = documentClient()
const ports: ApiPorts = {
  nodes: nodeStore(client, env('NODES_TABLE')),
  rollups: rollupStore(client, env('ROLLUPS_TABLE')),
  journal: journalReader(client, env('LEDGER_TABLE')),
  control: controlStore(client, env('CONTROL_TABLE')),
  closings: closingStore(client, env('CONTROL_TABLE')),
  tariffs: tariffStore(client, env('CONTROL_TABLE')),
  jobs: jobStore(client, env('CONTROL_TABLE')),
  audit: auditStore(client, env('CONTROL_TABLE')),
  lists: controlLists(client, env('CONTROL_TABLE')),
  currency: env('CURRENCY'),
  siteTimeZone: env('SITE_TIME_ZONE'),
  now: Date.now,
}

/** The read API of dashboards and admins. */
export const handler = observed<APIGatewayProxyEventV2, HttpResponse>().handler((event) =>
  dispatch(event, ENDPOINTS, ports),
)
