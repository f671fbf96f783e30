import type { NodeInbox } from '../adapters/node-inbox.ts'
import type { NodeRecord, NodeStore } from '../adapters/nodes.ts'
import type { Pause, PauseStore } from '../adapters/pauses.ts'
import type { PieceResult, Proof, Repair } from '../adapters/reconciliations.ts'
import type { Repairs } from '../adapters/repairs.ts'
import type { TicketStore } from '../adapters/tickets.ts'
import { ownerOf } from '../adapters/tickets.ts'
import { classroomAt } from '../domain/assignment.ts'
import { CHECKS, findingsOf } from '../domain/checks/checks.ts'
import type { Finding, Rule } from '../domain/checks/finding.ts'
import { DEFAULT_LIMITS } from '../domain/checks/limits.ts'
import { neverBooked } from '../domain/checks/unbooked-reading.ts'
import type { NodeView } from '../domain/checks/view.ts'
import { registerKey } from '../domain/reading.ts'
import { type Anchor, type LookPorts, lookAt, type Seen, type Window } from './look.ts'
import { repair } from './repair.ts'
import { askAgain } from './resend.ts'
import { openedOf, siteFinding } from './result.ts'
import { settleTickets } from './tickets.ts'

export interface NodePorts extends LookPorts {
  /** The same reads for half the price, which may lack the last second. */
  readonly atEase: Pick<LookPorts, 'journal' | 'rawRange'>
  readonly nodes: Pick<NodeStore, 'get'>
  readonly tickets: TicketStore
  readonly repairs: Repairs
  readonly pauses: Pick<PauseStore, 'current'>
  readonly quarantined: (esp32Name: string, sinceMs: number) => Promise<number>
  /** Where nodes are asked for readings that are missing. */
  readonly inbox: NodeInbox
  readonly now: () => number
}

/** What holds for all nodes of a run. */
export interface RunWindow extends Window {
  readonly runId: string
  readonly hasTariffs: boolean
}

/** What came of a node, and where its chains stand now. */
export interface NodeDone extends Omit<PieceResult, 'failures' | 'anchors_sha256'> {
  readonly heads: readonly Anchor[]
}

/** Checks that say nothing while a chain is broken: what they look at cannot be folded. */
const NEED_CHAIN: readonly Rule[] = CHECKS.map(({ rule }) => rule).filter(
  (rule) =>
    rule !== 'broken_chain' &&
    rule !== 'missing_heartbeat' &&
    rule !== 'unassigned_node' &&
    rule !== 'unreadable_event',
)

/**
 * Looks at a node, repairs what can be repaired by appending or rebuilding, looks again where it did, and
 * brings the node's tickets to what is left. Done twice, it does nothing new.
 */
export async function reconcileNode(
  esp32Name: string,
  window: RunWindow,
  anchors: ReadonlyMap<string, Anchor>,
  ports: NodePorts,
): Promise<NodeDone> {
  const first = await firstLook(esp32Name, window, anchors, ports)
  // Asked after the look: what a pause that began meanwhile holds back is not taken for lost.
  const isForLedger = first.seen.some(
    ({ view }) => view.unbooked.length + view.lineFaults.length > 0,
  )
  const pause = isForLedger ? await ports.pauses.current() : null
  const repairs = await repair(first.seen, window.runId, pause, ports)
  const looked = repairs.length === 0 ? first : await look(esp32Name, window, anchors, ports)
  const last = { ...looked, view: { ...looked.view, pausedAtMs: pause?.pausedAtMs ?? null } }
  const resends = await askAgain(window.runId, last.view, ports.inbox)
  const findings = findingsOf(last.view)
  const own = findings.filter((finding) => ownerOf(finding.register) === esp32Name)
  const isProved = last.seen.every((seen) => seen.isProved)
  const { opened, closed, open } = await settleTickets(
    esp32Name,
    own,
    {
      runId: window.runId,
      nowMs: ports.now(),
      fromMs: Math.max(...last.seen.map(({ fromMs }) => fromMs)),
      untried: untried(isProved, pause),
      classroom: classroomAt(last.record.assignments, ports.now()),
    },
    ports.tickets,
  )
  return {
    proof: proofOf(last, await ports.quarantined(esp32Name, window.fromMs)),
    checks: countsOf([...findingsOf(first.view).filter(wasRepaired(repairs)), ...findings]),
    repairs,
    opened: openedOf(opened),
    closed: closed.length,
    open,
    restated_days: repairs.reduce((days, { days: written }) => days + written, 0),
    resends,
    site: findings.filter((finding) => ownerOf(finding.register) !== esp32Name).map(siteFinding),
    heads: last.seen.flatMap(({ head }) => (head === null ? [] : [head])),
  }
}

