import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDeleteUserAttributesCommand,
  AdminListGroupsForUserCommand,
  AdminRemoveUserFromGroupCommand,
  AdminUpdateUserAttributesCommand,
  CognitoIdentityProviderClient,
  DescribeUserPoolCommand,
  ListUserPoolClientsCommand,
  ListUserPoolsCommand,
  ListUsersCommand,
  UsernameExistsException,
} from '@aws-sdk/client-cognito-identity-provider'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { signIn } from '../../cli/people/sign-in.ts'
import { autovolt } from './fixture/call.ts'

const cognito = mockClient(CognitoIdentityProviderClient)
afterEach(() => cognito.reset())

const pool = () =>
  cognito
    .on(ListUserPoolsCommand, { NextToken: undefined })
    .resolves({ UserPools: [{ Id: 'other', Name: 'autovolt-prod-people' }], NextToken: 'more' })
    .on(ListUserPoolsCommand, { NextToken: 'more' })
    .resolves({ UserPools: [{ Id: 'pool-1', Name: 'autovolt-staging-people' }] })

const names = () =>
  cognito
    .calls()
    .map(({ args: [command] }) => command.constructor.name.replace('Command', ''))
    .filter((name) => name !== 'ListUserPools')

describe('users on AWS', () => {
  it('are invited with their limit, then put into their group', async () => {
    pool().on(AdminCreateUserCommand).resolves({}).on(AdminListGroupsForUserCommand).resolves({})
    cognito.on(AdminAddUserToGroupCommand).resolves({})
    const args = ['--role', 'viewer', '--classroom', 'A1', 'B 2', '--stage', 'staging']
    const done = await autovolt('users', 'add', 'Ana@school.example', ...args)
    expect(done).toEqual({
      code: 0,
      out: 'ana@school.example is now a user: viewer of A1, B 2\n',
      err: '',
    })
    expect(names()).toEqual(['AdminCreateUser', 'AdminListGroupsForUser', 'AdminAddUserToGroup'])
    expect(cognito.commandCalls(AdminCreateUserCommand)[0]?.args[0].input).toEqual({
      UserPoolId: 'pool-1',
      Username: 'ana@school.example',
      DesiredDeliveryMediums: ['EMAIL'],
      UserAttributes: [
        { Name: 'email', Value: 'ana@school.example' },
        { Name: 'email_verified', Value: 'true' },
        { Name: 'custom:classrooms', Value: '["A1","B 2"]' },
      ],
    })
  })

  it('that exist are changed: limited before they get a group, freed only after', async () => {
    const exists = new UsernameExistsException({ message: 'exists', $metadata: {} })
    pool().on(AdminCreateUserCommand).rejects(exists)
    cognito.on(AdminListGroupsForUserCommand).resolves({
      Groups: [{ GroupName: 'admin' }, { GroupName: 'others' }],
    })
    cognito.on(AdminUpdateUserAttributesCommand).resolves({})
    cognito.on(AdminRemoveUserFromGroupCommand).resolves({})
    cognito.on(AdminAddUserToGroupCommand).resolves({})
    cognito.on(AdminDeleteUserAttributesCommand).resolves({})
    const add = ['users', 'add', 'a@b.example', '--stage', 'staging', '--role']
    expect((await autovolt(...add, 'viewer', '--classroom', 'A1')).code).toBe(0)
    expect(names()).toEqual([
      'AdminCreateUser',
      'AdminUpdateUserAttributes',
      'AdminListGroupsForUser',
      'AdminRemoveUserFromGroup',
      'AdminAddUserToGroup',
    ])
    cognito.resetHistory()
    expect((await autovolt(...add, 'operator')).code).toBe(0)
    expect(names().at(-1)).toBe('AdminDeleteUserAttributes')
  })

  it('are listed page by page', async () => {
    pool()
    const user = (Username: string, email: string, limit?: string) => ({
      Username,
      UserStatus: 'CONFIRMED' as const,
      Attributes: [
        { Name: 'email', Value: email },
        ...(limit === undefined ? [] : [{ Name: 'custom:classrooms', Value: limit }]),
      ],
    })
    cognito
      .on(ListUsersCommand, { PaginationToken: undefined })
      .resolves({ Users: [user('u2', 'z@b.example')], PaginationToken: 'p' })
      .on(ListUsersCommand, { PaginationToken: 'p' })
      .resolves({ Users: [{ ...user('u1', 'a@b.example', '["A1"]'), Enabled: false }] })
      .on(AdminListGroupsForUserCommand, { Username: 'u1' })
      .resolves({ Groups: [{ GroupName: 'viewer' }] })
      .on(AdminListGroupsForUserCommand, { Username: 'u2' })
      .resolves({ Groups: [] })
    expect((await autovolt('users', 'list', '--stage', 'staging')).out).toBe(
      [
        'EMAIL        ROLE    CLASSROOMS  STATUS',
        'a@b.example  viewer  A1          DISABLED',
        'z@b.example  -       all         CONFIRMED\n',
      ].join('\n'),
    )
  })

  it('are not looked for where nothing is deployed', async () => {
    cognito.on(ListUserPoolsCommand).resolves({ UserPools: [] })
    const { code, err } = await autovolt('users', 'list', '--stage', 'dev')
    expect([code, err]).toEqual([
      1,
      'autovolt: there is no user pool "autovolt-dev-people"; is stage dev deployed?\n',
    ])
  })
})

