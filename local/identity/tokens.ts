import { createHash, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { type Role, SCOPES_OF_ROLE } from './roles.ts'
import type { SigningKey } from './signing-key.ts'

/** For whom and by whom a token is issued. */
export interface Grant {
  role: Role
  /** The user pool's provider URL. */
  issuer: string
  /** The user pool client. */
  clientId: string
  /** Life in seconds. */
  ttlSeconds: number
  nowMs: number
}

/** Signs an access token with the claims of Cognito's. The person is `local-<role>`, always the same one. */
export function accessToken(key: SigningKey, grant: Grant): Promise<string> {
  const { role, issuer, clientId, ttlSeconds, nowMs } = grant
  const now = Math.floor(nowMs / 1000)
  const username = `local-${role}`
  return new SignJWT({
    'cognito:groups': [role],
    version: 2,
    client_id: clientId,
    origin_jti: randomUUID(),
    event_id: randomUUID(),
    token_use: 'access',
    scope: SCOPES_OF_ROLE[role].join(' '),
    auth_time: now,
    username,
  })
    .setProtectedHeader({ alg: 'RS256', kid: key.kid })
    .setSubject(subject(`${issuer}/${username}`))
    .setIssuer(issuer)
    .setIssuedAt(now)
    .setExpirationTime(now + ttlSeconds)
    .setJti(randomUUID())
    .sign(key.privateKey)
}

/** A UUID that stays the same for a person, as Cognito's `sub` does. */
function subject(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}
