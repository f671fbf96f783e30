import { createHash, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import * as z from 'zod'
import type { Runtime } from '../runtime.ts'
import type { Pool } from './pool.ts'
import type { SigningKey } from './signing-key.ts'

/** Who signs in. */
export interface Person {
  readonly sub: string
  readonly username: string
  readonly groups: readonly string[]
  readonly attributes: Readonly<Record<string, string>>
}

/** What the trigger answers about access tokens; about ID tokens nobody asks here. */
const TriggerAnswer = z.object({
  response: z.object({
    claimsAndScopeOverrideDetails: z
      .object({
        accessTokenGeneration: z
          .object({
            claimsToAddOrOverride: z.record(z.string(), z.unknown()).default({}),
            claimsToSuppress: z.array(z.string()).default([]),
            scopesToAdd: z.array(z.string()).default([]),
            scopesToSuppress: z.array(z.string()).default([]),
          })
          .optional(),
      })
      .nullish(),
  }),
})

/** Somebody who was always there: `local-<role>`, in the group of that name. */
export function builtIn(role: string, pool: Pool): Person {
  const username = `local-${role}`
  return { sub: subject(`${pool.issuer}/${username}`), username, groups: [role], attributes: {} }
}

/**
 * Signs an access token with the claims of Cognito's, after asking the pool's pre-token function.
 * @throws an Error saying why there is no token: the function failed, or gave a scope there is not
 */
export async function accessToken(
  runtime: Pick<Runtime, 'invoke' | 'now'>,
  pool: Pool,
  key: SigningKey,
  person: Person,
  ttlSeconds: number,
): Promise<string> {
  const { claims, scopes } = await customized(runtime, pool, person)
  const strange = scopes.filter((scope) => scope.includes('/') && !pool.scopes.has(scope))
  if (strange.length > 0) throw new Error(`no resource server has the scope ${strange.join(', ')}`)
  const now = Math.floor(runtime.now() / 1000)
  return new SignJWT({
    'cognito:groups': [...person.groups],
    version: 2,
    client_id: pool.clientId,
    origin_jti: randomUUID(),
    event_id: randomUUID(),
    token_use: 'access',
    scope: scopes.join(' '),
    auth_time: now,
    username: person.username,
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS256', kid: key.kid })
    .setSubject(person.sub)
    .setIssuer(pool.issuer)
    .setIssuedAt(now)
    .setExpirationTime(now + ttlSeconds)
    .setJti(randomUUID())
    .sign(key.privateKey)
}

/** The scopes the client asks for, and those and the claims the function makes of it. */
async function customized(
  runtime: Pick<Runtime, 'invoke'>,
  pool: Pool,
  person: Person,
): Promise<{ claims: Record<string, unknown>; scopes: string[] }> {
  if (pool.preToken === null) return { claims: {}, scopes: [...pool.clientScopes] }
  const event = {
    version: '2',
    triggerSource: 'TokenGeneration_HostedAuth',
    region: pool.region,
    userPoolId: pool.id,
    userName: person.username,
    callerContext: { awsSdkVersion: 'local', clientId: pool.clientId },
    request: {
      userAttributes: { sub: person.sub, ...person.attributes },
      groupConfiguration: { groupsToOverride: person.groups, iamRolesToOverride: [] },
      scopes: pool.clientScopes,
    },
    response: { claimsAndScopeOverrideDetails: null },
  }
  const { payload, functionError } = await runtime.invoke(pool.preToken, event)
  if (functionError !== undefined) {
    throw new Error(`the pre-token function failed: ${JSON.stringify(payload)}`)
  }
  const details = TriggerAnswer.parse(payload).response.claimsAndScopeOverrideDetails
  const access = details?.accessTokenGeneration
  const withheld = access?.scopesToSuppress ?? []
  const all = new Set([...pool.clientScopes, ...(access?.scopesToAdd ?? [])])
  return {
    claims: access?.claimsToAddOrOverride ?? {},
    scopes: [...all].filter((scope) => !withheld.includes(scope)),
  }
}

/** A UUID that stays the same for a person, as Cognito's `sub` does. */
function subject(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}
