import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectFiles, ROOT, source } from '../check/sources.ts'

const FILES = projectFiles()
const TOP = new Set(FILES.filter((it) => it.includes('/')).map((it) => it.split('/')[0]))
/** Headers of ESP-IDF, which documents name and the project has not. */
const FOREIGN = new Set(['esp_err.h', 'sdkconfig.h'])

export const documents = FILES.filter((path) => path.endsWith('.md'))
export const decisions = documents.filter((path) => /^docs\/adr\/\d/.test(path))
/** The folders of functions: the other folders beside them have no handler. */
export const functions = FILES.flatMap(
  (path) => /^functions\/([^/]+)\/handler\.ts$/.exec(path)?.[1] ?? [],
)

/** What of a document leads nowhere, each with its line. */
export function deadReferences(path: string, text: string): string[] {
  const dead: string[] = []
  let fenced = false
  text.split('\n').forEach((line, index) => {
    if (line.startsWith('```')) fenced = !fenced
    if (fenced) return
    const links = [...line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target) && !leads(path, target))
    const quoted = [...line.matchAll(/`([^`]+)`/g)]
      .map(([, word = '']) => word)
      .filter((word) => isPath(word) && !isThere(path, word))
    const records = [...line.matchAll(/\bADRs? (\d+)(?: and (\d+))?/g)]
      .flatMap(([, one = '', two]) => (two === undefined ? [one] : [one, two]))
      .filter((number) => !decisions.some((it) => it.includes(`/${number.padStart(4, '0')}-`)))
      .map((number) => `ADR ${number}`)
    for (const it of [...links, ...quoted, ...records]) dead.push(`${path}:${index + 1}: ${it}`)
  })
  return dead
}

/** Whether a relative link has a file, and there the heading it names. */
function leads(from: string, target: string): boolean {
  const [file = '', heading] = target.split('#')
  const path = file === '' ? from : join(dirname(from), file)
  if (!existsSync(new URL(path, ROOT))) return false
  return heading === undefined || anchorsOf(source(path)).includes(heading)
}

/** The headings of a document, as GitHub links to them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** A word in code that has the form of a file or folder of ours, with no blank to fill in. */
function isPath(word: string): boolean {
  if (/[\s<>*…${}|=:]/.test(word) || /^[/-]/.test(word) || FOREIGN.has(word)) return false
  return /\.(ts|mjs|c|h|md|sh)$/.test(word) || (word.includes('/') && TOP.has(word.split('/')[0]))
}

/** From the root or the document's folder; or the end of a path, as a row goes on from the one before. */
function isThere(from: string, word: string): boolean {
  // What a reader builds.
  if (word.startsWith('firmware/build')) return true
  const near = [word, join(dirname(from), word)].map((it) => new URL(it, ROOT))
  return near.some((it) => existsSync(it)) || FILES.some((path) => `/${path}`.includes(`/${word}`))
}
