import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { auditStore } from '../adapters/audit.ts'
import { closingStore } from '../adapters/closings.ts'
import { controlStore } from '../adapters/control.ts'
import { controlLists } from '../adapters/control-lists.ts'
import { env } from '../adapters/dynamo.ts'
import { jobStore } from '../adapters/jobs.ts'
import { journalReader } from '../adapters/journal.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { pauseStore } from '../adapters/pauses.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { tariffStore } from '../adapters/tariffs.ts'
import type { ApiPorts } from './endpoint.ts'

/** What the read API reads, as the environment names it: of the API itself, and of the probe that asks it. */
export function apiPorts(client: DynamoDBDocumentClient): ApiPorts {
  return {
    nodes: nodeStore(client, env('NODES_TABLE')),
    rollups: rollupStore(client, env('ROLLUPS_TABLE')),
    journal: journalReader(client, env('LEDGER_TABLE')),
    control: controlStore(client, env('CONTROL_TABLE')),
    closings: closingStore(client, env('CONTROL_TABLE')),
    pauses: pauseStore(client, env('CONTROL_TABLE')),
    tariffs: tariffStore(client, env('CONTROL_TABLE')),
    jobs: jobStore(client, env('CONTROL_TABLE')),
    audit: auditStore(client, env('CONTROL_TABLE')),
    lists: controlLists(client, env('CONTROL_TABLE')),
    currency: env('CURRENCY'),
    siteTimeZone: env('SITE_TIME_ZONE'),
    now: Date.now,
  }
}
