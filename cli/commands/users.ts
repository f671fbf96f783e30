import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface AddOptions extends StackOptions {
  role: string
  classroom?: string[]
}

/** An attribute of Cognito holds this much. */
const MAX_ATTRIBUTE = 2_048

/** `autovolt users add <email> --role viewer --classroom B2-101`, `autovolt users list` */
export function users(program: Command, output: Output): void {
  const all = program.command('users').description('the people who may sign in')

  withStackOptions(all.command('add'))
    .description('make somebody a user, or change what they may do')
    .argument('<email>', 'who')
    .requiredOption('--role <role>', 'admin, operator or viewer')
    .option('--classroom <names...>', 'the only classrooms a viewer may see (without it: all)')
    .action(async (address: string, options: AddOptions) => {
      const z = await import('zod')
      const { usage } = await import('../failure.ts')
      const { option } = await import('../quantity.ts')
      const { Classroom } = await import('../../functions/contract/names.ts')
      const { ROLES, setUser } = await import('../people/users.ts')
      const email = option('<email>', z.email('must be an e-mail address'), address).toLowerCase()
      const role = option(
        '--role',
        z.enum(ROLES, 'must be admin, operator or viewer'),
        options.role,
      )
      const classrooms = options.classroom?.map((name) => option('--classroom', Classroom, name))
      if (classrooms !== undefined && role !== 'viewer') {
        throw usage(`--classroom limits viewers only (role is ${role})`)
      }
      if (JSON.stringify(classrooms ?? []).length > MAX_ATTRIBUTE) {
        throw usage(`--classroom: all names together take at most ${MAX_ATTRIBUTE} characters`)
      }
      const stack = await openStack(options)
      const { withPeople } = await import('../people/pool.ts')
      const person = { email, role, classrooms: classrooms ?? null }
      const isNew = await withPeople(stack, (client, pool) => setUser(client, pool, person))
      const where = classrooms === undefined ? '' : ` of ${classrooms.join(', ')}`
      output.out(`${email} is ${isNew ? 'now a user' : 'from now on'}: ${role}${where}\n`)
    })

  withStackOptions(all.command('list'))
    .description('who may sign in, and what they may do')
    .action(async (options: StackOptions) => {
      const stack = await openStack(options)
      const { withPeople } = await import('../people/pool.ts')
      const { listUsers } = await import('../people/users.ts')
      const { textTable } = await import('../show/table.ts')
      const rows: string[][] = []
      await withPeople(stack, async (client, pool) => {
        for await (const { email, role, classrooms, status } of listUsers(client, pool)) {
          rows.push([email, role ?? '-', classrooms?.join(', ') ?? 'all', status])
        }
      })
      rows.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
      const titles = ['EMAIL', 'ROLE', 'CLASSROOMS', 'STATUS'].map((title) => ({ title }))
      output.out(textTable(titles, rows))
    })
}
