import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import * as z from 'zod'
import { bodyOf } from './archive-reader.ts'

/** Tables that are copied, in this order: what a ticket says was decided is then in the later one. */
export const BACKED_UP = ['control', 'nodes'] as const
export type BackedUpTable = (typeof BACKED_UP)[number]

/** An item as DynamoDB types it, so that nothing is rounded or guessed. */
export type TypedItem = Record<string, AttributeValue>

/** An object with some of the items of a table. */
const Part = z.object({
  key: z.string(),
  /** Of the object's bytes. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  items: z.int().min(1),
})
export type Part = z.infer<typeof Part>

/** Names the parts of a whole copy. It is written last: without it a copy is none. */
const BackupManifest = z.object({
  written_at: z.iso.datetime(),
  tables: z.record(z.literal(BACKED_UP), z.array(Part)),
})
export type BackupManifest = z.infer<typeof BackupManifest>

/** A whole copy, and the later ones that were passed over. */
export interface Copy {
  readonly key: string
  readonly manifest: BackupManifest
  readonly passedOver: readonly { readonly key: string; readonly why: string }[]
}

/** Copies of tables in the archive, by the day of the site they were made on. */
export interface BackupStore {
  /** @param lines items as `toLine` writes them */
  put(day: string, table: BackedUpTable, index: number, lines: readonly string[]): Promise<Part>
  complete(day: string, manifest: BackupManifest): Promise<string>
  /**
   * The last whole copy, or the last one of a day; null when there is none. One whose parts are not all there
   * is none: a bucket in another region gets them in any order. One without anything of a table is passed
   * over where an earlier one has something of each: it was made after the loss.
   */
  latest(day?: string): Promise<Copy | null>
  /** @throws Error when the object is not the one the manifest names */
  items(part: Part): Promise<TypedItem[]>
}

const FOLDER = 'registry/'
const MANIFEST = /\/manifest~[^/]+\.json$/
const zipped = promisify(gzip)
const unzipped = promisify(gunzip)

export function backupStore(client: S3Client, Bucket: string): BackupStore {
  const put = async (Key: string, Body: Uint8Array | string, ContentType: string) => {
    const digest = createHash('sha256').update(Body).digest()
    const ChecksumSHA256 = digest.toString('base64')
    await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType, ChecksumSHA256 }))
  }
  const get = (Key: string) => bodyOf(client, Bucket, Key)
  const manifestOf = async (key: string): Promise<BackupManifest> => {
    const text = Buffer.from(await get(key)).toString('utf8')
    return BackupManifest.parse(JSON.parse(text))
  }
  return {
    async put(day, table, index, lines) {
      const bytes = await zipped(lines.join(''))
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      // A copy that is made again on its day replaces nothing but what is the same.
      const key = `${FOLDER}${day}/${table}-${String(index).padStart(5, '0')}~${sha256}.json.gz`
      await put(key, bytes, 'application/gzip')
      return { key, sha256, items: lines.length }
    },
    async complete(day, manifest) {
      const key = `${FOLDER}${day}/manifest~${manifest.written_at}.json`
      await put(key, JSON.stringify(manifest), 'application/json')
      return key
    },
    async latest(day) {
      const Prefix = day === undefined ? FOLDER : `${FOLDER}${day}/`
      const keys = new Set<string>()
      let StartAfter: string | undefined
      do {
        const page: { Contents?: { Key?: string }[]; IsTruncated?: boolean } = await client.send(
          new ListObjectsV2Command({ Bucket, Prefix, StartAfter }),
        )
        for (const { Key = '' } of page.Contents ?? []) keys.add(Key)
        StartAfter = page.IsTruncated ? page.Contents?.at(-1)?.Key : undefined
      } while (StartAfter !== undefined)
      const passedOver: { key: string; why: string }[] = []
      let newest: Copy | null = null
      for (const key of [...keys].filter((it) => MANIFEST.test(it)).reverse()) {
        const manifest = await manifestOf(key)
        const parts = BACKED_UP.flatMap((table) => manifest.tables[table])
        const missing = parts.find((part) => !keys.has(part.key))
        const empty = BACKED_UP.find((table) => manifest.tables[table].length === 0)
        if (missing !== undefined) passedOver.push({ key, why: `${missing.key} is not there` })
        else {
          const copy = { key, manifest, passedOver: [...passedOver] }
          if (empty === undefined) return copy
          newest ??= copy
          passedOver.push({ key, why: `it holds nothing of ${empty}` })
        }
      }
      return newest
    },
    async items({ key, sha256 }) {
      const bytes = await get(key)
      const found = createHash('sha256').update(bytes).digest('hex')
      if (found !== sha256) {
        throw new Error(`${key} must have the SHA-256 ${sha256} of its manifest, has ${found}`)
      }
      const text = (await unzipped(bytes)).toString('utf8')
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map(fromLine)
    },
  }
}

/** A line as DynamoDB's own export to S3 writes it, so that its import reads it, too. */
export const toLine = (item: TypedItem) =>
  `${JSON.stringify({ Item: withBinary(item, (bytes) => Buffer.from(bytes as Uint8Array).toString('base64')) })}\n`

const Line = z.object({ Item: z.record(z.string(), z.record(z.string(), z.unknown())) })

function fromLine(line: string): TypedItem {
  const { Item } = Line.parse(JSON.parse(line))
  return withBinary(Item, (text) => Buffer.from(String(text), 'base64')) as TypedItem
}

/** Binary values stand in base64 text, wherever they are nested. */
function withBinary(
  attributes: Record<string, unknown>,
  change: (value: unknown) => unknown,
): Record<string, unknown> {
  const changed = (value: unknown): unknown => {
    const [[type = '', inner] = []] = Object.entries(value as Record<string, unknown>)
    if (type === 'B') return { B: change(inner) }
    if (type === 'BS') return { BS: (inner as unknown[]).map(change) }
    if (type === 'L') return { L: (inner as unknown[]).map(changed) }
    if (type === 'M') return { M: withBinary(inner as Record<string, unknown>, change) }
    return value
  }
  return Object.fromEntries(Object.entries(attributes).map(([name, it]) => [name, changed(it)]))
}
