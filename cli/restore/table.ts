import { Failure, usage } from '../failure.ts'
import type { Stack, TableName } from '../stack/stack.ts'
import { keysOf, nothingPutBack, type PutBack, pagesOf, putBack, withItems } from './items.ts'

/**
 * Puts the items of a table that was restored beside the live one back into it: those the live one does
 * not have. An item that is there and says something else stays, and is named, unless `overwrites`.
 * So a restore changes no name, stream or stack.
 */
export async function restoreTable(
  stack: Stack,
  name: TableName,
  source: string,
  overwrites: boolean,
  tell: (line: string) => void,
): Promise<PutBack> {
  const table = stack.table(name)
  if (source === table) throw usage(`--from must be another table than ${table} itself`)
  return withItems(stack, async (client) => {
    const keys = await keysOf(client, table)
    const others = await keysOf(client, source)
    if (others.join() !== keys.join()) {
      throw new Failure(
        `${source} has the key ${others.join(', ')}; ${table} has ${keys.join(', ')}`,
      )
    }
    const done = nothingPutBack()
    const writes = overwrites ? 'all' : 'missing'
    for await (const page of pagesOf(client, source)) {
      await putBack({ client, table, keys }, page, writes, done, tell)
    }
    return done
  })
}
