import * as z from 'zod'
import { ROLES, type Role } from '../adapters/roles.ts'

/** What the token of each role may be used for. */
const SCOPES_OF: Readonly<Record<Role, readonly string[]>> = {
  viewer: ['autovolt/read'],
  operator: ['autovolt/read', 'autovolt/operate'],
  admin: ['autovolt/read', 'autovolt/operate', 'autovolt/admin'],
}
const ALL_SCOPES = SCOPES_OF.admin

/** Of the user: which classrooms somebody may see, as a JSON list. */
export const CLASSROOMS_ATTRIBUTE = 'custom:classrooms'

/** What a token is to say, and not to say. */
export interface Grant {
  readonly scopes: readonly string[]
  readonly withheld: readonly string[]
  readonly claims: Readonly<Record<string, string>>
}

const ClassroomList = z.array(z.string())

/**
 * The scopes of the highest of a person's groups, whatever a client asked for; none without a group.
 * An access token does not say who somebody is by name, and says nothing of our attributes, so both
 * are added: an administrator is to be found in the audit, and a viewer may be limited.
 */
export function grantOf(
  groups: readonly string[],
  attributes: Readonly<Record<string, string | undefined>>,
): Grant {
  const role = ROLES.find((one) => groups.includes(one))
  const scopes = role === undefined ? [] : SCOPES_OF[role]
  const { email } = attributes
  const classrooms = attributes[CLASSROOMS_ATTRIBUTE]
  return {
    scopes,
    withheld: ALL_SCOPES.filter((scope) => !scopes.includes(scope)),
    claims: {
      ...(email && { 'autovolt:email': email }),
      ...(classrooms && { 'autovolt:classrooms': canonical(classrooms) }),
    },
  }
}

/** What cannot be read limits to nothing: whoever wrote it meant a limit. */
function canonical(attribute: string): string {
  try {
    return JSON.stringify(ClassroomList.parse(JSON.parse(attribute)))
  } catch {
    return '[]'
  }
}
