import { createHash } from 'node:crypto'
import {
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import * as z from 'zod'

/** Where a register's chain stood: entry `n` had this hash. */
const StoredAnchor = z.object({
  register: z.string(),
  n: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
})
type StoredAnchor = z.infer<typeof StoredAnchor>

/** Says that all heads of a run are kept, and in how many objects. */
const Manifest = z.object({
  run_id: z.string(),
  pieces: z.int().min(0),
  written_at: z.iso.datetime(),
  /** The manifest before, so that manifests are a chain, too. */
  previous: z.object({ key: z.string(), sha256: z.string() }).nullable(),
  /** Set where a person anchored chains that were made anew: who, and why. */
  restored: z.object({ by: z.string(), reason: z.string() }).optional(),
})
export type Manifest = z.infer<typeof Manifest>

/** A manifest as it was found. */
export interface Kept extends Manifest {
  readonly key: string
  readonly sha256: string
}

/** Objects that nobody can change or remove before their time: the bucket's Object Lock sees to it. */
export interface AnchorStore {
  /** The last whole set of anchors written before an instant; null when there is none. */
  latest(beforeMs: number): Promise<Kept | null>
  read(runId: string, piece: number): Promise<StoredAnchor[]>
  write(runId: string, piece: number, anchors: readonly StoredAnchor[]): Promise<void>
  complete(manifest: Manifest): Promise<void>
}

const LOOK_BACK_MS = 60 * 86_400_000
const manifestKey = (at: string, runId: string) => `manifests/${at}~${runId}.json`
const pieceKey = (runId: string, piece: number) =>
  `anchors/${runId}/${String(piece).padStart(7, '0')}.json`

/** The piece of a run a node belongs to: by its name, so that it is the same in every run of that size. */
export function pieceOf(esp32Name: string, pieces: number): number {
  return createHash('sha256').update(esp32Name).digest().readUInt32BE(0) % pieces
}

export function anchorStore(client: S3Client, Bucket: string): AnchorStore {
  const get = async (Key: string): Promise<string | null> => {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
      return (await Body?.transformToString()) ?? ''
    } catch (error) {
      if (error instanceof NoSuchKey) return null
      throw error
    }
  }
  const put = async (Key: string, value: unknown) => {
    const Body = JSON.stringify(value)
    const ContentType = 'application/json'
    // Object Lock takes no object without a checksum.
    const ChecksumSHA256 = createHash('sha256').update(Body).digest('base64')
    await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType, ChecksumSHA256 }))
  }
  return {
    async latest(beforeMs) {
      const StartAfter = `manifests/${new Date(beforeMs - LOOK_BACK_MS).toISOString()}`
      const end = `manifests/${new Date(beforeMs).toISOString()}`
      const page = await client.send(
        new ListObjectsV2Command({ Bucket, Prefix: 'manifests/', StartAfter }),
      )
      const key = (page.Contents ?? [])
        .map(({ Key = '' }) => Key)
        .filter((it) => it < end)
        .sort()
        .at(-1)
      if (key === undefined) return null
      const text = await get(key)
      if (text === null) throw new Error(`the manifest ${key} is listed and cannot be read`)
      const sha256 = createHash('sha256').update(text).digest('hex')
      return { ...Manifest.parse(JSON.parse(text)), key, sha256 }
    },
    async read(runId, piece) {
      const key = pieceKey(runId, piece)
      const text = await get(key)
      if (text === null) throw new Error(`the anchors ${key} are gone`)
      return z.array(StoredAnchor).parse(JSON.parse(text))
    },
    write: (runId, piece, anchors) => put(pieceKey(runId, piece), anchors),
    complete: (manifest) => put(manifestKey(manifest.written_at, manifest.run_id), manifest),
  }
}
