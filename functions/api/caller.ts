import * as z from 'zod'
import { type Claimed, type Role, roleOf } from '../adapters/roles.ts'

/** Who asks. */
export interface Caller {
  /** Stays the same for a person for good. */
  readonly sub: string
  /** The e-mail address where the token carries it; else the user name. */
  readonly username: string
  readonly role: Role | null
  /** The only classrooms this person may see; null for all. Limits viewers, nobody else. */
  readonly classrooms: readonly string[] | null
}

/** The claims our pre-token trigger adds. */
export const EMAIL_CLAIM = 'autovolt:email'
export const CLASSROOMS_CLAIM = 'autovolt:classrooms'

const ClassroomList = z.array(z.string())

/** Who asks, by the claims of a token that API Gateway has checked. */
export function callerOf(event: Claimed): Caller {
  const claims: Record<string, unknown> = event.requestContext?.authorizer?.jwt?.claims ?? {}
  const text = (name: string) => (claims[name] === undefined ? null : String(claims[name]))
  const sub = text('sub') ?? ''
  const role = roleOf(event)
  const limit = text(CLASSROOMS_CLAIM)
  return {
    sub,
    username: text(EMAIL_CLAIM) ?? text('username') ?? sub,
    role,
    classrooms: role === 'viewer' && limit !== null ? listOf(limit) : null,
  }
}

/** True when the caller may know of a classroom; to one who may not, it does not exist. */
export function maySee(caller: Caller, classroom: string): boolean {
  return caller.classrooms === null || caller.classrooms.includes(classroom)
}

/** A claim that cannot be read limits to nothing: whoever wrote it meant a limit. */
function listOf(claim: string): readonly string[] {
  try {
    return ClassroomList.parse(JSON.parse(claim))
  } catch {
    return []
  }
}
