import {
  DescribeUserPoolCommand,
  ListUserPoolClientsCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { LOOPBACK_CALLBACK } from '../../infra/names.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { withPeople } from './pool.ts'
import { signIn } from './sign-in.ts'

const PAGE = 60

/** A token of a stage on AWS: the person signs in with their browser. */
export async function awsToken(stack: Stack, show: (url: string) => void): Promise<string> {
  if (stack.stage === 'prod') {
    throw new Failure('people of prod sign in through the dashboard only; no terminal gets a token')
  }
  const found = await withPeople(stack, async (client, UserPoolId) => {
    const { UserPool } = await client.send(new DescribeUserPoolCommand({ UserPoolId }))
    const { UserPoolClients = [] } = await client.send(
      new ListUserPoolClientsCommand({ UserPoolId, MaxResults: PAGE }),
    )
    const name = `autovolt-${stack.stage}-dashboard`
    const clientId = UserPoolClients.find(({ ClientName }) => ClientName === name)?.ClientId
    const prefix = UserPool?.Domain
    if (clientId === undefined || prefix === undefined) {
      throw new Failure(`the user pool has no client "${name}" or no sign-in page`)
    }
    const { region } = stack.client('cognito-idp')
    return { clientId, domain: `https://${prefix}.auth.${region}.amazoncognito.com` }
  })
  // The pre-token function gives the scopes of the person's role, whatever is asked for.
  const scopes = ['openid', 'email', 'autovolt/read']
  return signIn({ ...found, callback: LOOPBACK_CALLBACK, scopes }, show)
}
