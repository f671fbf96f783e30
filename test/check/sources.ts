import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

export const ROOT = new URL('../../', import.meta.url)

/** The files of the project: what git tracks, and what it would track if it were added. */
export function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return listed.split('\n').filter((path) => path !== '' && existsSync(new URL(path, ROOT)))
}

export function source(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/** Source without comments, so that a rule about code does not trip over prose. */
export function code(path: string): string {
  return source(path)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1')
}

/** What a module imports: package names, `node:` modules, or paths from the project's root. */
export function imports(path: string): string[] {
  const found = [...code(path).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    (m) => m[1] as string,
  )
  return found.map((specifier) =>
    specifier.startsWith('.')
      ? new URL(specifier, new URL(path, 'file:///')).pathname.slice(1)
      : specifier,
  )
}
