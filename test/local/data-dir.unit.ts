import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDataDir } from '../../local/data-dir.ts'
import { CannotRunLocally } from '../../local/template/refuse.ts'
import { temporary } from './fixture/app.ts'

test('a data directory that is a file is refused by the name of the option', () => {
  const file = join(temporary(), 'notes.txt')
  writeFileSync(file, 'a file')
  const open = () => openDataDir(file, false)
  expect(open).toThrow(CannotRunLocally)
  expect(open).toThrow(`--data-dir: ${file} cannot be a directory for all state (EEXIST`)
})
