import { expect, it } from 'vitest'
import { afterCursor, cursorAfter } from '../../functions/api/cursor.ts'

it('a cursor goes on behind the item it was made of, for its own query only', () => {
  const cursor = cursorAfter('esp32-b', ['nodes', 'A1'])
  expect(afterCursor(cursor, ['nodes', 'A1'])).toBe('esp32-b')
  expect(afterCursor(cursor, ['nodes', 'B2'])).toBeNull()
  expect(afterCursor(undefined, ['nodes', 'A1'])).toBeUndefined()
  for (const wrong of ['', 'x', `${cursor}=`, cursor.slice(1), 'e30']) {
    expect(afterCursor(wrong, ['nodes', 'A1']), wrong).toBeNull()
  }
  expect(afterCursor(cursorAfter('', ['nodes', 'A1']), ['nodes', 'A1'])).toBeNull()
})
