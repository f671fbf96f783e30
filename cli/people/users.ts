import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDeleteUserAttributesCommand,
  AdminListGroupsForUserCommand,
  AdminRemoveUserFromGroupCommand,
  AdminUpdateUserAttributesCommand,
  type CognitoIdentityProviderClient,
  ListUsersCommand,
  UsernameExistsException,
  type UserType,
} from '@aws-sdk/client-cognito-identity-provider'

/** The groups of the pool, the mightiest first. */
export const ROLES = ['admin', 'operator', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/** A person as an administrator sees them. */
export interface Person {
  readonly email: string
  readonly role: Role | null
  /** The only classrooms a viewer may see; null for all. */
  readonly classrooms: readonly string[] | null
  readonly status: string
}

const CLASSROOMS = 'custom:classrooms'

/**
 * Makes a person of the pool what is said, whatever they were before; who is new gets an invitation by
 * e-mail. The limit is set before the group that needs it, so at no moment do they see too much.
 * @returns whether they are new
 */
export async function setUser(
  client: CognitoIdentityProviderClient,
  UserPoolId: string,
  { email, role, classrooms }: Pick<Person, 'email' | 'classrooms'> & { role: Role },
): Promise<boolean> {
  const user = { UserPoolId, Username: email }
  const limit = classrooms && [{ Name: CLASSROOMS, Value: JSON.stringify(classrooms) }]
  const isNew = await created(client, user, [
    { Name: 'email', Value: email },
    { Name: 'email_verified', Value: 'true' },
    ...(limit ?? []),
  ])
  if (!isNew && limit !== null) {
    await client.send(new AdminUpdateUserAttributesCommand({ ...user, UserAttributes: limit }))
  }
  for (const group of await groupsOf(client, user)) {
    if (group === role || !ROLES.some((one) => one === group)) continue
    await client.send(new AdminRemoveUserFromGroupCommand({ ...user, GroupName: group }))
  }
  await client.send(new AdminAddUserToGroupCommand({ ...user, GroupName: role }))
  if (!isNew && limit === null) {
    const names = { UserAttributeNames: [CLASSROOMS] }
    await client.send(new AdminDeleteUserAttributesCommand({ ...user, ...names }))
  }
  return isNew
}

async function created(
  client: CognitoIdentityProviderClient,
  user: { UserPoolId: string; Username: string },
  UserAttributes: { Name: string; Value: string }[],
): Promise<boolean> {
  try {
    const DesiredDeliveryMediums = ['EMAIL' as const]
    const invited = { ...user, UserAttributes, DesiredDeliveryMediums }
    await client.send(new AdminCreateUserCommand(invited))
    return true
  } catch (error) {
    if (error instanceof UsernameExistsException) return false
    throw error
  }
}

async function groupsOf(
  client: CognitoIdentityProviderClient,
  user: { UserPoolId: string; Username: string },
): Promise<string[]> {
  // A pool of ours has three groups, and a page holds sixty.
  const { Groups = [] } = await client.send(new AdminListGroupsForUserCommand(user))
  return Groups.flatMap(({ GroupName }) => GroupName ?? [])
}

/** Everybody in the pool, as Cognito lists them. */
export async function* listUsers(
  client: CognitoIdentityProviderClient,
  UserPoolId: string,
): AsyncGenerator<Person> {
  let PaginationToken: string | undefined
  do {
    const page = await client.send(new ListUsersCommand({ UserPoolId, PaginationToken }))
    for (const user of page.Users ?? []) {
      const groups = await groupsOf(client, { UserPoolId, Username: user.Username ?? '' })
      yield personOf(user, groups)
    }
    PaginationToken = page.PaginationToken
  } while (PaginationToken !== undefined)
}

function personOf(user: UserType, groups: readonly string[]): Person {
  const attributes = new Map(user.Attributes?.map(({ Name, Value }) => [Name, Value]))
  return {
    email: attributes.get('email') ?? user.Username ?? '',
    role: ROLES.find((role) => groups.includes(role)) ?? null,
    classrooms: listIn(attributes.get(CLASSROOMS)),
    status: user.Enabled === false ? 'DISABLED' : (user.UserStatus ?? ''),
  }
}

/** What cannot be read limits to nothing, as it does in tokens. */
function listIn(attribute: string | undefined): string[] | null {
  if (attribute === undefined || attribute === '') return null
  try {
    const list: unknown = JSON.parse(attribute)
    return Array.isArray(list) ? list.map(String) : []
  } catch {
    return []
  }
}
