import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import type { Stack } from '../stack/stack.ts'

const Position = z.object({
  /** What the replay was asked for: another one does not go on where this one stopped. */
  request: z.string(),
  after: z.string(),
  messages: z.int(),
})
type Position = z.infer<typeof Position>

/** How far a replay has come, on disk, so that one that was stopped goes on. */
export interface Progress {
  /** The last object that is done; undefined at the beginning. */
  readonly after: string | undefined
  readonly messages: number
  reached(after: string, messages: number): void
  /** Forgets it: all is done. */
  finish(): void
}

const folderOf = (stack: Stack) => join(stack.dataDir, 'replay')

/** @param isResuming false begins anew, whatever is there */
export function openProgress(stack: Stack, request: string, isResuming: boolean): Progress {
  const file = join(folderOf(stack), `from-archive-${stack.stage}.json`)
  const known = isResuming ? read(file) : undefined
  const start = known?.request === request ? known : undefined
  return {
    after: start?.after,
    messages: start?.messages ?? 0,
    reached(after, messages) {
      mkdirSync(dirname(file), { recursive: true })
      const position: Position = { request, after, messages }
      writeFileSync(`${file}.new`, JSON.stringify(position))
      renameSync(`${file}.new`, file)
    },
    finish: () => rmSync(file, { force: true }),
  }
}

function read(file: string): Position | undefined {
  try {
    return Position.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // None, or one of another version: the replay begins at its beginning, which does no harm.
    return undefined
  }
}

/** A line that could not be replayed, and why. */
export interface FailedLine {
  readonly key: string
  readonly line: string
  readonly reason: string
}

const Failed = z.object({ key: z.string(), line: z.string(), reason: z.string() })

/** Keeps failed lines in a file, to be replayed by `--records` once the cause is gone. */
export function failedLines(stack: Stack, startedAt: Date) {
  const stamp = startedAt.toISOString().replaceAll(/[:.]/g, '-')
  const file = join(folderOf(stack), `failed-${stack.stage}-${stamp}.ndjson`)
  return {
    file,
    keep(failed: readonly FailedLine[]) {
      if (failed.length === 0) return
      mkdirSync(dirname(file), { recursive: true })
      appendFileSync(file, failed.map((it) => `${JSON.stringify(it)}\n`).join(''))
    },
  }
}

/** The lines of such a file, or of an object somebody has fetched by hand. */
export function linesOfFile(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const failed = Failed.safeParse(parsed(line))
      return failed.success ? failed.data.line : line
    })
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
