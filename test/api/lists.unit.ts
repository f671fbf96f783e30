import { expect, it } from 'vitest'
import { cursorAfter } from '../../functions/api/cursor.ts'
import type { Context } from '../../functions/api/endpoint.ts'
import { reconciliations } from '../../functions/api/lists.ts'

it('a cursor that names a place outside of the runs is refused before the table is asked', async () => {
  const asked: unknown[] = []
  const page = async (_kind: string, { after }: { after?: string | undefined }) => {
    asked.push(after)
    return { items: [], next: null }
  }
  const context = { ports: { lists: { page } } } as unknown as Context
  const ask = (after: string) =>
    reconciliations({ limit: 5, cursor: cursorAfter(after, ['reconciliations']) }, context, {})
  expect(await ask('rollup#last')).toMatchObject({ problem: { status: 400 } })
  expect(await ask('reconcile#2026-01-15')).toMatchObject({ answer: { next_cursor: null } })
  expect(asked).toEqual(['reconcile#2026-01-15'])
})
