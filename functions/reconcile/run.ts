import { DateTime } from 'luxon'
import { type AnchorStore, type Kept, type Manifest, pieceOf, sealed } from '../adapters/anchors.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import type { PauseStore } from '../adapters/pauses.ts'
import type { ReconciliationStore, Run } from '../adapters/reconciliations.ts'
import type { RestoredAnchorsStore } from '../adapters/restored-anchors.ts'
import type { TicketStore } from '../adapters/tickets.ts'
import { dateAt, localDay } from '../domain/calendar.ts'
import type { Finding } from '../domain/checks/finding.ts'
import { sum } from '../domain/rollup/figures.ts'
import { anchoredNodes } from './anchors.ts'
import { manifestFindings, trustedManifest } from './manifests.ts'
import { noticeOf } from './notice.ts'
import { addOpened, addResult, LISTED, NO_RESULT, openedOf, siteFinding } from './result.ts'
import { NotTold, type TellPorts, tell, tellInstead, toTell } from './tell.ts'
import { settleTickets } from './tickets.ts'

/** Registers of a piece: seconds of work, and few enough to repeat after a crash. */
const REGISTERS_A_PIECE = 32
const LOOK_BACK_DAYS = 7
/** A run that is older than this and not done never will be. */
const GIVEN_UP_AFTER_MS = 12 * 3_600_000
const PUTS_AT_ONCE = 16
/** Runs looked back at for one that never ended, or was never told of. */
const RECENT = 20
/** Who starts the nightly run. */
export const NIGHTLY = 'schedule'

export interface RunPorts extends TellPorts {
  readonly runs: ReconciliationStore
  readonly nodes: Pick<NodeStore, 'all'>
  readonly tickets: TicketStore
  readonly anchors: AnchorStore
  readonly restored: Pick<RestoredAnchorsStore, 'before'>
  readonly pauses: Pick<PauseStore, 'current'>
  /** Invocations that work on a run at the same time, at most. */
  readonly workers: number
  readonly startWorker: (runId: string, worker: number) => Promise<void>
  readonly siteTimeZone: string
}

/**
 * Starts a run: cuts the nodes into pieces by their names, and starts the workers. A start that is repeated,
 * after a crash or by chance, plans the same pieces and leaves those that are done.
 *
 * @returns the run; null when it is over already
 */
export async function startRun(
  runId: string,
  requestedBy: string,
  ports: RunPorts,
): Promise<Run | null> {
  const run = (await ports.runs.get(runId)) ?? (await created(runId, requestedBy, ports))
  if (run.finished_at_ms !== null) return null
  const planned = run.status === 'running' ? run : await plan(run, ports)
  for (let worker = 0; worker < workersOf(planned, ports.workers); worker++) {
    await ports.startWorker(runId, worker)
  }
  // Behind the start: whoever cannot be told must not keep a run from its work.
  await seeToOthers(run, ports)
  return planned
}

/** As many as there are pieces, up to the limit; one where there is nothing, to end the run. */
export const workersOf = ({ pieces }: Pick<Run, 'pieces'>, most: number) =>
  Math.max(1, Math.min(pieces, most))

async function created(runId: string, requestedBy: string, ports: RunPorts): Promise<Run> {
  const nowMs = ports.now()
  const today = dateAt(nowMs, ports.siteTimeZone)
  const first = DateTime.fromISO(today, { zone: 'utc' }).minus({ days: LOOK_BACK_DAYS })
  const run: Run = {
    id: `reconcile#${runId}`,
    run_id: runId,
    status: 'planning',
    revision: 1,
    requested_by: requestedBy,
    started_at_ms: nowMs,
    finished_at_ms: null,
    duration_ms: null,
    from_date: first.toFormat('yyyy-MM-dd'),
    to_date: today,
    nodes: 0,
    pieces: 0,
    proof: null,
    checks: {},
    repairs: 0,
    repaired: [],
    tickets_opened: 0,
    tickets_closed: 0,
    restated_days: 0,
    resends: 0,
    failures: [],
    error: null,
    compares_with: null,
    manifest: null,
    untold: null,
    not_told: null,
  }
  if (await ports.runs.create(run)) return run
  const theirs = await ports.runs.get(runId)
  if (theirs === null) throw new Error(`run ${runId} was there and is gone`)
  return theirs
}

