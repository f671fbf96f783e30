import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'

/** A record that was accepted and is not delivered yet. */
export interface Held {
  readonly atMs: number
  readonly data: Buffer
}

/** Records that are delivered together. */
export interface Batch {
  readonly records: readonly Held[]
  /** Forgets them, once they are where they belong. */
  done(): Promise<void>
}

/** Accepted records on disk, in the order they came. */
export interface Buffered {
  /** Resolves once the record is on disk. */
  add(data: Buffer, atMs: number): Promise<void>
  /** Everything that was added and not taken before, and what an earlier process left. */
  take(): Promise<Batch[]>
  close(): Promise<void>
}

const Line = z.object({ at_ms: z.number(), data: z.base64() })
const OPEN = 'open.ndjson'

/**
 * Opens the buffer in a folder of its own. Records that come while the disk is busy share the next
 * write. A batch is a file: it is taken by renaming and forgotten by removing, so a crash in between
 * delivers it again, as AWS may, too.
 */
export async function openBuffer(folder: string): Promise<Buffered> {
  await mkdir(folder, { recursive: true })
  let file: FileHandle | undefined
  let waiting: { line: string; resolve: () => void; reject: (error: unknown) => void }[] = []
  let writing: Promise<void> = Promise.resolve()
  let sealed = Date.now()

  const write = async () => {
    const some = waiting
    waiting = []
    if (some.length === 0) return
    try {
      file ??= await open(join(folder, OPEN), 'a')
      await file.appendFile(some.map(({ line }) => line).join(''))
      await file.datasync()
      for (const { resolve } of some) resolve()
    } catch (error) {
      for (const { reject } of some) reject(error)
    }
  }
  const seal = async () => {
    await file?.close()
    file = undefined
    sealed += 1
    try {
      // In the order they were sealed; the rest of the name sees to it that none takes another's place.
      const name = `sealed-${String(sealed).padStart(15, '0')}-${randomUUID()}.ndjson`
      await rename(join(folder, OPEN), join(folder, name))
    } catch (error) {
      // Nothing came since the last time.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  /** Writes and seals take turns: a record is either in the batch or in the next one. */
  const inTurn = (step: () => Promise<void>) => {
    const turn = writing.then(step)
    writing = turn.catch(() => {})
    return turn
  }
  // Whatever an earlier process left half written ends with its file.
  await seal()
  return {
    add(data, atMs) {
      return new Promise((resolve, reject) => {
        const line = `${JSON.stringify({ at_ms: atMs, data: data.toString('base64') })}\n`
        waiting.push({ line, resolve, reject })
        if (waiting.length === 1) void inTurn(write)
      })
    },
    async take() {
      await inTurn(async () => {
        await write()
        await seal()
      })
      const names = (await readdir(folder)).filter((name) => name.startsWith('sealed-')).sort()
      return Promise.all(
        names.map(async (name) => {
          const path = join(folder, name)
          return { records: records(await readFile(path, 'utf8')), done: () => rm(path) }
        }),
      )
    },
    async close() {
      await inTurn(write)
      await file?.close()
    },
  }
}

/** A line that was being written when the machine stopped was never answered for. */
function records(text: string): Held[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { at_ms, data } = Line.parse(JSON.parse(line))
      return { atMs: at_ms, data: Buffer.from(data, 'base64') }
    })
}
