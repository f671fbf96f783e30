import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  role?: string
  user?: string
  ttlSeconds?: string
}

/** A token that outlives a day would be a password on disk. */
const MAX_TTL_S = 86_400

/** `autovolt token --role admin|operator|viewer | --user <email>`; on AWS by signing in */
export function token(program: Command, output: Output): void {
  withStackOptions(program.command('token'))
    .description('print a bearer token; on AWS (--stage) after signing in with a browser')
    .option('--role <role>', 'of somebody with this role: admin, operator or viewer (local)')
    .option('--user <email>', 'of this user (local)')
    .option('--ttl-seconds <n>', `how long it is valid, at most ${MAX_TTL_S} (local)`)
    .action(async (options: Options) => {
      const { usage } = await import('../failure.ts')
      const { role, user, ttlSeconds } = options
      const stack = await openStack(options)
      if (stack.control === undefined) {
        if (role !== undefined || user !== undefined || ttlSeconds !== undefined) {
          const why = 'on AWS the token is of whoever signs in, as the user pool says'
          throw usage(`--role, --user and --ttl-seconds are for the local stack; ${why}`)
        }
        const { awsToken } = await import('../people/aws-token.ts')
        const show = (url: string) => output.err(`Sign in at\n${url}\n`)
        output.out(`${await awsToken(stack, show)}\n`)
        return
      }
      if ((role === undefined) === (user === undefined)) throw usage('name --role or --user')
      output.out(`${await localToken(stack.control, options)}\n`)
    })
}

async function localToken(control: string, { role, user, ttlSeconds }: Options): Promise<string> {
  const z = await import('zod')
  const { Failure } = await import('../failure.ts')
  const { option, whole } = await import('../quantity.ts')
  const roles = z.enum(['admin', 'operator', 'viewer'], 'must be admin, operator or viewer')
  const whose = role === undefined ? { user } : { role: option('--role', roles, role) }
  const ttl =
    ttlSeconds === undefined ? undefined : option('--ttl-seconds', whole(1, MAX_TTL_S), ttlSeconds)
  const answer = await fetch(new URL('/local/token', control), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...whose, ttl_seconds: ttl }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Failure(`the local stack gave no token (${answer.status}): ${text}`)
  return z.object({ token: z.string().min(1) }).parse(JSON.parse(text)).token
}
