import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { RuleEvent } from '../contract/rule-event.ts'
import { explain } from './json.ts'

/** Which messages, by receipt, `[fromMs, toMs)`. */
export interface Receipts {
  readonly fromMs: number
  readonly toMs: number
}

/** An object of the archive: messages that were delivered together. */
export interface ArchivedObject {
  readonly key: string
  readonly bytes: number
}

export interface ArchiveReader {
  /**
   * The objects that may hold messages of that time, in the order of delivery, a page at a time.
   * @param after only those behind this key
   */
  objects(receipts: Receipts, after?: string): AsyncGenerator<ArchivedObject>
  /** The lines of an object as they lie there. */
  lines(key: string): Promise<string[]>
}

export const RAW_FOLDER = 'raw/'

/** Quarantine keeps a message for 90 days, and one that is released is archived on that day. */
const LATEST_DELIVERY_MS = 91 * 86_400_000

const unzipped = promisify(gunzip)
const GZIP_MARK = [0x1f, 0x8b]

/** The folder of a day of delivery, in UTC. */
export function dayFolder(atMs: number): string {
  const [year, month, day] = new Date(atMs).toISOString().slice(0, 10).split('-')
  return `${RAW_FOLDER}year=${year}/month=${month}/day=${day}/`
}

export function archiveReader(client: S3Client, Bucket: string): ArchiveReader {
  return {
    async *objects({ fromMs, toMs }, after = '') {
      const first = fromMs > 0 ? dayFolder(fromMs) : RAW_FOLDER
      const last = Number.isFinite(toMs) ? dayFolder(toMs + LATEST_DELIVERY_MS) : undefined
      let StartAfter: string | undefined = after > first ? after : first
      while (StartAfter !== undefined) {
        const page: { Contents?: { Key?: string; Size?: number }[]; IsTruncated?: boolean } =
          await client.send(new ListObjectsV2Command({ Bucket, Prefix: RAW_FOLDER, StartAfter }))
        for (const { Key = '', Size = 0 } of page.Contents ?? []) {
          // Keys sort by day.
          if (last !== undefined && Key > `${last}~`) return
          yield { key: Key, bytes: Size }
        }
        StartAfter = page.IsTruncated ? page.Contents?.at(-1)?.Key : undefined
      }
    },
    async lines(key) {
      return linesOf(await bodyOf(client, Bucket, key))
    },
  }
}

/** The bytes of an object. @throws Error that names it and why it cannot be read */
export async function bodyOf(client: S3Client, Bucket: string, Key: string): Promise<Uint8Array> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
    return (await Body?.transformToByteArray()) ?? new Uint8Array()
  } catch (cause) {
    const isFrozen = cause instanceof Error && cause.name === 'InvalidObjectState'
    const why = isFrozen ? 'is in Deep Archive: restore it in S3 first' : 'cannot be read'
    throw new Error(`archived object ${Key} ${why}`, { cause })
  }
}

/** Lines of JSON, gzipped or not. */
export async function linesOf(body: Uint8Array): Promise<string[]> {
  const isGzipped = GZIP_MARK.every((byte, at) => body[at] === byte)
  const text = isGzipped ? await unzipped(body) : Buffer.from(body)
  return text
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
}

/** The message on a line, or why there is none. */
export function messageOf(line: string): { message: RuleEvent } | { reason: string } {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    return { reason: `is no JSON: ${error instanceof Error ? error.message : String(error)}` }
  }
  const parsed = RuleEvent.safeParse(json)
  if (parsed.success) return { message: parsed.data }
  return { reason: explain(parsed.error.issues, json) }
}
