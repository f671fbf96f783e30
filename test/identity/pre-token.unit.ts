import type { PreTokenGenerationV2TriggerEvent } from 'aws-lambda'
import { describe, expect, it } from 'vitest'
import { handler } from '../../functions/identity/pre-token.ts'

async function token(groups: string[] | undefined, attributes: Record<string, string> = {}) {
  const event = {
    version: '2',
    triggerSource: 'TokenGeneration_HostedAuth',
    request: {
      userAttributes: { sub: 's-1', ...attributes },
      groupConfiguration: { groupsToOverride: groups },
      scopes: ['openid', 'autovolt/admin'],
    },
    response: { claimsAndScopeOverrideDetails: null },
  } as unknown as PreTokenGenerationV2TriggerEvent
  const answer = await handler(event, {} as never)
  return answer.response.claimsAndScopeOverrideDetails?.accessTokenGeneration
}

describe('a token', () => {
  it.each([
    [['viewer'], ['read'], ['operate', 'admin']],
    [['operator'], ['read', 'operate'], ['admin']],
    [['admin'], ['read', 'operate', 'admin'], []],
    [['viewer', 'operator', 'others'], ['read', 'operate'], ['admin']],
    [['others'], [], ['read', 'operate', 'admin']],
    [undefined, [], ['read', 'operate', 'admin']],
  ])('of somebody in %j may %j and not %j', async (groups, added, withheld) => {
    const scopes = (names: readonly string[]) => names.map((name) => `autovolt/${name}`)
    expect(await token(groups)).toEqual({
      claimsToAddOrOverride: {},
      scopesToAdd: scopes(added),
      scopesToSuppress: scopes(withheld),
    })
  })

  it('names its owner, and the classrooms they are limited to', async () => {
    const attributes = { email: 'a@b.example', 'custom:classrooms': ' ["B2 101", "A1"]' }
    expect((await token(['viewer'], attributes))?.claimsToAddOrOverride).toEqual({
      'autovolt:email': 'a@b.example',
      'autovolt:classrooms': '["B2 101","A1"]',
    })
  })

  it.each(['A1', '[1]', '{}'])('of somebody with the limit %s shows nothing', async (limit) => {
    const claims = (await token(['viewer'], { 'custom:classrooms': limit }))?.claimsToAddOrOverride
    expect(claims).toEqual({ 'autovolt:classrooms': '[]' })
  })
})
