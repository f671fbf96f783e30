import * as z from 'zod'
import type { Resource, Runtime } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'

const SECONDS = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 } as const
const unit = z.enum(['seconds', 'minutes', 'hours', 'days'])
const clientProperties = z.object({
  UserPoolId: z.string(),
  ClientName: z.string().optional(),
  AllowedOAuthScopes: z.array(z.string()).default([]),
  AccessTokenValidity: z.number().positive().optional(),
  TokenValidityUnits: z.object({ AccessToken: unit.optional() }).optional(),
})
const poolProperties = z.object({
  UserPoolName: z.string().optional(),
  LambdaConfig: z
    .strictObject({
      PreTokenGenerationConfig: z
        .strictObject({ LambdaArn: z.string(), LambdaVersion: z.literal('V2_0') })
        .optional(),
    })
    .optional(),
})
const resourceServerProperties = z.object({
  UserPoolId: z.string(),
  Identifier: z.string(),
  Scopes: z.array(z.object({ ScopeName: z.string() })).optional(),
})
const groupProperties = z.object({ UserPoolId: z.string(), GroupName: z.string() })

/** The user pool access tokens come from, as the template describes it. */
export interface Pool {
  readonly id: string
  readonly name: string
  readonly region: string
  readonly issuer: string
  readonly clientId: string
  /** What the client may ask for; a sign-in asks for all of it. */
  readonly clientScopes: readonly string[]
  readonly ttlSeconds: number
  /** Scopes of the pool's resource servers. */
  readonly scopes: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
  /** The function asked before a token is made, by event version 2. */
  readonly preToken: string | null
}

/** The first user pool that has a client. @throws CannotRunLocally */
export function readPool(runtime: Pick<Runtime, 'ofType' | 'region'>): Pool | undefined {
  const client = runtime.ofType('AWS::Cognito::UserPoolClient')[0]
  if (!client) return undefined
  const { UserPoolId, AllowedOAuthScopes, AccessTokenValidity, TokenValidityUnits } =
    clientProperties.parse(client.properties)
  const pool = runtime.ofType('AWS::Cognito::UserPool').find(({ ref }) => ref === UserPoolId)
  if (!pool) {
    throw refuse(client, 'UserPoolId', `${UserPoolId} is no user pool of this app`, 'Add the pool.')
  }
  const own = poolProperties.safeParse(pool.properties)
  if (!own.success) {
    const todo = 'Use the pre-token-generation trigger of version 2 alone, or teach local/ more.'
    throw refuse(pool, 'LambdaConfig', z.prettifyError(own.error), todo)
  }
  const perUnit = SECONDS[TokenValidityUnits?.AccessToken ?? 'hours']
  const here = <T>(type: string, shape: z.ZodType<T & { UserPoolId: string }>) =>
    runtime
      .ofType(type)
      .map(({ properties }: Resource) => shape.parse(properties))
      .filter((it) => it.UserPoolId === UserPoolId)
  const servers = here('AWS::Cognito::UserPoolResourceServer', resourceServerProperties)
  const groups = here('AWS::Cognito::UserPoolGroup', groupProperties)
  return {
    id: UserPoolId,
    name: own.data.UserPoolName ?? UserPoolId,
    region: runtime.region,
    issuer: String(pool.attributes.ProviderURL),
    clientId: client.ref,
    clientScopes: AllowedOAuthScopes,
    ttlSeconds: AccessTokenValidity === undefined ? 3600 : AccessTokenValidity * perUnit,
    scopes: new Set(
      servers.flatMap(({ Identifier, Scopes = [] }) =>
        Scopes.map(({ ScopeName }) => `${Identifier}/${ScopeName}`),
      ),
    ),
    groups: new Set(groups.map(({ GroupName }) => GroupName)),
    preToken: own.data.LambdaConfig?.PreTokenGenerationConfig?.LambdaArn ?? null,
  }
}
