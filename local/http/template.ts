import * as z from 'zod'
import type { Resource, Runtime } from '../runtime.ts'
import { LOCAL_ACCOUNT } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { compileLogFormat, type LogContext } from './access-log.ts'
import type { Cors } from './cors.ts'
import { parseRouteKey, type RoutePattern } from './routing.ts'
import type { Limits } from './throttle.ts'

/** A JWT authorizer as the template writes it. */
export interface AuthorizerSettings {
  resource: Resource
  issuer: string
  audience: readonly string[]
}

/** A route with everything that decides about a request on it. */
export interface Route {
  routeKey: string
  /** Undefined for `$default`. */
  pattern: RoutePattern | undefined
  functionArn: string
  timeoutMs: number
  authorizer: AuthorizerSettings | undefined
  scopes: readonly string[]
  limits: Limits | undefined
}

/** An HTTP API of the template. */
export interface Api {
  accountId: string
  id: string
  domainName: string
  stage: string
  cors: Cors | undefined
  routes: readonly Route[]
  accessLog: ((context: LogContext) => string) | undefined
}

/** API Gateway waits this long for an integration, and no longer. */
const MAX_TIMEOUT_MS = 30_000
const texts = z.array(z.string())
const apiSchema = z.object({
  ProtocolType: z.literal('HTTP'),
  CorsConfiguration: z
    .strictObject({
      AllowCredentials: z.boolean().default(false),
      AllowHeaders: texts.default([]),
      AllowMethods: texts.default([]),
      AllowOrigins: texts.default([]),
      ExposeHeaders: texts.default([]),
      MaxAge: z.number().optional(),
    })
    .optional(),
})
const integrationSchema = z.object({
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
  TimeoutInMillis: z.number().min(50).max(MAX_TIMEOUT_MS).default(MAX_TIMEOUT_MS),
})
const authorizerSchema = z.object({
  AuthorizerType: z.literal('JWT'),
  IdentitySource: z.tuple([z.literal('$request.header.Authorization')]),
  JwtConfiguration: z.strictObject({ Audience: texts.min(1), Issuer: z.string() }),
})
const routeSchema = z.object({
  RouteKey: z.string(),
  Target: z.string().regex(/^integrations\//),
  AuthorizationType: z.enum(['NONE', 'JWT']).default('NONE'),
  AuthorizerId: z.string().optional(),
  AuthorizationScopes: texts.default([]),
})
const limitsSchema = z
  .strictObject({
    ThrottlingBurstLimit: z.number().optional(),
    ThrottlingRateLimit: z.number().optional(),
    DetailedMetricsEnabled: z.boolean().optional(),
  })
  .transform(({ ThrottlingBurstLimit: burst, ThrottlingRateLimit: rate }) =>
    burst === undefined || rate === undefined ? undefined : { burst, rate },
  )
const stageSchema = z.object({
  StageName: z.string(),
  AutoDeploy: z.literal(true),
  AccessLogSettings: z.strictObject({ DestinationArn: z.string(), Format: z.string() }).optional(),
  DefaultRouteSettings: limitsSchema.optional(),
  RouteSettings: z.record(z.string(), limitsSchema).default({}),
})

type Needs = Pick<Runtime, 'ofType' | 'region'>

/** The HTTP API of the app, or undefined when it has none. @throws CannotRunLocally */
export function readApi(runtime: Needs): Api | undefined {
  const apis = runtime.ofType('AWS::ApiGatewayV2::Api')
  const [api, second] = apis
  if (!api) return undefined
  if (second) {
    throw refuse(second, '', 'there is one HTTP port for one HTTP API', 'Merge the APIs.')
  }
  const { CorsConfiguration: cors } = checked(api, apiSchema)
  const stage = only(runtime, api, 'AWS::ApiGatewayV2::Stage')
  const settings = checked(stage, stageSchema)
  return {
    accountId: LOCAL_ACCOUNT,
    id: api.ref,
    domainName: `${api.ref}.execute-api.${runtime.region}.amazonaws.com`,
    stage: settings.StageName,
    cors: cors && {
      allowOrigins: cors.AllowOrigins,
      allowMethods: cors.AllowMethods,
      allowHeaders: cors.AllowHeaders,
      exposeHeaders: cors.ExposeHeaders,
      maxAgeSeconds: cors.MaxAge,
      allowCredentials: cors.AllowCredentials,
    },
    routes: ofApi(runtime, api, 'AWS::ApiGatewayV2::Route').map((route) =>
      readRoute(runtime, api, route, settings),
    ),
    accessLog: settings.AccessLogSettings && logFormat(stage, settings.AccessLogSettings.Format),
  }
}

function ofApi(runtime: Needs, api: Resource, type: string): Resource[] {
  return runtime.ofType(type).filter(({ properties }) => properties.ApiId === api.ref)
}

function only(runtime: Needs, api: Resource, type: string): Resource {
  const found = ofApi(runtime, api, type)
  if (found.length === 1 && found[0]) return found[0]
  throw refuse(api, '', `it has ${found.length} stages`, 'Give it exactly one stage.')
}

function checked<T>(resource: Resource, shape: z.ZodType<T>): T {
  const result = shape.safeParse(resource.properties)
  if (result.success) return result.data
  const todo = 'Write it as local/http/template.ts reads it, or teach it more.'
  throw refuse(resource, '', z.prettifyError(result.error), todo)
}

function readRoute(
  runtime: Needs,
  api: Resource,
  resource: Resource,
  stage: z.infer<typeof stageSchema>,
): Route {
  const route = checked(resource, routeSchema)
  const find = (type: string, property: string, ref: string | undefined) => {
    const found = ofApi(runtime, api, type).find((it) => it.ref === ref)
    if (found) return found
    throw refuse(resource, property, `${ref} is not in the app`, 'Add it to the API.')
  }
  const integrationRef = route.Target.slice('integrations/'.length)
  const integration = checked(
    find('AWS::ApiGatewayV2::Integration', 'Target', integrationRef),
    integrationSchema,
  )
  const { RouteKey, AuthorizationType, AuthorizerId } = route
  const authorizer =
    AuthorizationType === 'JWT'
      ? find('AWS::ApiGatewayV2::Authorizer', 'AuthorizerId', AuthorizerId)
      : undefined
  return {
    routeKey: RouteKey,
    pattern: parseRouteKey(RouteKey),
    functionArn: integration.IntegrationUri,
    timeoutMs: integration.TimeoutInMillis,
    authorizer: authorizer && readAuthorizer(authorizer),
    scopes: route.AuthorizationScopes,
    limits: stage.RouteSettings[RouteKey] ?? stage.DefaultRouteSettings,
  }
}

function readAuthorizer(resource: Resource): AuthorizerSettings {
  const { Issuer, Audience } = checked(resource, authorizerSchema).JwtConfiguration
  return { resource, issuer: Issuer, audience: Audience }
}

function logFormat(stage: Resource, format: string): (context: LogContext) => string {
  try {
    return compileLogFormat(format)
  } catch (cause) {
    const todo = 'Take it out of the format, or teach it to local/http/access-log.ts.'
    throw refuse(stage, 'AccessLogSettings.Format', (cause as Error).message, todo)
  }
}
