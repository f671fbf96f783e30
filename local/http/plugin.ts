import { join } from 'node:path'
import { docsPage } from '../docs/page.ts'
import { openSigningKey } from '../identity/signing-key.ts'
import { openLogFiles } from '../log-files.ts'
import { listenOnLoopback } from '../loopback.ts'
import type { Plugin, Runtime } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import type { LogContext } from './access-log.ts'
import type { JwtAuthorizer } from './authorizer.ts'
import { createGateway } from './gateway.ts'
import { httpServer } from './server.ts'
import { type Api, type Route, readApi } from './template.ts'

/** Requests under way get this long to end when the stack stops. */
const DRAIN_MS = 2000

/** API Gateway's HTTP API on one machine: the template's routes, authorizer, throttles, CORS and access log. */
export const httpApi: Plugin = {
  name: 'http',
  supports: {
    'AWS::ApiGatewayV2::Api': [
      'CorsConfiguration',
      'Description',
      'DisableExecuteApiEndpoint',
      'Name',
      'ProtocolType',
      'Tags',
    ],
    'AWS::ApiGatewayV2::Authorizer': [
      'ApiId',
      'AuthorizerType',
      'IdentitySource',
      'JwtConfiguration',
      'Name',
    ],
    'AWS::ApiGatewayV2::Integration': [
      'ApiId',
      'Description',
      'IntegrationType',
      'IntegrationUri',
      'PayloadFormatVersion',
      'TimeoutInMillis',
    ],
    'AWS::ApiGatewayV2::Route': [
      'ApiId',
      'AuthorizationScopes',
      'AuthorizationType',
      'AuthorizerId',
      'OperationName',
      'RouteKey',
      'Target',
    ],
    'AWS::ApiGatewayV2::Stage': [
      'AccessLogSettings',
      'ApiId',
      'AutoDeploy',
      'DefaultRouteSettings',
      'Description',
      'RouteSettings',
      'StageName',
      'Tags',
    ],
  },

  async start(runtime, options) {
    const api = readApi(runtime)
    if (!api) return { stop: async () => {} }
    const authorizers = await prepareAuthorizers(runtime, api, options.dataDir)
    const logs = openLogFiles(join(options.dataDir, 'logs'))
    let port = 0
    const gateway = createGateway(runtime, api, authorizers, () => port)
    const { accessLog } = api
    const listening = await listenOnLoopback(
      () =>
        httpServer(
          gateway,
          async (method, path) => {
            for (const page of [docsPage, ...runtime.pages]) {
              const answer = await page(method, path)
              if (answer) return answer
            }
            return undefined
          },
          () => runtime.now(),
          (context) => {
            if (accessLog) logs.write('http-access', accessLog(context))
            measure(runtime, api.id, context)
          },
        ),
      options.httpPort,
      'The HTTP API (--http-port)',
    )
    port = listening.port
    const url = `http://localhost:${port}`
    return {
      urls: { HTTP: url, 'API docs': `${url}/docs` },
      endpoints: { http: url },
      async stop() {
        await Promise.all(
          listening.servers.map((server) => {
            const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
            return new Promise<void>((resolve) => {
              server.close(() => {
                clearTimeout(timer)
                resolve()
              })
              server.closeIdleConnections()
            })
          }),
        )
        await logs.flush()
      },
    }
  },
}

/** The figures API Gateway has of an answer. */
function measure(
  runtime: Pick<Runtime, 'figures' | 'now'>,
  apiId: string,
  { status, responseLatency }: LogContext,
): void {
  const add = (name: string, value: number) =>
    runtime.figures.add({
      namespace: 'AWS/ApiGateway',
      name,
      dimensions: { ApiId: apiId },
      value,
      atMs: runtime.now(),
    })
  const hundreds = Math.floor(Number(status) / 100)
  add('Count', 1)
  add('4xx', hundreds === 4 ? 1 : 0)
  add('5xx', hundreds === 5 ? 1 : 0)
  if (responseLatency !== undefined) add('Latency', Number(responseLatency))
}

/** Authorizers may only trust a user pool of the app, for its tokens are the ones made here. */
async function prepareAuthorizers(
  runtime: Pick<Runtime, 'ofType'>,
  api: Api,
  dataDir: string,
): Promise<Map<Route, JwtAuthorizer>> {
  const pools = runtime.ofType('AWS::Cognito::UserPool')
  const issuers = pools.map(({ attributes }) => attributes.ProviderURL)
  const prepared = new Map<Route, JwtAuthorizer>()
  for (const route of api.routes) {
    if (!route.authorizer) continue
    const { resource, issuer, audience } = route.authorizer
    if (!issuers.includes(issuer)) {
      const why = `${issuer} is no user pool of this app, and no token of it could be made here`
      throw refuse(resource, 'JwtConfiguration.Issuer', why, "Use the app's own user pool.")
    }
    const { kid, publicKey } = await openSigningKey(dataDir)
    prepared.set(route, { issuer, audience, kid, publicKey })
  }
  return prepared
}
