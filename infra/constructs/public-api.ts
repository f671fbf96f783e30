import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import {
  CfnAuthorizer,
  CfnIntegration,
  CfnRoute,
  type CfnStage,
  CorsHttpMethod,
  HttpApi,
  type HttpMethod,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2'
import { CfnPermission } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { physicalName } from '../names.ts'
import type { ServiceFunction } from './function.ts'
import { type People, RESOURCE_SERVER, type ScopeName } from './user-pool.ts'

/**
 * One route. Without a scope a route would take any token of the pool, an ID token included, so
 * there is no such route: it names a scope, or says that it is public and why.
 */
export interface Route {
  readonly method: HttpMethod
  readonly path: string
  readonly access: ScopeName | { readonly publicBecause: string }
  readonly target: ServiceFunction
}

export interface PublicApiProps {
  readonly config: StageConfig
  readonly people: People
  readonly routes: readonly Route[]
}

/** The fields of an access log line: enough to find a slow or refused call, nothing of its data. */
const ACCESS_LOG = {
  requestId: '$context.requestId',
  time: '$context.requestTimeEpoch',
  ip: '$context.identity.sourceIp',
  user: '$context.authorizer.claims.sub',
  route: '$context.routeKey',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  integrationMs: '$context.integrationLatency',
  bytes: '$context.responseLength',
  error: '$context.error.message',
  authorizerError: '$context.authorizer.error',
  integrationError: '$context.integrationErrorMessage',
}

/** The HTTP API: routes, who may call them, how often, and a log line for each call. */
export class PublicApi extends Construct {
  readonly url: string
  readonly apiId: string

  constructor(scope: Construct, id: string, props: PublicApiProps) {
    super(scope, id)
    const { config, people } = props
    const name = physicalName(config, 'api')

    const api = new HttpApi(this, 'Http', {
      apiName: name,
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: config.corsOrigins,
        allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.PATCH],
        allowHeaders: ['authorization', 'content-type', 'if-none-match', 'idempotency-key'],
        exposeHeaders: [
          'etag',
          'location',
          'link',
          'x-next-start',
          'content-disposition',
          'deprecation',
          'sunset',
          'idempotency-replayed',
        ],
        maxAge: Duration.hours(1),
      },
    })
    const authorizer = new CfnAuthorizer(this, 'Authorizer', {
      apiId: api.apiId,
      name,
      authorizerType: 'JWT',
      identitySource: ['$request.header.Authorization'],
      jwtConfiguration: {
        issuer: people.pool.userPoolProviderUrl,
        audience: [people.client.userPoolClientId],
      },
    })

    const integrations = new Map<ServiceFunction, CfnIntegration>()
    for (const { target } of props.routes) {
      if (!integrations.has(target)) integrations.set(target, this.integration(api, target))
    }

    const publicRoutes: CfnRoute[] = []
    for (const { method, path, access, target } of props.routes) {
      const isPublic = typeof access === 'object'
      const route = new CfnRoute(this, `${method} ${path}`, {
        apiId: api.apiId,
        routeKey: `${method} ${path}`,
        target: `integrations/${integrations.get(target)?.ref}`,
        ...(isPublic
          ? { authorizationType: 'NONE' }
          : {
              authorizationType: 'JWT',
              authorizerId: authorizer.ref,
              authorizationScopes: [`${RESOURCE_SERVER}/${access}`],
            }),
      })
      if (!isPublic) continue
      Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason: access.publicBecause })
      publicRoutes.push(route)
    }

    const accessLog = new LogGroup(this, 'AccessLog', {
      // API Gateway keeps the policy for /aws/vendedlogs/ small; others hit its size limit.
      logGroupName: `/aws/vendedlogs/${name}`,
      retention: config.logRetentionDays,
      removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
    const stage = new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: config.apiThrottle.rate, burstLimit: config.apiThrottle.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLog),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    })
    // Anyone may call a public route, and each call reads tables.
    const publicThrottle = {
      ThrottlingRateLimit: Math.ceil(config.apiThrottle.rate / 10),
      ThrottlingBurstLimit: Math.ceil(config.apiThrottle.burst / 10),
    }
    const cfnStage = stage.node.defaultChild as CfnStage
    cfnStage.routeSettings = Object.fromEntries(
      publicRoutes.map(({ routeKey }) => [routeKey, publicThrottle]),
    )
    // A stage may only name routes that exist.
    for (const route of publicRoutes) cfnStage.addResourceDependency(route)

    this.url = api.apiEndpoint
    this.apiId = api.apiId
  }

  /** Lets the API call a function, from any of its routes. */
  private integration(api: HttpApi, target: ServiceFunction): CfnIntegration {
    const { functionArn } = target.live
    const stack = Stack.of(this)
    new CfnPermission(this, `${target.node.id}Permission`, {
      action: 'lambda:InvokeFunction',
      functionName: functionArn,
      principal: 'apigateway.amazonaws.com',
      sourceArn: stack.formatArn({
        service: 'execute-api',
        resource: api.apiId,
        resourceName: '*/*',
      }),
      sourceAccount: stack.account,
    })
    return new CfnIntegration(this, `${target.node.id}Integration`, {
      apiId: api.apiId,
      integrationType: 'AWS_PROXY',
      integrationUri: functionArn,
      payloadFormatVersion: '2.0',
    })
  }
}
