import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import * as z from 'zod'

/** A version of an object: one line of the bucket's file. */
const Stored = z.object({
  key: z.string(),
  version: z.string(),
  at_ms: z.number(),
  etag: z.string(),
  type: z.string(),
  body: z.base64(),
})
export type Stored = z.infer<typeof Stored>

export interface Objects {
  /** Appends a version; it is on disk when this returns. */
  put(key: string, body: Buffer, type: string): Stored
  /** The newest version, or the one asked for. */
  get(key: string, version?: string): Stored | undefined
  /** The newest version of each key, by key. */
  list(): Stored[]
  close(): void
}

/** Opens the file of a bucket. What was written is only ever added to. */
export function openObjects(file: string, now: () => number): Objects {
  const versions = new Map<string, Stored[]>()
  const add = (stored: Stored) => {
    const known = versions.get(stored.key)
    if (known === undefined) versions.set(stored.key, [stored])
    else known.push(stored)
  }
  let count = 0
  if (existsSync(file)) {
    const lines = readFileSync(file, 'utf8').split('\n')
    // A line that was being written when the machine stopped was never answered for.
    for (const line of lines.slice(0, -1)) {
      add(Stored.parse(JSON.parse(line)))
      count += 1
    }
  }
  const handle = openSync(file, 'a')
  return {
    put(key, body, type) {
      count += 1
      const stored: Stored = {
        key,
        version: `v${String(count).padStart(12, '0')}`,
        at_ms: now(),
        etag: createHash('md5').update(body).digest('hex'),
        type,
        body: body.toString('base64'),
      }
      writeSync(handle, `${JSON.stringify(stored)}\n`)
      fsyncSync(handle)
      add(stored)
      return stored
    },
    get: (key, version) =>
      versions.get(key)?.findLast((it) => version === undefined || it.version === version),
    list: () =>
      [...versions.values()]
        .map((all) => all.at(-1) as Stored)
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    close: () => closeSync(handle),
  }
}
