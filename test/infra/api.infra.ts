import { describe, expect, it } from 'vitest'
import type { RouteContract } from '../../functions/contract/api/route.ts'
import { ROUTES } from '../../functions/contract/api/routes.ts'
import { synthesize } from './synthesized.ts'

const app = synthesize('prod', { account: '123456789012' })
const routes = app.ofType('AWS::ApiGatewayV2::Route').map(({ properties }) => properties)
const api = app.one('AWS::ApiGatewayV2::Api')
const authorizer = app.one('AWS::ApiGatewayV2::Authorizer')

const isPublic = (routeKey: string) => /\/(health|openapi\.json)$/.test(routeKey)

describe('routes', () => {
  it('are those of the contract, each with the scope it asks for', () => {
    const table = routes.map(({ RouteKey, AuthorizationType, AuthorizationScopes }) => [
      RouteKey,
      AuthorizationType,
      AuthorizationScopes,
    ])
    const contract = Object.values<RouteContract>(ROUTES).map(({ method, path, access }) => [
      `${method} ${path}`,
      access === 'public' ? 'NONE' : 'JWT',
      access === 'public' ? undefined : [`autovolt/${access}`],
    ])
    expect(table).toEqual(contract)
  })

  it('read through one function and write through others', () => {
    const integrations = new Map(
      app
        .ofType('AWS::ApiGatewayV2::Integration')
        .map(({ id, properties }) => [`integrations/ref:${id}`, properties]),
    )
    const behind = (routeKey: string, target: string) => {
      const name = integrations
        .get(target)
        ?.IntegrationUri.replace(/^Arn:autovolt-prod-(.+):live$/, '$1')
      return routeKey.startsWith('GET ') ? name : `${routeKey.split('/').at(-1)} ${name}`
    }
    const names = routes.map(({ RouteKey, Target }) => behind(RouteKey, Target))
    expect([...new Set(names)].sort()).toEqual([
      'api',
      'cost-versions admin',
      'recalculate admin',
      'reconciliations operate',
      'telemetry ingest-http',
      '{id} operate',
    ])
  })

  it('ask for a token of our users, for this API, unless they are public', () => {
    for (const { RouteKey, AuthorizerId } of routes) {
      expect(AuthorizerId).toBe(isPublic(RouteKey) ? undefined : `ref:${authorizer.id}`)
    }
    const client = app.one('AWS::Cognito::UserPoolClient')
    expect(authorizer.properties).toMatchObject({
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: {
        Issuer: 'ProviderURL:autovolt-prod-people',
        Audience: [`ref:${client.id}`],
      },
    })
  })

  it('may invoke their function through this API only', () => {
    const permissions = app
      .ofType('AWS::Lambda::Permission')
      .map(({ properties }) => properties)
      .filter(({ Principal }) => Principal === 'apigateway.amazonaws.com')
    const permission = (name: string) => ({
      Action: 'lambda:InvokeFunction',
      FunctionName: `Arn:autovolt-prod-${name}:live`,
      Principal: 'apigateway.amazonaws.com',
      SourceAccount: '123456789012',
      SourceArn: `arn:aws:execute-api:ap-south-1:123456789012:ref:${api.id}/*/*`,
    })
    expect(permissions).toEqual([
      permission('api'),
      permission('admin'),
      permission('ingest-http'),
      permission('operate'),
    ])
  })
})

describe('the stage', () => {
  const { properties } = app.one('AWS::ApiGatewayV2::Stage')

  it('limits calls, and those without a token more', () => {
    expect(properties.StageName).toBe('$default')
    expect(properties.DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 200,
      ThrottlingBurstLimit: 400,
    })
    const tenth = { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 }
    expect(properties.RouteSettings).toEqual({
      'GET /api/power-analytics/health': tenth,
      'GET /api/power-analytics/openapi.json': tenth,
    })
  })

  it('writes an access log that holds no data of calls', () => {
    const group = app.one(
      'AWS::Logs::LogGroup',
      ({ LogGroupName }) => LogGroupName === '/aws/vendedlogs/autovolt-prod-api',
    )
    expect(group.properties.RetentionInDays).toBe(90)
    expect(properties.AccessLogSettings.DestinationArn).toBe(
      'Arn:/aws/vendedlogs/autovolt-prod-api',
    )
    const format = JSON.parse(properties.AccessLogSettings.Format)
    expect(format).toMatchObject({ requestId: '$context.requestId', status: '$context.status' })
    expect(properties.AccessLogSettings.Format).not.toMatch(/path|query|body|header/i)
  })
})

