import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  role: string
  ttlSeconds?: string
}

/** A token that outlives a day would be a password on disk. */
const MAX_TTL_S = 86_400

/** `autovolt token --role admin|operator|viewer` */
export function token(program: Command, output: Output): void {
  withStackOptions(program.command('token'))
    .description('print a bearer token (local stack only)')
    .requiredOption('--role <role>', 'admin, operator or viewer')
    .option('--ttl-seconds <n>', `how long it is valid, at most ${MAX_TTL_S}`)
    .action(async (options: Options) => {
      const z = await import('zod')
      const { Failure } = await import('../failure.ts')
      const { option, whole } = await import('../quantity.ts')
      const roles = z.enum(['admin', 'operator', 'viewer'], 'must be admin, operator or viewer')
      const role = option('--role', roles, options.role)
      const ttl =
        options.ttlSeconds === undefined
          ? undefined
          : option('--ttl-seconds', whole(1, MAX_TTL_S), options.ttlSeconds)
      const stack = await openStack(options)
      if (stack.control === undefined) {
        throw new Failure(
          `token is for the local stack only; on AWS (--stage ${stack.stage}) people sign in to the user pool`,
        )
      }
      const answer = await fetch(new URL('/local/token', stack.control), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ role, ttl_seconds: ttl }),
      })
      const text = await answer.text()
      if (!answer.ok) throw new Failure(`the local stack gave no token (${answer.status}): ${text}`)
      output.out(`${z.object({ token: z.string().min(1) }).parse(JSON.parse(text)).token}\n`)
    })
}
