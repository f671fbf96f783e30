import * as z from 'zod'
import type { ControlResponse, ControlRoute } from '../runtime.ts'
import type { Pool } from './pool.ts'
import type { User, Users } from './users.ts'

const TARGET = 'AWSCognitoIdentityProviderService.'
const PAGE = 60

const inPool = z.object({ UserPoolId: z.string() })
const ofUser = inPool.extend({ Username: z.string().min(1).max(128) })
const attributes = z.array(z.object({ Name: z.string(), Value: z.string().max(2_048) }))

const inputs = {
  ListUserPools: z.object({
    MaxResults: z.int().min(1).max(PAGE),
    NextToken: z.string().optional(),
  }),
  AdminCreateUser: ofUser.extend({ UserAttributes: attributes.default([]) }),
  AdminGetUser: ofUser,
  AdminUpdateUserAttributes: ofUser.extend({ UserAttributes: attributes }),
  AdminDeleteUserAttributes: ofUser.extend({ UserAttributeNames: z.array(z.string()) }),
  AdminAddUserToGroup: ofUser.extend({ GroupName: z.string() }),
  AdminRemoveUserFromGroup: ofUser.extend({ GroupName: z.string() }),
  AdminListGroupsForUser: ofUser,
  ListUsers: inPool.extend({
    Limit: z.int().min(1).max(PAGE).default(PAGE),
    PaginationToken: z.string().optional(),
  }),
} as const

/** The part of Cognito's JSON protocol the project's commands use; an action beyond it is refused by name. */
export function cognitoRoute(pool: Pool, users: Users, now: () => number): ControlRoute {
  const known = (it: { UserPoolId: string; Username: string }): User => {
    inThisPool(it)
    const user = users.find(it.Username)
    if (user === undefined) throw new Refused('UserNotFoundException', 'User does not exist.')
    return user
  }
  const inThisPool = ({ UserPoolId }: { UserPoolId: string }) => {
    if (UserPoolId === pool.id) return
    throw new Refused('ResourceNotFoundException', `User pool ${UserPoolId} does not exist.`)
  }
  const group = (name: string) => {
    if (pool.groups.has(name)) return name
    throw new Refused('ResourceNotFoundException', `Group ${name} not found.`)
  }

  const actions: Record<string, (body: unknown) => unknown> = {
    ListUserPools(body) {
      inputs.ListUserPools.parse(body)
      return { UserPools: [{ Id: pool.id, Name: pool.name }] }
    },
    AdminCreateUser(body) {
      const it = inputs.AdminCreateUser.parse(body)
      inThisPool(it)
      const given = { email: it.Username, ...record(it.UserAttributes) }
      const user = users.create(given, now())
      if (user === undefined) {
        throw new Refused(
          'UsernameExistsException',
          'An account with the given email already exists.',
        )
      }
      return { User: { ...toApi(user), Attributes: attributesOf(user) } }
    },
    AdminGetUser(body) {
      const user = known(inputs.AdminGetUser.parse(body))
      return { ...toApi(user), UserAttributes: attributesOf(user) }
    },
    AdminUpdateUserAttributes(body) {
      const it = inputs.AdminUpdateUserAttributes.parse(body)
      const user = known(it)
      users.save({ ...user, attributes: { ...user.attributes, ...record(it.UserAttributes) } })
      return {}
    },
    AdminDeleteUserAttributes(body) {
      const it = inputs.AdminDeleteUserAttributes.parse(body)
      const user = known(it)
      const kept = Object.entries(user.attributes).filter(
        ([name]) => !it.UserAttributeNames.includes(name),
      )
      users.save({ ...user, attributes: Object.fromEntries(kept) })
      return {}
    },
    AdminAddUserToGroup(body) {
      const it = inputs.AdminAddUserToGroup.parse(body)
      const user = known(it)
      users.save({ ...user, groups: [...new Set([...user.groups, group(it.GroupName)])] })
      return {}
    },
    AdminRemoveUserFromGroup(body) {
      const it = inputs.AdminRemoveUserFromGroup.parse(body)
      const user = known(it)
      const name = group(it.GroupName)
      users.save({ ...user, groups: user.groups.filter((one) => one !== name) })
      return {}
    },
    AdminListGroupsForUser(body) {
      const user = known(inputs.AdminListGroupsForUser.parse(body))
      return { Groups: user.groups.map((GroupName) => ({ GroupName, UserPoolId: pool.id })) }
    },
    ListUsers(body) {
      const it = inputs.ListUsers.parse(body)
      inThisPool(it)
      const page = users.list(it.PaginationToken ?? '', it.Limit)
      const last = page.length === it.Limit ? page.at(-1) : undefined
      return {
        Users: page.map((user) => ({ ...toApi(user), Attributes: attributesOf(user) })),
        ...(last && { PaginationToken: last.email }),
      }
    },
  }

  return {
    method: 'POST',
    path: /^\/$/,
    target: new RegExp(`^${TARGET.replace('.', '\\.')}`),
    async handle({ headers, body }) {
      const name = headers['x-amz-target']?.slice(TARGET.length) ?? ''
      const action = actions[name]
      if (action === undefined) {
        return answer(400, {
          __type: 'UnknownOperationException',
          message: `${name} is not served locally; teach it to local/identity/cognito.ts`,
        })
      }
      try {
        return answer(200, action(JSON.parse(body.toString('utf8'))))
      } catch (error) {
        if (error instanceof Refused) {
          return answer(400, { __type: error.type, message: error.message })
        }
        if (error instanceof z.ZodError) {
          const message = z.prettifyError(error)
          return answer(400, { __type: 'InvalidParameterException', message })
        }
        throw error
      }
    },
  }
}

class Refused extends Error {
  readonly type: string
  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

const record = (list: z.infer<typeof attributes>) =>
  Object.fromEntries(list.map(({ Name, Value }) => [Name, Value]))

const attributesOf = ({ sub, attributes: own }: User) =>
  Object.entries({ sub, ...own }).map(([Name, Value]) => ({ Name, Value }))

function toApi({ sub, createdAtMs }: User) {
  const seconds = createdAtMs / 1_000
  return {
    Username: sub,
    Enabled: true,
    UserStatus: 'CONFIRMED',
    UserCreateDate: seconds,
    UserLastModifiedDate: seconds,
  }
}

function answer(status: number, body: unknown): ControlResponse {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  }
}
