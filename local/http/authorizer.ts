import type { KeyObject } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'

/** A JWT authorizer of the template, with the key its issuer signs with. */
export interface JwtAuthorizer {
  issuer: string
  audience: readonly string[]
  kid: string
  publicKey: KeyObject
}

/** What the authorizer found. `scopes` is null where the route asks for none. */
export type Verdict =
  | { ok: true; claims: Record<string, string>; scopes: string[] | null }
  | { ok: false; status: 401 | 403; reason: string; challenge: string }

/**
 * Decides on the Authorization header the way API Gateway does: signature, key id, issuer, times,
 * `aud` (or `client_id` where there is no `aud`), and one of the route's scopes in `scope` or `scp`.
 * @param required scopes of the route; with none of them any valid token will do.
 */
export async function authorize(
  authorizer: JwtAuthorizer,
  header: string | undefined,
  required: readonly string[],
  nowMs: number,
): Promise<Verdict> {
  if (!header) return refused(401, 'no token', 'Bearer')
  const token = header.replace(/^Bearer\s+/i, '')
  let payload: JWTPayload
  try {
    if (decodeProtectedHeader(token).kid !== authorizer.kid) throw new Error('unknown signing key')
    const verified = await jwtVerify(token, authorizer.publicKey, {
      issuer: authorizer.issuer,
      algorithms: ['RS256'],
      requiredClaims: ['exp', 'iat'],
      currentDate: new Date(nowMs),
    })
    payload = verified.payload
    const audience = payload.aud ?? payload.client_id
    const given = [audience].flat().map(String)
    if (!given.some((it) => authorizer.audience.includes(it))) {
      throw new Error('the token has an invalid audience')
    }
    if ((payload.iat ?? 0) > nowMs / 1000 + 1) throw new Error('the token is used before its time')
  } catch (error) {
    const expired = error instanceof errors.JWTExpired
    const reason = expired ? 'the token has expired' : String((error as Error).message)
    return refused(401, reason, invalidToken(reason))
  }
  const scopes = scopesOf(payload)
  if (required.length > 0 && !required.some((it) => scopes.includes(it))) {
    const reason = `the token has none of the scopes ${required.join(' ')}`
    const challenge = `Bearer scope="${required.join(' ')}" error="insufficient_scope"`
    return refused(403, reason, challenge)
  }
  return { ok: true, claims: claimTexts(payload), scopes: required.length > 0 ? scopes : null }
}

function refused(status: 401 | 403, reason: string, challenge: string): Verdict {
  return { ok: false, status, reason, challenge }
}

function invalidToken(reason: string): string {
  return `Bearer scope="" error="invalid_token" error_description="${reason.replaceAll('"', "'")}"`
}

function scopesOf({ scope, scp }: JWTPayload): string[] {
  const found = scope ?? scp
  if (Array.isArray(found)) return found.map(String)
  return typeof found === 'string' && found !== '' ? found.split(' ') : []
}

/** Claims reach the function as texts: `[admin viewer]` for a list, JSON for an object, nothing for null. */
function claimTexts(payload: JWTPayload): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(payload)) {
    if (value === null || value === undefined) continue
    if (Array.isArray(value)) texts[name] = `[${value.map(String).join(' ')}]`
    else texts[name] = typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
  return texts
}
