import { describe, expect, it } from 'vitest'
import { synthesize } from './synthesized.ts'

const app = synthesize('prod', { account: '123456789012' })
const routes = app.ofType('AWS::ApiGatewayV2::Route').map(({ properties }) => properties)
const api = app.one('AWS::ApiGatewayV2::Api')
const authorizer = app.one('AWS::ApiGatewayV2::Authorizer')

describe('routes', () => {
  it('are these, each with the scope it asks for and the function behind it', () => {
    const integrations = new Map(
      app
        .ofType('AWS::ApiGatewayV2::Integration')
        .map(({ id, properties }) => [`integrations/ref:${id}`, properties]),
    )
    const table = routes.map(({ RouteKey, AuthorizationType, AuthorizationScopes, Target }) => [
      RouteKey,
      AuthorizationType,
      AuthorizationScopes,
      integrations.get(Target)?.IntegrationUri,
    ])
    expect(table).toEqual([
      ['GET /api/power-analytics/health', 'NONE', undefined, 'Arn:autovolt-prod-api'],
      ['GET /api/power-analytics/summary', 'JWT', ['autovolt/read'], 'Arn:autovolt-prod-api'],
      ['GET /api/power-analytics/nodes', 'JWT', ['autovolt/read'], 'Arn:autovolt-prod-api'],
      ['GET /api/power-analytics/ledger', 'JWT', ['autovolt/operate'], 'Arn:autovolt-prod-api'],
      [
        'POST /api/power-analytics/telemetry',
        'JWT',
        ['autovolt/operate'],
        'Arn:autovolt-prod-ingest-http',
      ],
      [
        'POST /api/power-analytics/cost-versions',
        'JWT',
        ['autovolt/admin'],
        'Arn:autovolt-prod-admin',
      ],
      [
        'POST /api/power-analytics/recalculate',
        'JWT',
        ['autovolt/admin'],
        'Arn:autovolt-prod-admin',
      ],
    ])
  })

  it('but health all ask for a token of our users, for this API', () => {
    for (const { RouteKey, AuthorizerId } of routes) {
      expect(AuthorizerId).toBe(
        RouteKey === 'GET /api/power-analytics/health' ? undefined : `ref:${authorizer.id}`,
      )
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
      FunctionName: `Arn:autovolt-prod-${name}`,
      Principal: 'apigateway.amazonaws.com',
      SourceAccount: '123456789012',
      SourceArn: `arn:aws:execute-api:ap-south-1:123456789012:ref:${api.id}/*/*`,
    })
    expect(permissions).toEqual([permission('api'), permission('ingest-http'), permission('admin')])
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
    expect(properties.RouteSettings).toEqual({
      'GET /api/power-analytics/health': { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 },
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
      AllowMethods: ['GET', 'POST'],
      AllowHeaders: ['authorization', 'content-type'],
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
