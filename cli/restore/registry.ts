import { BACKED_UP, type BackedUpTable, backupStore } from '../../functions/adapters/backups.ts'
import { isKept } from '../../functions/backup/kept.ts'
import { type OtherBucket, withArchive } from '../archive/place.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import {
  keysOf,
  nothingPutBack,
  type PutBack,
  pagesOf,
  putBack,
  type Target,
  withItems,
} from './items.ts'

export interface RegistryRequest extends OtherBucket {
  /** The day of the site the copy was made on. @default - the last one there is */
  readonly day: string | undefined
  /** Also puts into a table that is not empty what is missing there. */
  readonly fills: boolean
}

/** A table, and what became of its copy. */
export interface RestoredTable extends PutBack {
  readonly table: BackedUpTable
  readonly isWritten: boolean
}

/**
 * Puts a nightly copy of registry, tariffs and decisions back into empty tables. Nothing that is there
 * is written over: of a table that holds any of it the copy is only compared, since what was withdrawn
 * after that night would come back.
 */
export async function restoreRegistry(
  stack: Stack,
  request: RegistryRequest,
  tell: (line: string) => void,
): Promise<RestoredTable[]> {
  return withArchive(stack, request, async ({ s3, bucket }) => {
    const store = backupStore(s3, bucket)
    const found = await store.latest(request.day)
    if (found === null) {
      const of = request.day === undefined ? '' : ` of ${request.day}`
      throw new Failure(`${bucket} holds no whole copy${of} of the registry`)
    }
    for (const { key, why } of found.passedOver) tell(`${key} is passed over: ${why}`)
    tell(`from ${found.key}`)
    return withItems(stack, async (client) => {
      const restored: RestoredTable[] = []
      for (const name of BACKED_UP) {
        const table = stack.table(name)
        const target = { client, table, keys: await keysOf(client, table) }
        const isWritten = request.fills || (await isEmpty(target, name))
        const done = nothingPutBack()
        for (const part of found.manifest.tables[name]) {
          const items = await store.items(part)
          await putBack(target, items, isWritten ? 'missing' : 'nothing', done, tell)
        }
        restored.push({ table: name, isWritten, ...done })
      }
      return restored
    })
  })
}

/** Whether a table holds nothing of what copies have: it fills with other things as soon as nodes send. */
async function isEmpty({ client, table }: Target, name: BackedUpTable): Promise<boolean> {
  for await (const page of pagesOf(client, table)) {
    if (page.some((item) => isKept(name, item))) return false
  }
  return true
}
