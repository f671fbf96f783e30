import type { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

const PAGE = 60
/** An account has at most 10,000 pools. */
const MAX_PAGES = 200

/** A client of the stack's user pool, and the pool's id, for the length of `work`. */
export async function withPeople<T>(
  stack: Stack,
  work: (client: CognitoIdentityProviderClient, poolId: string) => Promise<T>,
): Promise<T> {
  const cognito = await import('@aws-sdk/client-cognito-identity-provider')
  const client = new cognito.CognitoIdentityProviderClient(stack.client('cognito-idp'))
  try {
    return await work(client, await poolId(stack, client))
  } finally {
    client.destroy()
  }
}

/** Pools have no names of their own choice to be asked for, so the one of our name is looked for. */
async function poolId(stack: Stack, client: CognitoIdentityProviderClient): Promise<string> {
  const { ListUserPoolsCommand } = await import('@aws-sdk/client-cognito-identity-provider')
  const name = `autovolt-${stack.stage}-people`
  let NextToken: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await client.send(new ListUserPoolsCommand({ MaxResults: PAGE, NextToken }))
    const id = answer.UserPools?.find((pool) => pool.Name === name)?.Id
    if (id !== undefined) return id
    NextToken = answer.NextToken
    if (NextToken === undefined) break
  }
  throw new Failure(`there is no user pool "${name}"; is stage ${stack.stage} deployed?`)
}
