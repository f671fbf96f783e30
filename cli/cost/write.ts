import { writeFileSync } from 'node:fs'
import { costMarkdown } from './document.ts'

writeFileSync(new URL('../../docs/cost.md', import.meta.url), costMarkdown())
