import { expect, test } from 'vitest'
import { hasRole } from '../../functions/adapters/roles.ts'

const caller = (groups: unknown) =>
  ({
    requestContext: { authorizer: { jwt: { claims: { 'cognito:groups': groups }, scopes: [] } } },
  }) as never

test.each([
  ['[admin]', true],
  ['[viewer operator]', true],
  [['operator'], true],
  ['[viewer]', false],
  ['[operators]', false],
  [undefined, false],
])('groups %j may operate: %s', (groups, may) => {
  expect(hasRole(caller(groups), 'operator')).toBe(may)
})

test('a request without a token has no role', () => {
  expect(hasRole({}, 'viewer')).toBe(false)
})
