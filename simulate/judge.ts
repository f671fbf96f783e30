import { type Entry, fold } from '../functions/domain/journal.ts'
import type { Line } from '../functions/domain/line.ts'
import type { PlacedReading } from '../functions/domain/reading.ts'
import { finder } from './finder.ts'
import type { VirtualNode } from './truth/campus.ts'
import type { Observation } from './truth/observation.ts'
import { type Passage, passages } from './truth/perfect.ts'

/** What a register really used, what was booked of it, and what does not fit. All energy in mWh. */
export interface Judged {
  readonly register: string
  /** Used between the first and the last delivered reading. */
  readonly usedMwh: number
  /** What a perfect reader of the delivered readings can credit. */
  readonly countedMwh: number
  readonly measuredMwh: number
  readonly estimatedMwh: number
  readonly suspenseMwh: number
  /** New lives of the counter that were credited. */
  readonly resets: number
  /** Sums of the estimates' bounds. */
  readonly leastMwh: number
  readonly mostMwh: number
  /** Measured, against what could be credited and was not parked with a ticket: zero, or it is wrong. */
  readonly driftMwh: number
  /** Readings placed in the future: later than their receipt allows. */
  readonly misplaced: number
  /** Used without a trace: counted by none and shown by no fall of a counter. */
  readonly traceless: number
  /** Estimates whose bounds hold for their premise only, which was broken; see `Excuse`. */
  readonly excused: Readonly<Record<Excuse, number>>
  readonly problems: readonly string[]
}

/**
 * Why bounds may miss the truth: the times of the readings were wrong, so that the stretch looks
 * shorter than it was; or the load between them was more than three times what both ends show.
 */
export type Excuse = 'false_time' | 'steep_load'

interface Group {
  readonly from: Observation
  readonly to: Observation
  readonly spanMs: number
  readonly lines: Line[]
}

const sum = (lines: readonly Line[], ...kinds: Line['kind'][]) =>
  lines.filter((line) => kinds.includes(line.kind)).reduce((mwh, line) => mwh + line.energyMwh, 0)
const ALLOWANCE_MWH = 2_000
/** A node's clock may be ahead of the receipt by five minutes. */
const AHEAD_MS = 300_000

/** Holds one register's journal against the truth. */
export function judge(
  node: VirtualNode,
  register: string,
  observations: readonly Observation[],
  entries: readonly Entry[],
): Judged {
  const problems: string[] = []
  const { lines, readings } = fold(entries)
  const truth = finder(observations)
  const placed = new Map(readings.map((reading) => [reading.id, reading as PlacedReading]))
  const found = new Map([...placed].map(([id, reading]) => [id, truth(reading)]))
  const groups = new Map<string, Group>()
  for (const line of lines) {
    const [from, to] = line.between.map((id) => found.get(id))
    if (!from || !to) {
      problems.push(`a line stands between ${line.between.join(' and ')}, which nobody sent`)
      continue
    }
    const key = line.between.join(' ')
    const [fromMs = 0, toMs = 0] = line.between.map((id) => placed.get(id)?.tMs)
    const spanMs = toMs - fromMs
    const group = groups.get(key) ?? { from, to, spanMs, lines: [] }
    group.lines.push(line)
    groups.set(key, group)
  }
  const excused = { false_time: 0, steep_load: 0 }
  let traceless = 0
  let parked = 0
  // A glitch far too high counts on as the real counter does: where a rollback right behind it leaves
  // it standing (its step up in suspense), what it counted was used.
  let odd = 0
  for (const group of groups.values()) {
    problems.push(...shareProblems(node, group))
    const checked = check(node, group)
    if (checked.problem !== null) problems.push(checked.problem)
    if (checked.excuse !== null) excused[checked.excuse] += 1
    traceless += checked.traceless
    const isJump = sum(group.lines, 'suspense') > 0
    if (isJump && !group.from.truth.glitch && !group.to.truth.glitch) {
      parked += (group.to.shownMwh ?? 0) - (group.from.shownMwh ?? 0)
    }
    const counted = sum(group.lines, 'measured')
    if (group.from.truth.glitch && group.to.truth.glitch && counted <= used(group)) odd += counted
  }
  const passed = passages(node, observations)
  const countedMwh = passed.reduce((mwh, p) => mwh + p.countedMwh, 0)
  const steep = passed.filter(isSteep).reduce((mwh, p) => mwh + p.countedMwh, 0)
  const measuredMwh = sum(lines, 'measured', 'reset')
  const driftMwh = measuredMwh - odd - (countedMwh - parked)
  // What looks implausible between two readings may be taken for a glitch; then it is not credited.
  if (driftMwh > 0 || driftMwh < -Math.max(0, steep - parked)) {
    problems.push(`measured ${measuredMwh} mWh drift by ${driftMwh} mWh from the counters`)
  }
  const delivered = observations.filter((o) => o.delivered)
  const booked = new Set(found.values())
  const missing = delivered.filter((o) => !booked.has(o))
  if (missing.length > 0) {
    const first = missing[0]?.seq ?? missing[0]?.truth.atMs
    problems.push(`${missing.length} readings arrived and are not booked, the first is ${first}`)
  }
  const bounds = lines.map((line) => line.bounds ?? [0, 0])
  return {
    register,
    usedMwh: (delivered.at(-1)?.truth.usedMwh ?? 0) - (delivered[0]?.truth.usedMwh ?? 0),
    countedMwh,
    measuredMwh,
    estimatedMwh: sum(lines, 'estimate'),
    suspenseMwh: sum(lines, 'suspense'),
    resets: lines.filter((line) => line.kind === 'reset').length,
    leastMwh: bounds.reduce((mwh, [least]) => mwh + least, 0),
    mostMwh: bounds.reduce((mwh, [, most]) => mwh + most, 0),
    driftMwh,
    misplaced: [...placed.values()].filter((r) => r.tMs > r.receivedAtMs + AHEAD_MS).length,
    traceless,
    excused,
    problems,
  }
}

