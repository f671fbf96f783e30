import { existsSync, readFileSync } from 'node:fs'

export const ROOT = new URL('../../', import.meta.url)

/** The documents whose commands people copy, in the order in which a reader meets them. */
export const DOCUMENTS = [
  'README.md',
  'docs/admin-guide.md',
  'docs/runbook.md',
  'docs/deployment.md',
  'docs/devices.md',
  'docs/recovery.md',
].filter((path) => existsSync(new URL(path, ROOT)))

/**
 * What a block is for, as its fence says: `sh` runs against a local stack, as written; `sh aws` needs an
 * account, and `sh host` starts, tests or builds on a machine: those two are only looked at.
 */
export type Use = 'local' | 'aws' | 'host'
const USES: Readonly<Record<string, Use>> = { '': 'local', aws: 'aws', host: 'host' }

export interface Block {
  /** Path and line of the fence, for messages. */
  readonly at: string
  /** The heading above. */
  readonly heading: string
  readonly use: Use
  readonly script: string
}

/** The shell blocks of a document. */
export function blocksOf(path: string): Block[] {
  const blocks: Block[] = []
  let heading = ''
  let open: { at: string; use: Use; lines: string[] } | undefined
  readFileSync(new URL(path, ROOT), 'utf8')
    .split('\n')
    .forEach((line, index) => {
      const at = `${path}:${index + 1}`
      if (open !== undefined) {
        if (line.startsWith('```')) {
          blocks.push({ ...open, heading, script: `${open.lines.join('\n')}\n` })
          open = undefined
        } else open.lines.push(line)
        return
      }
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading
      const fence = /^```sh ?(.*)$/.exec(line)
      if (fence === null) return
      const use = USES[fence[1] ?? '']
      if (use === undefined) throw new Error(`${at}: a block is sh, sh aws or sh host`)
      open = { at, use, lines: [] }
    })
  return blocks
}

/** The simple commands of a script in words: as a shell parts them, without running anything. */
export function commandsOf(script: string): string[][] {
  const text = script
    .replace(/\\\n/g, ' ')
    .replace(/^\s*#.*$/gm, '')
    // What a command is given to read is no command.
    .replace(/<<'?(\w+)'?\n[\s\S]*?\n\1\n/g, '\n')
    // What a command prints becomes a word of another: both are looked at.
    .replace(/\b[A-Z_]+=\$\(/g, '\n$(')
    .replace(/\$\(([^()]*)\)/g, '\n$1\n')
  const commands: string[][] = []
  let words: string[] = []
  const end = () => {
    if (words.length > 0) commands.push(words)
    words = []
  }
  for (const [token] of text.matchAll(
    /(?:'[^']*'|"(?:[^"\\]|\\.)*"|[^\s;|&"'])+|&&|\|\||[;|&\n]/g,
  )) {
    if (/^(&&|\|\||[;|&\n])$/.test(token)) end()
    else if (words.length > 0 || !/^[A-Za-z_]+=/.test(token))
      words.push(token.replace(/^['"]|['"]$/g, ''))
  }
  end()
  return commands
}
