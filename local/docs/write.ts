import { writeFileSync } from 'node:fs'
import { apiMarkdown } from './markdown.ts'

writeFileSync(new URL('../../docs/api.md', import.meta.url), apiMarkdown())
