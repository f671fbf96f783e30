import type { S3Client } from '@aws-sdk/client-s3'
import { anchorStore } from '../../functions/adapters/anchors.ts'
import type { Piece, ReconciliationStore, Run } from '../../functions/adapters/reconciliations.ts'
import type {
  RestoredAnchors,
  RestoredAnchorsStore,
} from '../../functions/adapters/restored-anchors.ts'
import type { Objects } from '../../local/s3/objects.ts'
import { bucketClient } from '../../simulate/cloud/bucket.ts'

/** A bucket in memory, by key; what is put may be looked at and spoiled. */
export function memoryBucket() {
  const texts = new Map<string, string>()
  const objects = {
    put: (key: string, body: Buffer) => texts.set(key, body.toString()),
    get(key: string) {
      const text = texts.get(key)
      return text === undefined ? undefined : { body: Buffer.from(text) }
    },
    list: () => [...texts.keys()].sort().map((key) => ({ key })),
  } as unknown as Objects
  const client: S3Client = bucketClient(objects, (_name, call) => call())
  return { texts, anchors: anchorStore(client, 'anchors') }
}

/** Runs and their pieces, as the table keeps them. */
export function memoryRuns() {
  const runs = new Map<string, Run>()
  const pieces = new Map<string, Piece>()
  const nameOf = (runId: string, index: number) => `${runId} ${String(index).padStart(7, '0')}`
  const putPiece = async (runId: string, piece: Piece) => {
    const name = nameOf(runId, piece.index)
    if (!pieces.get(name)?.result) pieces.set(name, piece)
  }
  const store: ReconciliationStore = {
    get: async (id) => runs.get(id) ?? null,
    async create(run) {
      if (runs.has(run.run_id)) return false
      runs.set(run.run_id, run)
      return true
    },
    async save(run) {
      if (runs.get(run.run_id)?.revision !== run.revision - 1) return false
      runs.set(run.run_id, run)
      return true
    },
    recent: async (limit) =>
      [...runs.values()].sort((a, b) => (a.run_id < b.run_id ? 1 : -1)).slice(0, limit),
    plan: putPiece,
    piece: async (runId, index) => pieces.get(nameOf(runId, index)) ?? null,
    async *pieces(runId) {
      const own = [...pieces].filter(([name]) => name.startsWith(`${runId} `)).sort()
      for (const [, piece] of own) yield piece
    },
    finish: putPiece,
  }
  return { runs, pieces, store }
}

export function memoryRestored() {
  const all: RestoredAnchors[] = []
  const store: RestoredAnchorsStore = {
    async record(restored) {
      all.push(restored)
    },
    before: async (key, limit) =>
      all
        .filter((it) => it.key < key)
        .reverse()
        .slice(0, limit),
  }
  return { all, store }
}
