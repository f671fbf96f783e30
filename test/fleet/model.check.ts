import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const MODEL = join(import.meta.dirname, '../../local/fleet/model')

it('the model of the campus is its own truth: it imports itself and luxon, nothing it could agree with', () => {
  const foreign = readdirSync(MODEL).flatMap((file) => {
    const text = readFileSync(join(MODEL, file), 'utf8')
    return [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => name !== 'luxon' && !/^\.\/[a-z]+\.ts$/.test(name))
      .map((name) => `${file}: ${name}`)
  })
  expect(foreign).toEqual([])
})
