import { expect, test } from 'vitest'
import { source } from '../check/sources.ts'
import { deadReferences, decisions, documents, functions } from './references.ts'

test.each(documents)('every link, path and ADR that %s names is there', (path) => {
  expect(deadReferences(path, source(path))).toEqual([])
})

test.each([
  ['[gone](docs/gone.md)', ['README.md:1: docs/gone.md']],
  ['[no such heading](docs/runbook.md#no-such)', ['README.md:1: docs/runbook.md#no-such']],
  ['see `functions/ingest/gone.ts`', ['README.md:1: functions/ingest/gone.ts']],
  ['see `gone.ts`', ['README.md:1: gone.ts']],
  ['see ADR 13 and 99', ['README.md:1: ADR 99']],
  ['[there](docs/runbook.md#first-look), `functions/ingest/`, `handler.ts`, ADR 13', []],
])('%s: a reader is told of what is not there', (text, dead) => {
  expect(deadReferences('README.md', text)).toEqual(dead)
})

test('the index of decisions has each of them, in order, under its own title', () => {
  const rows = decisions.map((path) => {
    const [, number, title] = /^# (\d+)\. (.*)\n/.exec(source(path)) ?? []
    return `| ${number} | [${title}](${path.replace('docs/adr/', '')}) |`
  })
  const index = source('docs/adr/README.md').split('\n')
  expect(index.filter((line) => /^\| \d/.test(line))).toEqual(rows)
})

test('the architecture says of every function what it does', () => {
  const text = source('docs/architecture.md')
  expect(functions.filter((name) => !new RegExp(`[\`*_]${name}[\`*_]`).test(text))).toEqual([])
})
