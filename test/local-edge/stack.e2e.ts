import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { App, Duration, Stack } from 'aws-cdk-lib'
import { CorsHttpMethod, HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpUserPoolAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import {
  CfnUserPoolGroup,
  OAuthScope,
  ResourceServerScope,
  UserPool,
} from 'aws-cdk-lib/aws-cognito'
import { CfnPolicy, CfnTopicRule } from 'aws-cdk-lib/aws-iot'
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type LocalStack, startLocal } from '../../local/boot.ts'
import { token } from './api.ts'
import { temporaryFolder } from './edge.ts'
import { connect, POLICY, POLICY_DOCUMENT, provision } from './nodes.ts'

/** The whole stack over an app written with CDK's own constructs; the functions report to a probe. */
const seen: Record<string, unknown>[] = []
const probe = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  seen.push(JSON.parse(Buffer.concat(chunks).toString()))
  response.end()
})
beforeAll(() => new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve)))
beforeEach(() => void seen.splice(0))
afterAll(() => {
  probe.close()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const folders: string[] = []
function folder(): string {
  const made = temporaryFolder()
  folders.push(made)
  return made
}

function edgeApp({ rule = true, route = true } = {}): App {
  const app = new App({ outdir: folder(), analyticsReporting: false })
  const people = new Stack(app, 'Edge-People')
  const work = new Stack(app, 'Edge-Work')
  const pool = new UserPool(people, 'Pool')
  const scope = new ResourceServerScope({ scopeName: 'read', scopeDescription: 'Read' })
  const server = pool.addResourceServer('Server', { identifier: 'autovolt', scopes: [scope] })
  const client = pool.addClient('Client', {
    accessTokenValidity: Duration.minutes(10),
    oAuth: { scopes: [OAuthScope.resourceServer(server, scope)] },
  })
  new CfnUserPoolGroup(people, 'Viewers', { userPoolId: pool.userPoolId, groupName: 'viewer' })

  const target = new LambdaFunction(work, 'Echo', {
    functionName: 'autovolt-local-echo',
    runtime: Runtime.NODEJS_24_X,
    code: Code.fromAsset(join(import.meta.dirname, 'handlers')),
    handler: 'index.handler',
    environment: { PROBE_URL: `http://127.0.0.1:${(probe.address() as AddressInfo).port}` },
  })
  new CfnPolicy(work, 'Policy', { policyName: POLICY, policyDocument: POLICY_DOCUMENT })
  if (rule) {
    new CfnTopicRule(work, 'Rule', {
      ruleName: 'autovolt_local_telemetry',
      topicRulePayload: {
        awsIotSqlVersion: '2016-03-23',
        sql: "SELECT encode(*, 'base64') AS payload, topic(3) AS channel FROM 'autovolt/+/telemetry'",
        actions: [{ lambda: { functionArn: target.functionArn } }],
      },
    })
  }
  const api = new HttpApi(work, 'Api', {
    corsPreflight: { allowOrigins: ['*'], allowMethods: [CorsHttpMethod.GET] },
  })
  const integration = new HttpLambdaIntegration('Echo', target)
  const authorizer = new HttpUserPoolAuthorizer('People', pool, { userPoolClients: [client] })
  const get = (path: string) =>
    api.addRoutes({
      path,
      methods: [HttpMethod.GET],
      integration,
      authorizer,
      authorizationScopes: ['autovolt/read'],
    })
  get('/kept/{id}')
  if (route) get('/summary')
  return app
}

function start(app: App): Promise<LocalStack> {
  const dataDir = folder()
  return startLocal({ httpPort: 0, mqttPort: 0, dataDir, fresh: true, fleet: false, app })
}

test('a message reaches its function, and a person its route', async () => {
  await using stack = await start(edgeApp())
  const edge = {
    control: stack.endpoints.control,
    started: { endpoints: stack.endpoints, stop: async () => {} },
  }
  const node = await provision(edge, 'esp32-a')
  const client = await connect(edge, 'esp32-a', node)
  await client.publishAsync('autovolt/esp32-a/telemetry', 'hello', { qos: 1 })
  await vi.waitFor(
    () => expect(seen).toEqual([{ payload: 'aGVsbG8=', channel: 'telemetry' }]),
    10_000,
  )
  await client.endAsync()

  const { http } = stack.endpoints
  expect((await fetch(`${http}/summary`)).status).toBe(401)
  const headers = { authorization: `Bearer ${await token(edge, 'viewer')}` }
  const answer = await fetch(`${http}/kept/7`, { headers })
  expect([answer.status, await answer.json()]).toEqual([200, { seen: '/kept/7' }])
  expect(seen.at(-1)).toMatchObject({ version: '2.0', pathParameters: { id: '7' } })
})

test('a rule and a route taken out of the app are gone, with no other edit', async () => {
  await using stack = await start(edgeApp({ rule: false, route: false }))
  const edge = {
    control: stack.endpoints.control,
    started: { endpoints: stack.endpoints, stop: async () => {} },
  }
  const node = await provision(edge, 'esp32-a')
  const client = await connect(edge, 'esp32-a', node)
  await client.publishAsync('autovolt/esp32-a/telemetry', 'hello', { qos: 1 })
  await client.endAsync()
  const headers = { authorization: `Bearer ${await token(edge, 'viewer')}` }
  expect((await fetch(`${stack.endpoints.http}/summary`, { headers })).status).toBe(404)
  expect((await fetch(`${stack.endpoints.http}/kept/7`, { headers })).status).toBe(200)
  expect(seen.map(({ rawPath }) => rawPath)).toEqual(['/kept/7'])
})