/** A run whose workers died for good must not look as if it went on for ever, and one that is over must be told of. */
async function seeToOthers(run: Run, ports: RunPorts): Promise<void> {
  for (const other of await ports.runs.recent(RECENT)) {
    if (other.run_id === run.run_id) continue
    try {
      await seeTo(other, run, ports)
    } catch (error) {
      // It was counted. Were this start repeated for it, all workers would be started again.
      if (!(error instanceof NotTold)) throw error
    }
  }
}

async function seeTo(other: Run, run: Run, ports: RunPorts): Promise<void> {
  const nowMs = ports.now()
  if (other.finished_at_ms !== null) {
    await tellInstead(other, ports)
    return
  }
  if (nowMs - other.started_at_ms < GIVEN_UP_AFTER_MS) return
  const error = `not done after ${GIVEN_UP_AFTER_MS} ms; given up by run ${run.run_id}`
  const over = { ...other, status: 'failed' as const, finished_at_ms: nowMs, error }
  const notice = noticeOf(over, [], null, false)
  const next: Run = { ...over, revision: other.revision + 1, untold: toTell(notice, nowMs) }
  if (await ports.runs.save(next)) await tell(next, ports)
}

/**
 * Plans a run's pieces. How many there are, and what it compares with, is written before any of them: who plans
 * again, after a crash or at the same time, cuts the same pieces though nodes have come meanwhile.
 */
async function plan(run: Run, ports: RunPorts): Promise<Run> {
  const before = await trustedManifest(run.started_at_ms, ports)
  // A node whose items are gone has its chains still.
  const sizes =
    before === null ? new Map<string, number>() : await anchoredNodes(before, ports.anchors)
  for await (const { esp32Name, watermarks } of ports.nodes.all()) {
    sizes.set(esp32Name, Math.max(1, watermarks.size))
  }
  const names = [...sizes.keys()]
  const sized = run.pieces > 0 ? run : await saved(sizedBy(run, sizes, before), ports)
  if (sized.status !== 'planning') return sized
  const queue = cut(names, sized.pieces).map((nodes, index) => ({ index, nodes, result: null }))
  const put = async () => {
    for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
      await ports.runs.plan(run.run_id, piece)
    }
  }
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, put))
  return saved({ ...sized, status: 'running' }, ports)
}

const sizedBy = (run: Run, sizes: ReadonlyMap<string, number>, before: Kept | null): Run => ({
  ...run,
  nodes: sizes.size,
  pieces: piecesFor(sum([...sizes.values()])),
  compares_with: before && { key: before.key, sha256: before.sha256 },
})

/** The run as it is written: by another, where that one was faster. */
async function saved(run: Run, { runs }: Pick<RunPorts, 'runs'>): Promise<Run> {
  const next = { ...run, revision: run.revision + 1 }
  if (await runs.save(next)) return next
  const theirs = await runs.get(run.run_id)
  if (theirs === null) throw new Error(`run ${run.run_id} was there and is gone`)
  return theirs
}

/** A power of two, so that a site that grows finds the anchors of a piece in one or two of the run before. */
export const piecesFor = (registers: number) =>
  registers === 0 ? 0 : 2 ** Math.ceil(Math.log2(Math.ceil(registers / REGISTERS_A_PIECE)))

/** Nodes by the piece they belong to. */
export function cut(names: readonly string[], count: number): string[][] {
  const pieces = Array.from({ length: count }, (): string[] => [])
  for (const name of names) pieces[pieceOf(name, count)]?.push(name)
  return pieces
}

/** The time a run looks at: whole local days, and today as far as it is. */
export function windowOf(run: Pick<Run, 'from_date'>, zone: string) {
  return { fromDate: run.from_date, fromMs: localDay(run.from_date, zone).startMs }
}

/**
 * Ends a run whose pieces are all done: sums them up, completes its anchors, and tells of it. Done again after a
 * crash, it goes on where it was: a run that is over and was not told of is told of.
 */