/** A sign-in page that sends everybody on at once, and gives a token for the right verifier. */
async function signInPage(answer: (asked: URLSearchParams) => Record<string, string>) {
  let challenge = ''
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/oauth2/authorize') {
      challenge = url.searchParams.get('code_challenge') ?? ''
      const back = new URL(url.searchParams.get('redirect_uri') ?? '')
      back.search = new URLSearchParams(answer(url.searchParams)).toString()
      response.writeHead(302, { location: back.href }).end()
      return
    }
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const form = new URLSearchParams(body)
      const made = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url')
      const isRight = form.get('code') === 'c-1' && made === challenge
      response.writeHead(isRight ? 200 : 400, { 'content-type': 'application/json' })
      response.end(JSON.stringify(isRight ? { access_token: 't-1' } : { error: 'invalid_grant' }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    domain: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => void server.close(),
  }
}

describe('signing in from a terminal', () => {
  const callback = async () => {
    const probe = createServer()
    await new Promise<void>((resolve) => probe.listen(0, 'localhost', resolve))
    const { port } = probe.address() as AddressInfo
    await new Promise((resolve) => probe.close(resolve))
    return `http://localhost:${port}/callback`
  }
  const attempt = async (
    answer: (asked: URLSearchParams) => Record<string, string>,
    patienceMs = 5_000,
  ) => {
    using page = await signInPage(answer)
    const as = {
      domain: page.domain,
      clientId: 'c',
      callback: await callback(),
      scopes: ['openid'],
    }
    const pages: Promise<string>[] = []
    const open = (url: string) => void pages.push(fetch(url).then((it) => it.text()))
    const token = await signIn(as, open, patienceMs).catch((error: Error) => error.message)
    return { token, text: (await Promise.allSettled(pages))[0] }
  }

  it('exchanges the code for a token with the verifier only this process knows', async () => {
    const { token, text } = await attempt((asked) => ({
      code: 'c-1',
      state: asked.get('state') ?? '',
    }))
    expect(token).toBe('t-1')
    expect(text).toMatchObject({ value: 'Signed in. Close this page.' })
  })

  it('says why it was refused', async () => {
    const refused = { error: 'access_denied', error_description: 'no such user' }
    const { token } = await attempt((asked) => ({ ...refused, state: asked.get('state') ?? '' }))
    expect(token).toBe('sign-in was refused: no such user')
  })

  it('takes no code that comes without its state', async () => {
    const { token } = await attempt(() => ({ code: 'c-1', state: 'guessed' }), 300)
    expect(token).toBe('nobody signed in within 0 s')
  })

  it('is not for production, nor by role', async () => {
    const prod = await autovolt('token', '--stage', 'prod')
    expect(prod.err).toContain('people of prod sign in through the dashboard only')
    const role = await autovolt('token', '--stage', 'dev', '--role', 'admin')
    expect([role.code, role.err]).toEqual([2, expect.stringContaining('are for the local stack')])
  })

  it('needs the client and the page of the stage', async () => {
    pool()
      .on(DescribeUserPoolCommand)
      .resolves({ UserPool: { Domain: 'd' } })
    cognito.on(ListUserPoolClientsCommand).resolves({ UserPoolClients: [] })
    const { err } = await autovolt('token', '--stage', 'staging')
    expect(err).toContain('has no client "autovolt-staging-dashboard"')
  })
})
