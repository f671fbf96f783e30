import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import * as z from 'zod'

/** A version of an object as a line of the bucket's file. */
const Line = z.object({
  key: z.string(),
  version: z.string(),
  at_ms: z.number(),
  etag: z.string(),
  type: z.string(),
  body: z.base64(),
  /** A removal: the key is not listed any more, and earlier versions stay. */
  removed: z.boolean().default(false),
})

/** A version of an object without its body. */
export interface Stored {
  readonly key: string
  readonly version: string
  readonly at_ms: number
  readonly etag: string
  readonly type: string
  readonly size: number
  readonly removed: boolean
}

export interface Objects {
  /** Appends a version; it is on disk when this returns. */
  put(key: string, body: Buffer, type: string): Stored
  /** Appends a mark that the object is gone, as S3 does in a bucket with versions. */
  remove(key: string): Stored
  /** The newest version, or the one asked for; a removed object has no newest version. */
  get(key: string, version?: string): (Stored & { readonly body: Buffer }) | undefined
  /** The newest version of each key that is not removed, by key. */
  list(): Stored[]
  close(): void
}

interface Placed extends Stored {
  /** Where its line lies in the file. */
  readonly from: number
  readonly length: number
}

const CHUNK_BYTES = 1024 * 1024
const NEW_LINE = 0x0a

/**
 * Opens the file of a bucket. What was written is only ever added to. Bodies stay on disk: an archive
 * grows without an end.
 */
export function openObjects(file: string, now: () => number): Objects {
  const versions = new Map<string, Placed[]>()
  const add = (placed: Placed) => {
    const known = versions.get(placed.key)
    if (known === undefined) versions.set(placed.key, [placed])
    else known.push(placed)
  }
  let count = 0
  let end = 0
  const isNew = !existsSync(file)
  const handle = openSync(file, isNew ? 'w+' : 'r+')
  // A line that was being written when the machine stopped was never answered for: it is written over.
  for (const { bytes, from } of linesOf(handle)) {
    const { body, ...line } = Line.parse(JSON.parse(bytes.toString('utf8')))
    const size = Buffer.byteLength(body, 'base64')
    add({ ...line, size, from, length: bytes.length })
    count += 1
    end = from + bytes.length + 1
  }
  const append = (key: string, body: Buffer, type: string, removed: boolean): Stored => {
    count += 1
    const stored = {
      key,
      version: `v${String(count).padStart(12, '0')}`,
      at_ms: now(),
      etag: createHash('md5').update(body).digest('hex'),
      type,
      removed,
    }
    const bytes = Buffer.from(`${JSON.stringify({ ...stored, body: body.toString('base64') })}\n`)
    writeSync(handle, bytes, 0, bytes.length, end)
    fsyncSync(handle)
    const placed = { ...stored, size: body.length, from: end, length: bytes.length - 1 }
    end += bytes.length
    add(placed)
    return placed
  }
  const read = ({ from, length }: Placed): Buffer => {
    const bytes = Buffer.alloc(length)
    readSync(handle, bytes, 0, length, from)
    return Buffer.from(Line.parse(JSON.parse(bytes.toString('utf8'))).body, 'base64')
  }
  return {
    put: (key, body, type) => append(key, body, type, false),
    remove: (key) => append(key, Buffer.alloc(0), '', true),
    get(key, version) {
      const found = versions
        .get(key)
        ?.findLast((it) => version === undefined || it.version === version)
      return found === undefined || found.removed ? undefined : { ...found, body: read(found) }
    },
    list: () =>
      [...versions.values()]
        .map((all) => all.at(-1) as Stored)
        .filter(({ removed }) => !removed)
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    close: () => closeSync(handle),
  }
}

/** The whole lines of a file, without their ends, and where each begins. */
function* linesOf(handle: number): Generator<{ bytes: Buffer; from: number }> {
  let held = Buffer.alloc(0)
  let from = 0
  const chunk = Buffer.alloc(CHUNK_BYTES)
  for (let at = 0; ; ) {
    const count = readSync(handle, chunk, 0, CHUNK_BYTES, at)
    if (count === 0) return
    at += count
    held = Buffer.concat([held, chunk.subarray(0, count)])
    let start = 0
    for (let stop = held.indexOf(NEW_LINE); stop >= 0; stop = held.indexOf(NEW_LINE, start)) {
      yield { bytes: held.subarray(start, stop), from: from + start }
      start = stop + 1
    }
    held = held.subarray(start)
    from += start
  }
}
