import { expect, test } from 'vitest'
import { costMarkdown } from '../../cli/cost/document.ts'
import { source } from './sources.ts'

test('docs/cost.md is what the model says (npm run docs:cost writes it)', () => {
  expect(source('docs/cost.md') === costMarkdown()).toBe(true)
})