export async function finishRun(runId: string, ports: RunPorts): Promise<Run | null> {
  const run = await ports.runs.get(runId)
  if (run === null) return null
  if (run.finished_at_ms !== null) return tellInstead(run, ports)
  let total = NO_RESULT
  const digests: string[] = []
  let pieces = 0
  for await (const { index, result } of ports.runs.pieces(runId)) {
    // Another worker is still at it; it will come here itself.
    if (result === null) return null
    total = addResult(total, result)
    pieces += 1
    if (result.anchors_sha256 !== null) digests[index] = result.anchors_sha256
  }
  // Nobody looked at the nodes of one that is gone: given up, the run says so.
  if (pieces !== run.pieces) {
    throw new Error(`run ${runId} was planned in ${run.pieces} pieces, and has ${pieces}`)
  }
  const anchored = await anchor(run, digests, ports)
  if (anchored === null) return null
  const nowMs = ports.now()
  const { fromMs } = windowOf(run, ports.siteTimeZone)
  const settling = { runId, nowMs, fromMs, untried: new Set<never>(), classroom: null }
  const broken = (await manifestFindings(run.started_at_ms, ports)).map(siteFinding)
  const findings = merged([...total.site, ...broken])
  const site = await settleTickets('site', findings, settling, ports.tickets)
  const opened = addOpened(total.opened, openedOf(site.opened))
  const ended: Run = {
    ...anchored,
    revision: anchored.revision + 1,
    status: total.failures.length > 0 ? 'failed' : 'done',
    finished_at_ms: nowMs,
    duration_ms: nowMs - run.started_at_ms,
    proof: total.proof,
    checks: total.checks,
    repairs: total.repairs.length,
    repaired: total.repairs.slice(0, LISTED),
    tickets_opened: sum(opened.map(({ count }) => count)),
    tickets_closed: total.closed + site.closed.length,
    restated_days: total.restated_days,
    resends: total.resends,
    failures: total.failures.slice(0, LISTED),
    error:
      total.failures.length > 0 ? `${total.failures.length} nodes could not be looked at` : null,
  }
  const notice = noticeOf(
    ended,
    opened,
    total.open + site.open,
    run.requested_by === NIGHTLY,
    await ports.pauses.current(),
  )
  const finished: Run = { ...ended, untold: toTell(notice, nowMs) }
  if (!(await ports.runs.save(finished))) return null
  return tell(finished, ports)
}

/**
 * Says that all heads of a run are kept. The run remembers the manifest first: one that nobody in the database
 * speaks for is a stranger to the next run. @returns null where another worker was faster
 */
async function anchor(run: Run, digests: string[], ports: RunPorts): Promise<Run | null> {
  if (run.pieces === 0) return run
  const manifest: Manifest = {
    run_id: run.run_id,
    pieces: run.pieces,
    digests,
    written_at: new Date(run.started_at_ms).toISOString(),
    previous: run.compares_with,
  }
  const { key, sha256 } = sealed(manifest)
  const next: Run = { ...run, revision: run.revision + 1, manifest: { key, sha256 } }
  const isTold = run.manifest?.key === key && run.manifest.sha256 === sha256
  if (!isTold && !(await ports.runs.save(next))) return null
  await ports.anchors.complete(manifest)
  return isTold ? run : next
}

/** Findings of one site-wide matter that several nodes show are one. */
function merged(
  findings: readonly {
    rule: string
    register: string
    window: string
    from_ms: number | null
    severity: string
    evidence: Record<string, unknown>
  }[],
): Finding[] {
  const byMatter = Map.groupBy(findings, (it) => JSON.stringify([it.rule, it.register, it.window]))
  return [...byMatter.values()].map((group) => {
    const { from_ms, ...first } = group[0] as (typeof findings)[number]
    const begins = group.map((it) => it.from_ms).filter((ms) => ms !== null)
    const fromMs = from_ms === null ? null : Math.min(...begins)
    return { ...first, fromMs, evidence: { ...first.evidence, found_by: group.length } } as Finding
  })
}
