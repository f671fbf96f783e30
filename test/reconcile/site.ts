import type { JournalReader } from '../../functions/adapters/journal.ts'
import type { NodeRecord } from '../../functions/adapters/nodes.ts'
import type { Notice } from '../../functions/adapters/notices.ts'
import type { Run } from '../../functions/adapters/reconciliations.ts'
import type { Ticket } from '../../functions/adapters/tickets.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import { anchorsOf } from '../../functions/reconcile/anchors.ts'
import { finishRun, type RunPorts, windowOf } from '../../functions/reconcile/run.ts'
import { type WorkPorts, work } from '../../functions/reconcile/work.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'
import { memoryBucket, memoryRestored, memoryRuns } from './memory.ts'

const ZONE = 'Asia/Kolkata'
const DAY_MS = 86_400_000
/** Two o'clock of the site. */
export const NOW_MS = Date.UTC(2026, 0, 15, 20, 30)

export interface SiteOptions {
  /** Asked before whatever leaves a trace outside of the process; a process that dies throws here. */
  readonly reach?: () => void
  readonly now?: () => number
  /** Why a notice cannot be sent; undefined where it can. */
  readonly refuses?: (notice: Notice) => string | undefined
}

/** A site of nodes that are silent, but for those that have a journal, in memory. */
export function siteOf(names: readonly string[], options: SiteOptions = {}) {
  const { reach = () => {}, now = () => NOW_MS } = options
  const { runs, pieces, store } = memoryRuns()
  const { texts, anchors } = memoryBucket()
  const restored = memoryRestored()
  const registry = new Set(names)
  const journals = new Map<string, ReturnType<typeof memoryJournal>>()
  const tickets = new Map<string, Ticket>()
  const notices: Notice[] = []
  const measured: string[] = []
  const refused: string[] = []
  const started: number[] = []
  let looks = 0
  /** As the registry answers, also for a name without any item. */
  const record = (esp32Name: string): NodeRecord => {
    const isKnown = registry.has(esp32Name)
    return {
      esp32Name,
      registered: isKnown,
      createdAtMs: isKnown ? NOW_MS - DAY_MS : null,
      assignments: isKnown ? [{ classroom: 'B2-101', fromMs: 0 }] : [],
      assignedAtMs: 0,
      followed: null,
      presence: null,
      facts: [],
      watermarks: new Map(isKnown && journals.has(esp32Name) ? [[esp32Name, 0]] : []),
    }
  }
  const writing = <T extends object>(target: T, ...methods: (keyof T)[]): T => ({
    ...target,
    ...Object.fromEntries(
      methods.map((name) => [
        name,
        async (...args: unknown[]) => {
          reach()
          return (target[name] as (...args: unknown[]) => unknown)(...args)
        },
      ]),
    ),
  })
  const ports: RunPorts = {
    runs: writing(store, 'create', 'save', 'plan', 'finish'),
    nodes: {
      async *all() {
        yield* [...registry].map(record)
      },
    },
    tickets: writing(
      {
        get: async (id: string) => tickets.get(id) ?? null,
        of: async (owner: string) =>
          [...tickets.values()].filter(({ id }) => id.startsWith(`${owner}~`)),
        async save(ticket: Ticket) {
          if ((tickets.get(ticket.id)?.revision ?? 0) !== ticket.revision - 1) return false
          tickets.set(ticket.id, ticket)
          return true
        },
      },
      'save',
    ),
    anchors: writing(anchors, 'write', 'complete'),
    restored: restored.store,
    pauses: { current: async () => null },
    workers: 2,
    async startWorker(_run, worker) {
      reach()
      started.push(worker)
    },
    measure(run) {
      reach()
      measured.push(run.run_id)
    },
    async notify(notice) {
      reach()
      const error = options.refuses?.(notice)
      if (error !== undefined) throw new Error(error)
      notices.push(notice)
    },
    refused(run, error) {
      reach()
      refused.push(`${run.run_id}: ${error}`)
    },
    siteTimeZone: ZONE,
    now,
  }
  const nothing = memoryJournal()
  const of = (register: string) => journals.get(register) ?? nothing
  const journal: JournalReader = {
    head: (register) => of(register).head(register),
    entries: (register, ...rest) => of(register).entries(register, ...rest),
    items: (register, ...rest) => of(register).items(register, ...rest),
    hasEpoch: (register, ...rest) => of(register).hasEpoch(register, ...rest),
    pointers: (register, ...rest) => of(register).pointers(register, ...rest),
    nearestHour: (register, ...rest) => of(register).nearestHour(register, ...rest),
  }
  const reads = { journal, rawRange: async function* () {} }
  /** One worker of a run; it dies before it begins a piece once it has looked at so many nodes. */
  const worker = async (index: number, dies = { after: 10_000 }, runId = 'r1') => {
    const run = runs.get(runId) as Run
    let own = 0
    const workPorts: WorkPorts = {
      ...ports,
      anchors: await anchorsOf(ports.anchors, run),
      ...reads,
      atEase: reads,
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
    const window = { runId, hasTariffs: true, ...windowOf(run, ZONE) }
    const share = { worker: index, workers: 2, pieces: run.pieces }
    await work(window, share, workPorts)
    return finishRun(runId, ports)
  }
  return {
    ports,
    worker,
    registry,
    journals,
    runs,
    pieces,
    tickets,
    texts,
    notices,
    measured,
    refused,
    started,
    looks: () => looks,
  }
}
