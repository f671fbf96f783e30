import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Log files of one directory, one per source, each kept to two files of at most `LIMIT_BYTES`. */
export interface LogFiles {
  /** Appends one line, a JSON text without its line end. */
  write(source: string, line: string): void
  /** Resolves when everything written so far is in the files. */
  flush(): Promise<void>
}

const LIMIT_BYTES = 8 * 1024 * 1024
const FLUSH_AFTER_MS = 100

/** Opens the log files of `directory`, which need not exist yet. */
export function openLogFiles(directory: string): LogFiles {
  const pending = new Map<string, string[]>()
  const sizes = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  const drain = async () => {
    await mkdir(directory, { recursive: true })
    for (const [source, lines] of [...pending]) {
      pending.delete(source)
      const file = join(directory, `${source.replace(/[^\w.-]/g, '_')}.log`)
      const text = `${lines.join('\n')}\n`
      const before = sizes.get(source) ?? (await sizeOf(file))
      const full = before + text.length > LIMIT_BYTES && before > 0
      if (full) await rename(file, `${file}.1`)
      await appendFile(file, text)
      sizes.set(source, (full ? 0 : before) + text.length)
    }
  }
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    // A full disk must not end the stack: the lines are lost, the next flush tries again.
    writing = writing.then(drain).catch(() => {})
    return writing
  }

  return {
    write(source, line) {
      const lines = pending.get(source)
      if (lines) lines.push(line)
      else pending.set(source, [line])
      timer ??= setTimeout(flush, FLUSH_AFTER_MS)
    },
    flush,
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (it) => it.size,
    () => 0,
  )
}
