import { journalReader } from '../functions/adapters/journal.ts'
import { nodeStore } from '../functions/adapters/nodes.ts'
import { rawItems } from '../functions/adapters/raw.ts'
import { rollupStore } from '../functions/adapters/rollups.ts'
import type { Entry } from '../functions/domain/journal.ts'
import { pricer } from '../functions/domain/rollup/cost.ts'
import { verifyRegister } from '../functions/verify/register.ts'
import { anchors } from './cloud/bucket.ts'
import { type Engine, startEngine } from './cloud/engine.ts'
import type { NightsDone } from './cloud/nights.ts'
import { pipeline } from './cloud/pipeline.ts'
import { SITE_ZONE } from './cloud/ports.ts'
import { type Judged, judge } from './judge.ts'
import { registersOf, type VirtualNode } from './truth/campus.ts'
import type { FaultPlan } from './truth/faults.ts'
import { type Arrival, journeys } from './truth/journey.ts'
import type { Moment } from './truth/life.ts'
import { lifeOf } from './truth/life.ts'
import { messagesOf } from './truth/messages.ts'
import type { Observation } from './truth/observation.ts'

/** The simulation is about energy; nobody has set a price. */
const unpriced = pricer({ versions: [], repricings: [] }, SITE_ZONE)

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** 2026-01-04T18:30:00Z: midnight in Asia/Kolkata. */
export const START_MS = 1_767_551_400_000
const ROLLUP_EVERY_HOURS = 8
/** As long as the raw events are kept on AWS. */
const RETENTION_DAYS = 730
/** Arrivals may be this late at most, so this long after its last day a campus has come to rest. */
const REST_HOURS = 80

export interface CampusRun {
  readonly seed: number
  readonly nodes: readonly VirtualNode[]
  readonly days: number
  /** The nightly run looks every so many nights. */
  readonly nights: number
  readonly faults: FaultPlan
  readonly dataDir?: string | undefined
  readonly progress: (line: string) => void
}

/** What came of a campus. No problem means that every figure is proved. */
export interface CampusDone {
  readonly registers: readonly Judged[]
  readonly readings: number
  readonly entries: number
  readonly dayItems: number
  readonly nights: NightsDone
  readonly problems: readonly string[]
}

/** Runs a campus from its first reading until nothing is on its way any more, then checks all of it. */
export async function runCampus(campus: CampusRun): Promise<CampusDone> {
  await using engine = await startEngine(campus.dataDir)
  const flow = pipeline(engine, campus.seed, campus.nodes, campus.faults)
  flow.step(START_MS)
  const lives = campus.nodes.map((node) => lived(campus, node))
  for (const node of campus.nodes) await flow.register(node)
  const due = new Map<number, Arrival[]>()
  const hours = campus.days * 24
  let isProved = true
  for (let hour = 0; hour < hours + REST_HOURS; hour++) {
    const untilMs = START_MS + (hour + 1) * HOUR_MS
    for (const arrival of lives.flatMap((life) => life.until(untilMs))) {
      const at = Math.max(hour, Math.floor((arrival.dueMs - START_MS) / HOUR_MS))
      due.set(at, [...(due.get(at) ?? []), arrival])
    }
    const now = due.get(hour) ?? []
    due.delete(hour)
    if (now.length === 0 && hour > hours + 1) continue
    flow.step(untilMs)
    await flow.ingest(now.sort((a, b) => a.dueMs - b.dueMs))
    const day = Math.floor(hour / 24)
    const isNight = hour % 24 === 1 && day > 0 && day <= campus.days
    if (isNight && (day % campus.nights === 0 || !isProved)) {
      isProved = await flow.deliverAtNight()
    } else await flow.deliver()
    if (hour % ROLLUP_EVERY_HOURS === 7) await flow.rollup()
    if (hour % 24 === 23 && hour < hours) campus.progress(`day ${(hour + 1) / 24}`)
  }
  if (due.size > 0) throw new Error('the campus has not come to rest')
  flow.step(START_MS + campus.days * DAY_MS + REST_HOURS * HOUR_MS)
  await flow.settle()
  campus.progress('the last nights')
  await flow.nights.last()
  const stuck = await flow.settle()
  campus.progress('verifying')
  const done = await checked(engine, campus.nodes, lives)
  const nights = await flow.nights.done()
  const { received, booked, duplicates, conflicts } = await flow.counts()
  const problems = [...stuck, ...nights.problems, ...done.problems]
  if (received !== booked + duplicates + conflicts) {
    problems.push(
      `${received} readings were received, but ${booked} booked + ${duplicates} duplicates + ${conflicts} conflicts`,
    )
  }
  if (booked !== done.readings) {
    problems.push(
      `${booked} readings were counted as booked, but the ledger holds ${done.readings}`,
    )
  }
  return { ...done, nights, problems }
}