function used({ from, to }: Pick<Group, 'from' | 'to'>): number {
  return to.truth.usedMwh - from.truth.usedMwh
}

/** The truth of a stretch must lie within what its lines say. */
function check(
  node: VirtualNode,
  { from, to, spanMs, lines }: Group,
): { problem: string | null; excuse: Excuse | null; traceless: number } {
  const nothing = { problem: null, excuse: null, traceless: 0 }
  if (from.truth.glitch || to.truth.glitch) return nothing
  const usedMwh = used({ from, to })
  const measured = sum(lines, 'measured', 'reset')
  const bounded = lines.map((line) => line.bounds ?? [0, 0])
  const least = measured + bounded.reduce((mwh, [min]) => mwh + min, 0)
  const most = measured + sum(lines, 'suspense') + bounded.reduce((mwh, [, max]) => mwh + max, 0)
  const slack = Math.max(node.resolutionMwh, node.channels.length)
  const name = `between ${from.epoch ?? ''}/${from.seq ?? from.truth.atMs} and ${to.epoch ?? ''}/${to.seq ?? to.truth.atMs}`
  const says = `${usedMwh} mWh were used ${name}, the ledger says ${least} to ${most} (${lines.map((l) => `${l.kind} ${l.energyMwh} ${l.flags.join('+')}`).join(', ')})`
  if (usedMwh < least - slack) return { ...nothing, problem: says }
  if (usedMwh <= most + slack) return nothing
  const bounds = lines.some((line) => line.bounds !== null)
  if (!bounds && from.truth.life !== to.truth.life) {
    return { ...nothing, traceless: usedMwh - measured }
  }
  const wasMs = to.truth.atMs - from.truth.atMs
  if (spanMs < wasMs - Math.max(20_000, wasMs / 100)) return { ...nothing, excuse: 'false_time' }
  if (isSteep({ from, to, usedMwh })) return { ...nothing, excuse: 'steep_load' }
  return { ...nothing, problem: says }
}

/** Within one life of the counters every channel must have been given what its own counter counted. */
function shareProblems(node: VirtualNode, { from, to, lines }: Group): string[] {
  if (node.kind !== 'current' || from.truth.life !== to.truth.life) return []
  const shares = lines.filter((it) => it.kind === 'measured').flatMap((it) => it.channels)
  return shares.flatMap((share) => {
    const [before, after] = [from, to].map((it) =>
      it.channels.find((channel) => channel.deviceId === share.deviceId),
    )
    const countedMwh = (after?.energyMwh ?? 0) - (before?.energyMwh ?? 0)
    const onS = (after?.onTimeS ?? 0) - (before?.onTimeS ?? 0)
    // A drifting clock may make the interval shorter than the time a channel was on.
    if (share.energyMwh === countedMwh && share.onTimeS <= onS) return []
    const given = `${share.energyMwh} mWh and ${share.onTimeS} s`
    return [`${share.deviceId} counted ${countedMwh} mWh and ${onS} s, a line gives it ${given}`]
  })
}

/** More was used than three times the larger power at both ends explains: the premise of plausibility. */
function isSteep({ from, to, usedMwh }: Pick<Passage, 'from' | 'to' | 'usedMwh'>): boolean {
  const seenMw = Math.max(from.powerMw, to.powerMw)
  const explainedMwh = (3 * seenMw * (to.truth.atMs - from.truth.atMs)) / 3_600_000
  return usedMwh > explainedMwh + ALLOWANCE_MWH
}
