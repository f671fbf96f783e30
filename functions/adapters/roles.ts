import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'

/** The groups of the user pool. Each may do what the ones after it may. */
export const ROLES = ['admin', 'operator', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/** A request of which the authorizer's claims may be missing: a public route has none. */
export type Claimed = Partial<Pick<APIGatewayProxyEventV2WithJWTAuthorizer, 'requestContext'>>

/**
 * The highest of our groups in the caller's token; null for a person in none. API Gateway has
 * checked the token and its scope; only the groups say who a person is. The claim arrives as text,
 * such as `[admin operator]`.
 */
export function roleOf(event: Claimed): Role | null {
  const claim: unknown = event.requestContext?.authorizer?.jwt?.claims['cognito:groups']
  const groups = String(claim ?? '').split(/[[\],\s"]+/)
  return ROLES.find((role) => groups.includes(role)) ?? null
}

/** True when somebody of the role `given` may do what takes the role `needed`. */
export function suffices(given: Role | null, needed: Role): boolean {
  return given !== null && ROLES.indexOf(given) <= ROLES.indexOf(needed)
}

/** True when the caller's token names a group that has at least this role. */
export function hasRole(event: Claimed, role: Role): boolean {
  return suffices(roleOf(event), role)
}
