import { describe, expect, it } from 'vitest'
import type { Claimed } from '../../functions/adapters/roles.ts'
import { callerOf, maySee } from '../../functions/api/caller.ts'

const event = (claims: Record<string, string>) =>
  ({ requestContext: { authorizer: { jwt: { claims } } } }) as unknown as Claimed

describe('who asks', () => {
  it('is told by the claims: the highest role, and the e-mail address where there is one', () => {
    const claims = { sub: 's-1', username: 'u-1', 'cognito:groups': '[viewer admin]' }
    expect(callerOf(event(claims))).toEqual({
      sub: 's-1',
      username: 'u-1',
      role: 'admin',
      classrooms: null,
    })
    expect(callerOf(event({ ...claims, 'autovolt:email': 'a@b.example' })).username).toBe(
      'a@b.example',
    )
  })

  it('is nobody without a token, or outside our groups', () => {
    expect(callerOf({})).toEqual({ sub: '', username: '', role: null, classrooms: null })
    expect(callerOf(event({ sub: 's', 'cognito:groups': '[viewers]' })).role).toBeNull()
  })
})

describe('a limit to classrooms', () => {
  const limited = (role: string, claim: string) =>
    callerOf(event({ 'cognito:groups': `[${role}]`, 'autovolt:classrooms': claim }))

  it('holds for viewers, names with spaces included', () => {
    const caller = limited('viewer', '["B2 101","A1"]')
    expect(['B2 101', 'A1', 'B2', ''].map((name) => maySee(caller, name))).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it.each(['', 'A1', '[A1]', '{"A1":1}', '["A1",2]', 'null'])(
    'that cannot be read shows nothing: %s',
    (claim) => {
      expect(limited('viewer', claim).classrooms).toEqual([])
    },
  )

  it('does not hold for who works with all of them', () => {
    expect(maySee(limited('operator', '["A1"]'), 'B2')).toBe(true)
    expect(maySee(limited('admin', '["A1"]'), 'B2')).toBe(true)
  })
})
