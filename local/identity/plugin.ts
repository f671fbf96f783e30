import * as z from 'zod'
import type { ControlResponse, ControlRoute, Plugin, Runtime } from '../runtime.ts'
import { cognitoRoute } from './cognito.ts'
import { type Pool, readPool } from './pool.ts'
import { openSigningKey, type SigningKey } from './signing-key.ts'
import { accessToken, builtIn, type Person } from './tokens.ts'
import { openUsers, type Users } from './users.ts'

/** Longest life Cognito gives an access token. */
const MAX_TTL_SECONDS = 86_400
const ttl_seconds = z.int().min(1).max(MAX_TTL_SECONDS).optional()

/**
 * Cognito on one machine: nobody signs in, but `POST /local/token` on the control endpoint gives
 * the access token a person would have: one of the pool, or one who stands for a role.
 */
export const identity: Plugin = {
  name: 'identity',
  supports: {
    // Sign-in itself does not happen here, so its settings have no effect.
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
      'LambdaConfig',
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
    const users = openUsers(runtime.store)
    return {
      controlRoutes: [
        cognitoRoute(pool, users, () => runtime.now()),
        ...routes(runtime, pool, key, users),
      ],
      stop: async () => {},
    }
  },
}

function routes(
  runtime: Pick<Runtime, 'invoke' | 'now'>,
  pool: Pool,
  key: SigningKey,
  users: Users,
): ControlRoute[] {
  const roles = [...pool.groups] as [string, ...string[]]
  const tokenRequest = z.union([
    z.strictObject({ role: z.enum(roles), ttl_seconds }),
    z.strictObject({ user: z.string().min(1), ttl_seconds }),
  ])
  const personOf = (request: z.infer<typeof tokenRequest>): Person | undefined => {
    if ('role' in request) return builtIn(request.role, pool)
    const user = users.find(request.user)
    return user && { ...user, username: user.sub }
  }
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
        if (!request.success) {
          const message = `a token is for a "role" (${roles.join(', ')}) or a "user": ${z.prettifyError(request.error)}`
          return json(400, { message })
        }
        const person = personOf(request.data)
        if (person === undefined) {
          return json(404, { message: 'the user pool has no such user; `autovolt users add` it' })
        }
        const ttlSeconds = request.data.ttl_seconds ?? pool.ttlSeconds
        try {
          const token = await accessToken(runtime, pool, key, person, ttlSeconds)
          return json(200, { token, expires_in: ttlSeconds })
        } catch (error) {
          return json(500, { message: error instanceof Error ? error.message : String(error) })
        }
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
