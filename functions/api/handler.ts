import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { closingStore } from '../adapters/closings.ts'
import { controlStore } from '../adapters/control.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import type { HttpResponse } from '../adapters/http.ts'
import { journalReader } from '../adapters/journal.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { observed } from '../adapters/observe.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { tariffStore } from '../adapters/tariffs.ts'
import { type ApiPorts, answer } from './routes.ts'

const client = documentClient()
const ports: ApiPorts = {
  nodes: nodeStore(client, env('NODES_TABLE')),
  rollups: rollupStore(client, env('ROLLUPS_TABLE')),
  journal: journalReader(client, env('LEDGER_TABLE')),
  control: controlStore(client, env('CONTROL_TABLE')),
  closings: closingStore(client, env('CONTROL_TABLE')),
  tariffs: tariffStore(client, env('CONTROL_TABLE')),
  siteTimeZone: env('SITE_TIME_ZONE'),
  now: Date.now,
}

/** The read API of dashboards and admins. */
export const handler = observed<APIGatewayProxyEventV2, HttpResponse>().handler((event) =>
  answer(event, ports),
)
