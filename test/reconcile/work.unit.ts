import { describe, expect, it, vi } from 'vitest'
import type { AnchorStore, Kept } from '../../functions/adapters/anchors.ts'
import type { NodeRecord } from '../../functions/adapters/nodes.ts'
import type { Notice } from '../../functions/adapters/notices.ts'
import type { Piece, ReconciliationStore, Run } from '../../functions/adapters/reconciliations.ts'
import type { Ticket } from '../../functions/adapters/tickets.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import { anchorsOf } from '../../functions/reconcile/anchors.ts'
import type { Anchor } from '../../functions/reconcile/look.ts'
import { finishRun, type RunPorts, startRun, windowOf } from '../../functions/reconcile/run.ts'
import { type WorkPorts, work } from '../../functions/reconcile/work.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'

/** Five hundred nodes take their time on a busy machine. */
vi.setConfig({ testTimeout: 60_000 })
const ZONE = 'Asia/Kolkata'
const NOW_MS = Date.UTC(2026, 0, 15, 20, 30)
const NAMES = Array.from({ length: 500 }, (_, at) => `esp32-${at}`)

/** A site of 500 nodes that fell silent, in memory. */
function site() {
  const runs = new Map<string, Run>()
  const pieces = new Map<number, Piece>()
  const tickets = new Map<string, Ticket>()
  const anchored = new Map<string, readonly Anchor[]>()
  const manifests: Kept[] = []
  const notices: Notice[] = []
  const started: number[] = []
  let looks = 0
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
    recent: async () => [...runs.values()],
    async plan(_run, piece) {
      if (!pieces.get(piece.index)?.result) pieces.set(piece.index, piece)
    },
    piece: async (_run, index) => pieces.get(index) ?? null,
    async *pieces() {
      yield* pieces.values()
    },
    async finish(_run, piece) {
      if (!pieces.get(piece.index)?.result) pieces.set(piece.index, piece)
    },
  }
  const anchors: AnchorStore = {
    latest: async () => null,
    manifest: async () => null,
    read: async () => [],
    async write(run, piece, heads) {
      anchored.set(`${run} ${piece}`, heads)
      return `digest ${piece}`
    },
    async complete(manifest) {
      const written = { key: `manifest of ${manifest.run_id}`, sha256: 's' }
      manifests.push({ ...manifest, ...written })
      return written
    },
  }
  const record = (esp32Name: string): NodeRecord => ({
    esp32Name,
    registered: true,
    createdAtMs: NOW_MS - 86_400_000,
    assignments: [{ classroom: 'B2-101', fromMs: 0 }],
    assignedAtMs: 0,
    followed: null,
    presence: null,
    facts: [],
    watermarks: new Map(),
  })
  const ticketStore = {
    get: async (id: string) => tickets.get(id) ?? null,
    of: async (owner: string) =>
      [...tickets.values()].filter(({ id }) => id.startsWith(`${owner}~`)),
    async save(ticket: Ticket) {
      if ((tickets.get(ticket.id)?.revision ?? 0) !== ticket.revision - 1) return false
      tickets.set(ticket.id, ticket)
      return true
    },
  }
  const ports: RunPorts = {
    runs: store,
    nodes: {
      async *all() {
        yield* NAMES.map(record)
      },
    },
    tickets: ticketStore,
    anchors,
    pauses: { current: async () => null },
    workers: 2,
    async startWorker(_run, worker) {
      started.push(worker)
    },
    async notify(notice) {
      notices.push(notice)
    },
    siteTimeZone: ZONE,
    now: () => NOW_MS,
  }
  /** One worker; it dies when it has looked at `most` nodes, and stops to begin pieces after `pieces`. */
  const worker = async (index: number, dies: { after: number } = { after: 10_000 }) => {
    const run = runs.get('r1') as Run
    let own = 0
    const nothing = { journal: memoryJournal(), rawRange: async function* () {} }
    const workPorts: WorkPorts = {
      ...ports,
      anchors: await anchorsOf(anchors, run),
      ...nothing,
      atEase: nothing,
      rollups: { day: async () => null },
      pricer: pricer({ versions: [], repricings: [] }, ZONE),
      nodes: {
        async get(name) {
          own += 1
          looks += 1
          return record(name)
        },
      },
      repairs: { book: async () => [], restate: async () => {}, rebuild: async () => 0 },
      quarantined: async () => 0,
      inbox: { resend: async () => {} },
      failed: () => {},
      goOn: async () => {},
      timeLeftMs() {
        if (own >= dies.after) throw new Error('the process was killed')
        return 1
      },
    }
    const window = { runId: 'r1', hasTariffs: true, ...windowOf(run, ZONE) }
    const share = { worker: index, workers: 2, pieces: run.pieces }
    await work(window, share, workPorts)
    return finishRun('r1', ports)
  }
  return {
    ports,
    worker,
    runs,
    pieces,
    tickets,
    anchored,
    manifests,
    notices,
    started,
    looks: () => looks,
  }
}

describe('a run', () => {
  it('is planned in pieces, each once, however often it is started', async () => {
    const it = site()
    await startRun('r1', 'schedule', it.ports)
    await startRun('r1', 'schedule', it.ports)
    expect(it.runs.get('r1')).toMatchObject({ status: 'running', nodes: 500, pieces: 16 })
    expect([...it.pieces.values()].flatMap(({ nodes }) => nodes).sort()).toEqual([...NAMES].sort())
  })

  it('by two workers at once opens each ticket once, and tells of all of them once', async () => {
    const it = site()
    await startRun('r1', 'schedule', it.ports)
    await Promise.all([it.worker(0), it.worker(1)])
    expect(it.runs.get('r1')).toMatchObject({ status: 'done', tickets_opened: 500 })
    expect([...it.tickets.values()].every(({ occurrences }) => occurrences === 1)).toBe(true)
    expect(it.notices).toHaveLength(1)
    expect(it.notices[0]?.message).toContain('missing_heartbeat (medium): 500 – ')
  })

  it('survives a worker that dies, and does no finished piece again', async () => {
    const it = site()
    await startRun('r1', 'schedule', it.ports)
    await expect(it.worker(0, { after: 100 })).rejects.toThrow('the process was killed')
    const done = await it.worker(1)
    expect(done).toMatchObject({ status: 'done', tickets_opened: 500 })
    expect(it.looks()).toBe(500)
    expect(it.notices).toHaveLength(1)
    expect(it.anchored.size).toBe(16)
    expect(it.manifests).toMatchObject([{ run_id: 'r1', pieces: 16, previous: null }])
    expect(it.manifests[0]?.digests).toEqual(Array.from({ length: 16 }, (_, n) => `digest ${n}`))
    expect(done?.manifest).toEqual({ key: 'manifest of r1', sha256: 's' })
  })

  it('that never ended is given up by one that comes later', async () => {
    const it = site()
    await startRun('r0', 'schedule', { ...it.ports, now: () => NOW_MS - 13 * 3_600_000 })
    await startRun('r1', 'schedule', it.ports)
    expect(it.runs.get('r0')).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('r1'),
    })
    expect(it.notices.map(({ subject }) => subject)).toEqual([
      'AutoVolt reconciliation failed, 0 new tickets',
    ])
  })
})
