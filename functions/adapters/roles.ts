import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'

/** The groups of the user pool. Each may do what the ones after it may. */
export const ROLES = ['admin', 'operator', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/**
 * True when the caller's token names a group that has at least this role. API Gateway has checked
 * the token and its scope; but any user of a client may ask it for any of its scopes, and only the
 * groups say who a person is. The claim arrives as text, such as `[admin operator]`.
 */
export function hasRole(
  event: Partial<APIGatewayProxyEventV2WithJWTAuthorizer>,
  role: Role,
): boolean {
  const claim: unknown = event.requestContext?.authorizer?.jwt?.claims['cognito:groups']
  const groups = String(claim ?? '').split(/[[\],\s"]+/)
  return ROLES.slice(0, ROLES.indexOf(role) + 1).some((enough) => groups.includes(enough))
}
