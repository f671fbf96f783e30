import type { Piece, PieceResult, ReconciliationStore } from '../adapters/reconciliations.ts'
import type { Finding } from '../domain/checks/finding.ts'
import type { Anchor } from './look.ts'
import { type NodePorts, type RunWindow, reconcileNode } from './node.ts'
import { addResult, NO_RESULT, siteFinding } from './result.ts'

/** Where the heads of chains are kept, outside of the database. */
export interface Anchors {
  /** Those of a piece's nodes, by register, as the last whole run left them. */
  previous(nodes: readonly string[]): Promise<{
    readonly anchors: ReadonlyMap<string, Anchor>
    /** What of them is not what was written, or is gone. */
    readonly findings: readonly Finding[]
  }>
  /** Keeps the heads of a piece. @returns the digest of what was written */
  keep(runId: string, piece: number, heads: readonly Anchor[]): Promise<string>
}

export interface WorkPorts extends NodePorts {
  readonly runs: ReconciliationStore
  readonly anchors: Anchors
  readonly failed: (esp32Name: string, error: unknown) => void
  /** Starts another invocation of this worker, behind this one. */
  readonly goOn: (worker: number) => Promise<void>
  /** How long this worker may still begin with another piece. */
  readonly timeLeftMs: () => number
}

/** Nodes looked at at the same time: enough to hide the table's latency. */
const CONCURRENCY = 4

/**
 * Works through the pieces of a run that nobody has done, first its own, then those that others left
 * behind. There is no lock: a piece done twice writes the same, and of two results the first is kept.
 *
 * @returns `whole` when every piece is done, `continued` when another invocation goes on
 */
export async function work(
  window: RunWindow,
  share: { readonly worker: number; readonly workers: number; readonly pieces: number },
  ports: WorkPorts,
): Promise<'whole' | 'continued'> {
  for (const index of order(share)) {
    const piece = await ports.runs.piece(window.runId, index)
    if (piece === null || piece.result !== null) continue
    if (ports.timeLeftMs() <= 0) {
      await ports.goOn(share.worker)
      return 'continued'
    }
    const result = await workOn(piece, window, ports)
    await ports.runs.finish(window.runId, { ...piece, result })
  }
  return 'whole'
}

/** A worker's own pieces, then everybody else's. */
function order({ worker, workers, pieces }: Parameters<typeof work>[1]): number[] {
  const all = Array.from({ length: pieces }, (_, index) => index)
  const isOwn = (index: number) => index % workers === worker
  return [...all.filter(isOwn), ...all.filter((index) => !isOwn(index))]
}

async function workOn(piece: Piece, window: RunWindow, ports: WorkPorts): Promise<PieceResult> {
  const { anchors, findings } = await ports.anchors.previous(piece.nodes)
  let result: PieceResult = { ...NO_RESULT, site: findings.map(siteFinding) }
  const heads: Anchor[] = []
  const queue = [...piece.nodes]
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      try {
        const { heads: own, ...done } = await reconcileNode(name, window, anchors, ports)
        heads.push(...own)
        result = addResult(result, { ...done, failures: [], anchors_sha256: null })
      } catch (error) {
        ports.failed(name, error)
        const text = error instanceof Error ? error.message : String(error)
        const failures = [{ esp32_name: name, error: text.slice(0, 300) }]
        result = addResult(result, { ...NO_RESULT, failures })
        // What was anchored of it before still holds.
        heads.push(...[...anchors.values()].filter((it) => isOf(it, name)))
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, queue.length) }, worker))
  // A chain that was found broken keeps its former anchor: a person has to see to it first.
  const anchored = new Set(heads.map(({ register }) => register))
  const broken = [...anchors.values()].filter(({ register }) => !anchored.has(register))
  const anchors_sha256 = await ports.anchors.keep(window.runId, piece.index, [...heads, ...broken])
  return { ...result, anchors_sha256 }
}

const isOf = ({ register }: Anchor, name: string) =>
  register === name || register.startsWith(`${name}/`)