describe('browsers', () => {
  it('may call from the origins of the configuration only', () => {
    expect(api.properties.CorsConfiguration).toEqual({
      AllowOrigins: ['https://autovolt.example'],
      AllowMethods: ['GET', 'POST', 'PATCH'],
      AllowHeaders: ['authorization', 'content-type', 'if-none-match', 'idempotency-key'],
      ExposeHeaders: [
        'etag',
        'location',
        'link',
        'x-next-start',
        'content-disposition',
        'deprecation',
        'sunset',
        'idempotency-replayed',
      ],
      MaxAge: 3600,
    })
  })
})

describe('people', () => {
  it('cannot sign up themselves and need a second factor', () => {
    expect(app.one('AWS::Cognito::UserPool').properties).toMatchObject({
      UserPoolName: 'autovolt-prod-people',
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      MfaConfiguration: 'ON',
      EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
      UsernameAttributes: ['email'],
      UserPoolTier: 'ESSENTIALS',
    })
  })

  it('have one of three roles, and tokens three scopes', () => {
    const groups = app.ofType('AWS::Cognito::UserPoolGroup')
    expect(groups.map(({ properties }) => properties.GroupName)).toEqual([
      'admin',
      'operator',
      'viewer',
    ])
    const server = app.one('AWS::Cognito::UserPoolResourceServer').properties
    expect(server.Identifier).toBe('autovolt')
    expect(server.Scopes.map((scope: Record<string, string>) => scope.ScopeName)).toEqual([
      'read',
      'operate',
      'admin',
    ])
  })

  it('sign in with a code and PKCE: the client has no secret and no other flow', () => {
    expect(app.one('AWS::Cognito::UserPoolClient').properties).toMatchObject({
      GenerateSecret: false,
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
      CallbackURLs: ['https://autovolt.example/'],
      PreventUserExistenceErrors: 'ENABLED',
      EnableTokenRevocation: true,
      AccessTokenValidity: 60,
      TokenValidityUnits: { AccessToken: 'minutes' },
    })
  })
})

describe('tokens', () => {
  it('say what the pre-token function gives, by the event that may change access tokens', () => {
    const arn = 'Arn:autovolt-prod-pre-token:live'
    expect(app.one('AWS::Cognito::UserPool').properties.LambdaConfig).toEqual({
      PreTokenGenerationConfig: { LambdaArn: arn, LambdaVersion: 'V2_0' },
    })
    const permission = app.one(
      'AWS::Lambda::Permission',
      ({ Principal }) => Principal === 'cognito-idp.amazonaws.com',
    )
    expect(permission.properties).toMatchObject({
      FunctionName: arn,
      SourceArn: 'Arn:autovolt-prod-people',
    })
  })

  it('are limited by an attribute that no client writes or reads', () => {
    expect(app.one('AWS::Cognito::UserPool').properties.Schema).toEqual([
      {
        Name: 'classrooms',
        AttributeDataType: 'String',
        Mutable: true,
        StringAttributeConstraints: { MaxLength: '2048' },
      },
    ])
    expect(app.one('AWS::Cognito::UserPoolClient').properties).toMatchObject({
      ReadAttributes: ['email'],
      WriteAttributes: ['email'],
    })
  })

  it('come to a terminal on every stage but production', () => {
    const callbacks = (stage: 'dev' | 'staging' | 'prod') =>
      synthesize(stage).one('AWS::Cognito::UserPoolClient').properties.CallbackURLs
    expect(callbacks('dev')).toContain('http://localhost:8976/callback')
    expect(callbacks('staging')).toContain('http://localhost:8976/callback')
    expect(callbacks('prod')).toEqual(['https://autovolt.example/'])
  })
})

describe('outputs', () => {
  it('tell other tools where things are', () => {
    expect(app.outputs).toMatchObject({
      HttpApiUrl: `ApiEndpoint:${api.id}`,
      UserPoolId: 'ref:autovolt-prod-people',
      UserPoolClientId: `ref:${app.one('AWS::Cognito::UserPoolClient').id}`,
      DevicePolicyName: 'autovolt-prod-node',
    })
    expect(app.outputs.SignInUrl).toMatch(/^https:\/\/.+\.auth\.ap-south-1\.amazoncognito\.com$/)
  })
})
