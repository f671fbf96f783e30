import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { documentClient } from '../adapters/dynamo.ts'
import type { HttpResponse } from '../adapters/http.ts'
import { observed } from '../adapters/observe.ts'
import { dispatch } from './dispatch.ts'
import { apiPorts } from './ports.ts'
import { ENDPOINTS } from './routes.ts'

const ports = apiPorts(documentClient())

/** The read API of dashboards and admins. */
export const handler = observed<APIGatewayProxyEventV2, HttpResponse>().handler((event) =>
  dispatch(event, ENDPOINTS, ports),
)