interface Life {
  readonly observations: ReadonlyMap<string, Observation[]>
  /** Messages sent before an instant, as they arrive. */
  until(ms: number): Arrival[]
}

function lived({ seed, days, faults }: CampusRun, node: VirtualNode): Life {
  const observations = new Map<string, Observation[]>(registersOf(node).map(({ key }) => [key, []]))
  function* noted(moments: Iterable<Moment>): Generator<Moment> {
    for (const moment of moments) {
      for (const it of moment.observations) observations.get(it.register)?.push(it)
      yield moment
    }
  }
  const life = lifeOf(seed, node, START_MS, START_MS + days * DAY_MS, faults)
  const messages = messagesOf(seed, node, noted(life), faults)
  const journey = journeys(seed, node.name, faults)
  let next = messages.next()
  return {
    observations,
    until(ms) {
      const arrivals: Arrival[] = []
      for (; !next.done && next.value.sentMs < ms; next = messages.next()) {
        arrivals.push(...journey(next.value))
      }
      return arrivals
    },
  }
}

/** Verifies every register, and holds what is booked against the truth. */
async function checked(
  engine: Engine,
  nodes: readonly VirtualNode[],
  lives: readonly Life[],
): Promise<Omit<CampusDone, 'nights'>> {
  const done = { registers: [] as Judged[], readings: 0, entries: 0, dayItems: 0 }
  const problems: string[] = []
  const registry = nodeStore(engine.client, engine.tables.nodes as string)
  const journal = journalReader(engine.client, engine.tables.ledger as string)
  const rollups = rollupStore(engine.client, engine.tables.rollups as string)
  const anchored = anchors(engine.objects)
  const telemetry = engine.tables.telemetry as string
  const raw = {
    items: (register: string) => rawItems(engine.client, telemetry, register),
    retentionDays: RETENTION_DAYS,
    now: () => START_MS,
  }
  for (const [index, node] of nodes.entries()) {
    const record = await registry.get(node.name)
    for (const [register, observations] of lives[index]?.observations ?? []) {
      const ports = { journal, rollups, raw, pricer: unpriced, siteTimeZone: SITE_ZONE }
      const verified = await verifyRegister(record, register, ports)
      const entries: Entry[] = await journal.entries(register, 1, Number.MAX_SAFE_INTEGER)
      const judged = judge(node, register, observations, entries)
      for (const { n, hash } of anchored.get(register) ?? []) {
        if (entries[n - 1]?.hash === hash) continue
        problems.push(`${register}: entry ${n} is not the one that was anchored`)
      }
      done.registers.push(judged)
      done.readings += verified.readings
      done.entries += verified.entries
      done.dayItems += verified.days
      const rolled = record.watermarks.get(register) ?? 0
      if (rolled !== verified.entries) {
        problems.push(`${register}: ${rolled} of ${verified.entries} entries are rolled up`)
      }
      for (const problem of [...verified.problems, ...judged.problems]) {
        problems.push(`${register}: ${problem}`)
      }
    }
  }
  return { ...done, problems }
}
