import { LambdaClient } from '@aws-sdk/client-lambda'
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'
import { changeStore } from '../adapters/changes.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { firstDays } from '../adapters/first-days.ts'
import { type HttpResponse, problem } from '../adapters/http.ts'
import { logger, observed } from '../adapters/observe.ts'
import { suffices } from '../adapters/roles.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { startFunction } from '../adapters/start-function.ts'
import { tariffStore } from '../adapters/tariffs.ts'
import { callerOf } from '../api/caller.ts'
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
  async (event) => {
    const route = ROUTES[event.routeKey]
    if (route === undefined) {
      const detail = `no handler for "${event.routeKey}"`
      return problem({ status: 404, title: 'No such route', detail })
    }
    const { sub, username, role } = callerOf(event)
    if (role === null || !suffices(role, 'admin')) {
      const detail = `"${event.routeKey}" takes the admin role`
      return problem({ status: 403, title: 'Forbidden', detail })
    }
    const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')
    const key = event.headers['idempotency-key']
    return route({ actor: { sub, username, role }, body, key }, ports)
  },
)
