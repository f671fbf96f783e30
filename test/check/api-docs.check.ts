import { expect, test } from 'vitest'
import { apiMarkdown } from '../../local/docs/markdown.ts'
import { source } from './sources.ts'

test('docs/api.md is what the contract says (npm run docs:api writes it)', () => {
  expect(source('docs/api.md') === apiMarkdown()).toBe(true)
})