/** Rules whose silence says nothing: without a whole chain, and while readings wait for the end of a pause. */
function untried(isProved: boolean, pause: Pause | null): Set<Rule> {
  const waiting: readonly Rule[] = pause === null ? [] : ['unbooked_reading', 'gap']
  return new Set([...(isProved ? [] : NEED_CHAIN), ...waiting])
}

/** What looks wrong may only have been read too early: it is looked at again, with reads that lack nothing. */
async function firstLook(...[esp32Name, window, anchors, ports]: Parameters<typeof look>) {
  const seen = await look(esp32Name, window, anchors, { ...ports, ...ports.atEase })
  const isRight = ({ view }: Seen) =>
    [view.chain, view.unbooked, view.unreadable, view.lineFaults, view.dayFaults].every(
      ({ length }) => length === 0,
    )
  return seen.seen.every(isRight) ? seen : look(esp32Name, window, anchors, ports)
}

async function look(
  esp32Name: string,
  window: RunWindow,
  anchors: ReadonlyMap<string, Anchor>,
  ports: NodePorts,
): Promise<{ record: NodeRecord; seen: Seen[]; view: NodeView }> {
  const record = await ports.nodes.get(esp32Name)
  const seen: Seen[] = []
  for (const register of possibleRegisters(record, anchors)) {
    seen.push(await lookAt(record, register, window, anchors.get(register) ?? null, ports))
  }
  const view: NodeView = {
    esp32Name,
    nowMs: ports.now(),
    fromMs: window.fromMs,
    zone: ports.siteTimeZone,
    createdAtMs: record.createdAtMs,
    isAssigned: record.assignments.length > 0,
    outages: record.outages,
    presence: record.presence,
    hasTariffs: window.hasTariffs,
    registers: seen.map((one) => one.view),
    limits: { ...DEFAULT_LIMITS, ...record.limits },
  }
  return { record, seen, view }
}

/** Registers the ledger knows, those a node was provisioned with, and those that were anchored. */
function possibleRegisters(
  { esp32Name, watermarks, facts }: NodeRecord,
  anchors: ReadonlyMap<string, Anchor>,
): string[] {
  const told = facts.map(({ device_id }) => registerKey(esp32Name, device_id))
  const anchored = [...anchors.keys()].filter((register) => ownerOf(register) === esp32Name)
  return [...new Set([esp32Name, ...watermarks.keys(), ...told, ...anchored])].sort()
}

function proofOf(
  { seen, view: node }: { seen: readonly Seen[]; view: NodeView },
  quarantined: number,
): Proof {
  const sum = (of: (one: Seen) => number) => seen.reduce((all, one) => all + of(one), 0)
  const suspense = ({ view }: Seen) => view.lines.filter(({ kind }) => kind === 'suspense')
  return {
    registers: seen.length,
    readings_accepted: sum(
      ({ raw, fromMs }) => raw.readings.filter((r) => r.atMs >= fromMs).length,
    ),
    readings_booked: sum(({ view }) => view.readings.length),
    readings_unbooked: sum(({ view }) => neverBooked(view, node).length),
    messages_quarantined: quarantined,
    messages_unreadable: sum(({ view }) => view.unreadable.length),
    suspense_lines: sum((one) => suspense(one).length),
    suspense_mwh: sum((one) => suspense(one).reduce((all, { energyMwh }) => all + energyMwh, 0)),
    entries_walked: sum(({ entries }) => entries),
    days_compared: sum(({ view }) => view.days.length),
  }
}

const wasRepaired = (repairs: readonly Repair[]) => (finding: Finding) =>
  repairs.some(({ rule, register }) => rule === finding.rule && register === finding.register)

export function countsOf(findings: readonly Finding[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { rule } of findings) counts[rule] = (counts[rule] ?? 0) + 1
  return counts
}
