import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { RULES } from '../../functions/domain/checks/finding.ts'
import { code, ROOT, source } from './sources.ts'

/** The rows `| rule | by values | through the front door |` of the page about checks. */
const rows = [
  ...source('functions/domain/checks/README.md').matchAll(
    /^\| `(\w+)` \| `(test\/domain\/[^`]+)` \| `(test\/e2e\/[^`]+)` \|$/gm,
  ),
].map(([, rule, unit, e2e]) => ({ rule, files: [unit, e2e] as string[] }))

test('each check has a test by values and one through the front door, in the order of the list', () => {
  expect(rows.map(({ rule }) => rule)).toEqual(RULES)
})

test('the files are there and name the check in their code', () => {
  const faults = rows.flatMap(({ rule, files }) =>
    files
      .filter(
        (file) => !existsSync(new URL(file, ROOT)) || !new RegExp(`\\b${rule}\\b`).test(code(file)),
      )
      .map((file) => `${file} does not show ${rule}`),
  )
  expect(faults).toEqual([])
})

test('a check has a file of its own, named like its rule', () => {
  const missing = RULES.map(
    (rule) => `functions/domain/checks/${rule.replaceAll('_', '-')}.ts`,
  ).filter((file) => !existsSync(new URL(file, ROOT)))
  expect(missing).toEqual([])
})
