/** What a person may be. Each is a group of the user pool of the same name. */
export const ROLES = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

/**
 * The scopes of each role's access token: the one place that says so locally. On AWS a
 * pre-token-generation trigger gives them by the person's groups.
 */
export const SCOPES_OF_ROLE: Readonly<Record<Role, readonly string[]>> = {
  viewer: ['autovolt/read'],
  operator: ['autovolt/read', 'autovolt/operate'],
  admin: ['autovolt/read', 'autovolt/operate', 'autovolt/admin'],
}
