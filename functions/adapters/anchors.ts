import { createHash } from 'node:crypto'
import {
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import * as z from 'zod'

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** Where a register's chain stood: entry `n` had this hash. */
const StoredAnchor = z.object({ register: z.string(), n: z.int().min(1), hash: Sha256 })
type StoredAnchor = z.infer<typeof StoredAnchor>

/** An object as it was written. */
export const Written = z.object({ key: z.string(), sha256: z.string() })
export type Written = z.infer<typeof Written>

/** Says that all heads of a run are kept, and where. */
const Manifest = z.object({
  run_id: z.string(),
  pieces: z.int().min(0),
  /** Of the objects that hold the heads, by piece: each is named after it. */
  digests: z.array(Sha256),
  written_at: z.iso.datetime(),
  /** The manifest before, so that manifests are a chain, too. */
  previous: Written.nullable(),
  /** Set where a person anchored chains that were made anew: who, and why. */
  restored: z.object({ by: z.string(), reason: z.string() }).optional(),
})
export type Manifest = z.infer<typeof Manifest>

/** A manifest as it was found. */
export interface Kept extends Manifest {
  readonly key: string
  readonly sha256: string
}

/** A manifest as it lies there: with its content where that is one. */
export interface Found {
  readonly sha256: string
  readonly manifest: Manifest | null
}

/** Objects that nobody can change or remove before their time: the bucket's Object Lock sees to it. */
export interface AnchorStore {
  /** The keys of the manifests of the sixty days before an instant, oldest first. */
  manifestKeys(beforeMs: number): Promise<string[]>
  /** The manifest of a key; null where it is gone. */
  manifest(key: string): Promise<Found | null>
  /** The heads of a piece; null where the object is gone, or is not the one that was written. */
  read(runId: string, piece: number, sha256: string): Promise<StoredAnchor[] | null>
  /** @returns the digest of what was written, which is a part of its name */
  write(runId: string, piece: number, anchors: readonly StoredAnchor[]): Promise<string>
  /** Puts a manifest as `sealed` says it will be. */
  complete(manifest: Manifest): Promise<Written>
}

const LOOK_BACK_MS = 60 * 86_400_000
/** All manifests of before an instant sort before this key, and those of it and after behind it. */
export const manifestsAt = (ms: number) => `manifests/${new Date(ms).toISOString()}`
const pieceKey = (runId: string, piece: number, sha256: string) =>
  `anchors/${runId}/${String(piece).padStart(7, '0')}~${sha256}.json`
const digestOf = (text: string) => createHash('sha256').update(text)

/** The piece of a run a node belongs to: by its name, so that it is the same in every run of that size. */
export function pieceOf(esp32Name: string, pieces: number): number {
  return createHash('sha256').update(esp32Name).digest().readUInt32BE(0) % pieces
}

/** What a manifest is written as: its beginning and its run name it, so that one written twice is one object. */
export function sealed(manifest: Manifest): Written & { readonly text: string } {
  const text = JSON.stringify(manifest)
  const key = `manifests/${manifest.written_at}~${manifest.run_id}.json`
  return { key, sha256: digestOf(text).digest('hex'), text }
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
  const put = async (Key: string, Body: string) => {
    const ContentType = 'application/json'
    // Object Lock takes no object without a checksum.
    const ChecksumSHA256 = digestOf(Body).digest('base64')
    await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType, ChecksumSHA256 }))
  }
  const found = async (key: string): Promise<Found | null> => {
    const text = await get(key)
    if (text === null) return null
    return { sha256: digestOf(text).digest('hex'), manifest: manifestIn(text) }
  }
  return {
    async manifestKeys(beforeMs) {
      let StartAfter = manifestsAt(beforeMs - LOOK_BACK_MS)
      const end = manifestsAt(beforeMs)
      const keys: string[] = []
      while (true) {
        const page = await client.send(
          new ListObjectsV2Command({ Bucket, Prefix: 'manifests/', StartAfter }),
        )
        keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key))
        const last = keys.at(-1)
        if (!page.IsTruncated || last === undefined || last >= end) break
        StartAfter = last
      }
      return keys.filter((it) => it < end).sort()
    },
    manifest: found,
    async read(runId, piece, sha256) {
      const text = await get(pieceKey(runId, piece, sha256))
      if (text === null || digestOf(text).digest('hex') !== sha256) return null
      return z.array(StoredAnchor).parse(JSON.parse(text))
    },
    async write(runId, piece, anchors) {
      const sorted = [...anchors].sort((a, b) => (a.register < b.register ? -1 : 1))
      const text = JSON.stringify(sorted)
      const sha256 = digestOf(text).digest('hex')
      await put(pieceKey(runId, piece, sha256), text)
      return sha256
    },
    async complete(manifest) {
      const { text, ...written } = sealed(manifest)
      await put(written.key, text)
      return written
    },
  }
}

function manifestIn(text: string): Manifest | null {
  try {
    return Manifest.parse(JSON.parse(text))
  } catch {
    return null
  }
}
