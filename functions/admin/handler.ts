import { LambdaClient } from '@aws-sdk/client-lambda'
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'
import { changeStore } from '../adapters/changes.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { firstDays } from '../adapters/first-days.ts'
import type { HttpResponse } from '../adapters/http.ts'
import { logger, observed } from '../adapters/observe.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { startFunction } from '../adapters/start-function.ts'
import { tariffStore } from '../adapters/tariffs.ts'
import { guarded } from './guarded.ts'
import { type AdminPorts, ROUTES } from './routes.ts'

const client = documentClient()
const rollups = rollupStore(client, env('ROLLUPS_TABLE'))
const ports: AdminPorts = {
  tariffs: tariffStore(client, env('CONTROL_TABLE')),
  changes: changeStore(client, env('CONTROL_TABLE')),
  classrooms: () => rollups.classrooms(),
  firstDay: firstDays(client, env('ROLLUPS_TABLE')),
  startRecalculation: startFunction(new LambdaClient({}), env('RECALCULATE_FUNCTION')),
  startFailed: (jobId, error) =>
    logger.warn('recalculation waits for the schedule', { jobId, error: error as Error }),
  controlTable: env('CONTROL_TABLE'),
  siteTimeZone: env('SITE_TIME_ZONE'),
  now: Date.now,
}

/** What admins change over HTTP. */
export const handler = observed<APIGatewayProxyEventV2WithJWTAuthorizer, HttpResponse>().handler(
  guarded('admin', ROUTES, ports),
)
