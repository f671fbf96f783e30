import type { Resource } from '../../local/runtime.ts'
import { type Edge, PRE_TOKEN, resource } from './edge.ts'

const API = 'arn:aws:lambda:ap-south-1:000000000000:function:autovolt-local-api'
/** The provider URL of the pool. */
export const ISSUER = 'https://cognito-idp.ap-south-1.amazonaws.com/ap-south-1_local'
export const CLIENT = 'dashboardclient'

/** An open route to the one integration. */
export const route = (RouteKey: string, more: Record<string, unknown> = {}) =>
  resource('AWS::ApiGatewayV2::Route', RouteKey, {
    ApiId: 'api1',
    RouteKey,
    Target: 'integrations/int1',
    ...more,
  })
/** A route behind the authorizer. */
export const guarded = (RouteKey: string, ...AuthorizationScopes: string[]) =>
  route(RouteKey, { AuthorizationType: 'JWT', AuthorizerId: 'auth1', AuthorizationScopes })

/** A user pool and an HTTP API as the template writes them, with these routes. */
export function apiResources(...routes: Resource[]): Resource[] {
  return [
    resource(
      'AWS::Cognito::UserPool',
      'Pool',
      {
        LambdaConfig: { PreTokenGenerationConfig: { LambdaArn: PRE_TOKEN, LambdaVersion: 'V2_0' } },
      },
      'ap-south-1_local',
      { ProviderURL: ISSUER },
    ),
    resource(
      'AWS::Cognito::UserPoolClient',
      'Client',
      {
        UserPoolId: 'ap-south-1_local',
        AccessTokenValidity: 60,
        TokenValidityUnits: { AccessToken: 'minutes' },
      },
      CLIENT,
    ),
    resource('AWS::Cognito::UserPoolResourceServer', 'Server', {
      UserPoolId: 'ap-south-1_local',
      Identifier: 'autovolt',
      Scopes: ['read', 'operate', 'admin'].map((ScopeName) => ({ ScopeName })),
    }),
    ...['admin', 'operator', 'viewer'].map((GroupName) =>
      resource('AWS::Cognito::UserPoolGroup', GroupName, {
        UserPoolId: 'ap-south-1_local',
        GroupName,
      }),
    ),
    resource(
      'AWS::ApiGatewayV2::Api',
      'Api',
      {
        Name: 'autovolt-local-api',
        ProtocolType: 'HTTP',
        CorsConfiguration: {
          AllowHeaders: ['authorization', 'content-type'],
          AllowMethods: ['GET', 'POST'],
          AllowOrigins: ['https://dashboard.test'],
          MaxAge: 3600,
        },
      },
      'api1',
    ),
    resource(
      'AWS::ApiGatewayV2::Authorizer',
      'Authorizer',
      {
        ApiId: 'api1',
        AuthorizerType: 'JWT',
        IdentitySource: ['$request.header.Authorization'],
        JwtConfiguration: { Audience: [CLIENT], Issuer: ISSUER },
        Name: 'a',
      },
      'auth1',
    ),
    resource(
      'AWS::ApiGatewayV2::Integration',
      'Integration',
      {
        ApiId: 'api1',
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: API,
        PayloadFormatVersion: '2.0',
        TimeoutInMillis: 300,
      },
      'int1',
    ),
    resource('AWS::ApiGatewayV2::Stage', 'Stage', {
      ApiId: 'api1',
      AutoDeploy: true,
      StageName: '$default',
      AccessLogSettings: {
        DestinationArn: 'arn:logs',
        Format:
          '{"ip":"$context.identity.sourceIp","user":"$context.authorizer.claims.username","route":"$context.routeKey","status":"$context.status","bytes":"$context.responseLength","error":"$context.error.message"}',
      },
      DefaultRouteSettings: { ThrottlingBurstLimit: 4000, ThrottlingRateLimit: 2000 },
      RouteSettings: { 'GET /slow': { ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1 } },
    }),
    ...routes,
  ]
}

/** A token of a role from the control endpoint of the stack. */
export async function token(
  edge: Pick<Edge, 'control'>,
  role: string,
  ttl_seconds?: number,
): Promise<string> {
  const init = { method: 'POST', body: JSON.stringify({ role, ttl_seconds }) }
  const answer = await fetch(`${edge.control}/local/token`, init)
  if (answer.status !== 200) throw new Error(`no token: ${await answer.text()}`)
  return ((await answer.json()) as { token: string }).token
}
