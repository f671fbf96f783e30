import { createHash } from 'node:crypto'
import * as z from 'zod'

/** What a cursor holds: the last item given, and a digest that binds it to its query. */
const Cursor = z.strictObject({ after: z.string().min(1), of: z.string() })

/** @param query what the list depends on, besides the place in it */
export function cursorAfter(after: string, query: unknown): string {
  return Buffer.from(JSON.stringify({ after, of: digestOf(after, query) })).toString('base64url')
}

/** The item a page goes on behind: undefined without a cursor, null for one that is not of this query. */
export function afterCursor(cursor: string | undefined, query: unknown): string | null | undefined {
  if (cursor === undefined) return undefined
  try {
    const json: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    const { after } = Cursor.parse(json)
    // Canonical, so that a cursor has one spelling only.
    return cursorAfter(after, query) === cursor ? after : null
  } catch {
    return null
  }
}

export const NOT_OURS = 'must be the next_cursor of a page of this query'

/** No secret: it keeps a cursor from being used for another query, or changed by accident. */
function digestOf(after: string, query: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([after, query]))
    .digest('hex')
    .slice(0, 16)
}
