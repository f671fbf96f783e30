import * as z from 'zod'
import type { ControlResponse, ControlRoute, Plugin, Resource, Runtime } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { ROLES, SCOPES_OF_ROLE } from './roles.ts'
import { openSigningKey, type SigningKey } from './signing-key.ts'
import { accessToken } from './tokens.ts'

/** Longest life Cognito gives an access token. */
const MAX_TTL_SECONDS = 86_400
const SECONDS = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 } as const
const unit = z.enum(['seconds', 'minutes', 'hours', 'days'])
const clientProperties = z.object({
  UserPoolId: z.string(),
  AccessTokenValidity: z.number().positive().optional(),
  TokenValidityUnits: z.object({ AccessToken: unit.optional() }).optional(),
})
const resourceServerProperties = z.object({
  UserPoolId: z.string(),
  Identifier: z.string(),
  Scopes: z.array(z.object({ ScopeName: z.string() })).optional(),
})
const groupProperties = z.object({ UserPoolId: z.string(), GroupName: z.string() })
const tokenRequest = z.strictObject({
  role: z.enum(ROLES),
  ttl_seconds: z.int().min(1).max(MAX_TTL_SECONDS).optional(),
})

/** The user pool access tokens come from, as the template describes it. */
interface Pool {
  issuer: string
  clientId: string
  ttlSeconds: number
  scopes: ReadonlySet<string>
  groups: ReadonlySet<string>
}

/**
 * Cognito on one machine: nobody signs in, but `POST /local/token` on the control endpoint gives
 * the access token a person of a role would have.
 */
export const identity: Plugin = {
  name: 'identity',
  supports: {
    // Sign-in itself does not happen here, so its settings have no effect. Triggers are not in the list.
    'AWS::Cognito::UserPool': [
      'AccountRecoverySetting',
      'AdminCreateUserConfig',
      'AliasAttributes',
      'AutoVerifiedAttributes',
      'DeletionProtection',
      'DeviceConfiguration',
      'EmailConfiguration',
      'EmailVerificationMessage',
      'EmailVerificationSubject',
      'EnabledMfas',
      'MfaConfiguration',
      'Policies',
      'Schema',
      'SmsVerificationMessage',
      'UserAttributeUpdateSettings',
      'UserPoolAddOns',
      'UserPoolName',
      'UserPoolTags',
      'UserPoolTier',
      'UsernameAttributes',
      'UsernameConfiguration',
      'VerificationMessageTemplate',
    ],
    'AWS::Cognito::UserPoolClient': [
      'AccessTokenValidity',
      'AllowedOAuthFlows',
      'AllowedOAuthFlowsUserPoolClient',
      'AllowedOAuthScopes',
      'AuthSessionValidity',
      'CallbackURLs',
      'ClientName',
      'EnableTokenRevocation',
      'ExplicitAuthFlows',
      'GenerateSecret',
      'IdTokenValidity',
      'LogoutURLs',
      'PreventUserExistenceErrors',
      'ReadAttributes',
      'RefreshTokenValidity',
      'SupportedIdentityProviders',
      'TokenValidityUnits',
      'UserPoolId',
      'WriteAttributes',
    ],
    'AWS::Cognito::UserPoolResourceServer': ['Identifier', 'Name', 'Scopes', 'UserPoolId'],
    'AWS::Cognito::UserPoolGroup': ['Description', 'GroupName', 'Precedence', 'UserPoolId'],
    'AWS::Cognito::UserPoolDomain': { inert: 'There is no hosted sign-in page here.' },
  },

  async start(runtime, options) {
    const pool = readPool(runtime)
    if (!pool) return { stop: async () => {} }
    const key = await openSigningKey(options.dataDir)
    return { controlRoutes: routes(runtime, pool, key), stop: async () => {} }
  },
}

/** The first user pool that has a client. */
function readPool(runtime: Pick<Runtime, 'ofType'>): Pool | undefined {
  const client = runtime.ofType('AWS::Cognito::UserPoolClient')[0]
  if (!client) return undefined
  const { UserPoolId, AccessTokenValidity, TokenValidityUnits } = clientProperties.parse(
    client.properties,
  )
  const pool = runtime.ofType('AWS::Cognito::UserPool').find(({ ref }) => ref === UserPoolId)
  if (!pool) {
    throw refuse(client, 'UserPoolId', `${UserPoolId} is no user pool of this app`, 'Add the pool.')
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
    issuer: String(pool.attributes.ProviderURL),
    clientId: client.ref,
    ttlSeconds: AccessTokenValidity === undefined ? 3600 : AccessTokenValidity * perUnit,
    scopes: new Set(
      servers.flatMap(({ Identifier, Scopes = [] }) =>
        Scopes.map(({ ScopeName }) => `${Identifier}/${ScopeName}`),
      ),
    ),
    groups: new Set(groups.map(({ GroupName }) => GroupName)),
  }
}

function routes(runtime: Pick<Runtime, 'now'>, pool: Pool, key: SigningKey): ControlRoute[] {
  return [
    {
      method: 'GET',
      path: /^\/local\/identity\/\.well-known\/jwks\.json$/,
      handle: async () => json(200, key.jwks),
    },
    {
      method: 'POST',
      path: /^\/local\/token$/,
      async handle({ body }) {
        const request = tokenRequest.safeParse(parsed(body))
        if (!request.success) return json(400, { message: z.prettifyError(request.error) })
        const { role, ttl_seconds = pool.ttlSeconds } = request.data
        const missing = SCOPES_OF_ROLE[role].filter((scope) => !pool.scopes.has(scope))
        if (missing.length > 0) {
          return json(400, { message: `no resource server has the scope ${missing.join(', ')}` })
        }
        if (!pool.groups.has(role)) {
          return json(400, { message: `the user pool has no group ${role}` })
        }
        const token = await accessToken(key, {
          role,
          issuer: pool.issuer,
          clientId: pool.clientId,
          ttlSeconds: ttl_seconds,
          nowMs: runtime.now(),
        })
        return json(200, { token, expires_in: ttl_seconds })
      },
    },
  ]
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function json(status: number, body: unknown): ControlResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  }
}
