import { journalReader } from '../functions/adapters/journal.ts'
import { nodeStore } from '../functions/adapters/nodes.ts'
import { rollupStore } from '../functions/adapters/rollups.ts'
import type { Entry } from '../functions/domain/journal.ts'
import { pricer } from '../functions/domain/rollup/cost.ts'
import { verifyRegister } from '../functions/verify/register.ts'
import { type Engine, startEngine } from './cloud/engine.ts'
import { pipeline, SITE_ZONE } from './cloud/pipeline.ts'
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
/** Arrivals may be this late at most, so this long after its last day a campus has come to rest. */
const REST_HOURS = 80

export interface CampusRun {
  readonly seed: number
  readonly nodes: readonly VirtualNode[]
  readonly days: number
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
  readonly problems: readonly string[]
}

/** Runs a campus from its first reading until nothing is on its way any more, then checks all of it. */
export async function runCampus(campus: CampusRun): Promise<CampusDone> {
  await using engine = await startEngine(campus.dataDir)
  const flow = pipeline(engine, campus.seed, campus.faults)
  flow.step(START_MS)
  const lives = campus.nodes.map((node) => lived(campus, node))
  for (const node of campus.nodes) await flow.register(node)
  const due = new Map<number, Arrival[]>()
  const hours = campus.days * 24
  for (let hour = 0; hour < hours + REST_HOURS; hour++) {
    const untilMs = START_MS + (hour + 1) * HOUR_MS
    for (const arrival of lives.flatMap((life) => life.until(untilMs))) {
      const at = Math.max(hour, Math.floor((arrival.dueMs - START_MS) / HOUR_MS))
      due.set(at, [...(due.get(at) ?? []), arrival])
    }
    const now = due.get(hour) ?? []
    due.delete(hour)
    if (now.length === 0 && hour > hours) continue
    flow.step(untilMs)
    await flow.ingest(now.sort((a, b) => a.dueMs - b.dueMs))
    await flow.deliver()
    if (hour % ROLLUP_EVERY_HOURS === 7) await flow.rollup()
    if (hour % 24 === 23 && hour < hours) campus.progress(`day ${(hour + 1) / 24}`)
  }
  if (due.size > 0) throw new Error('the campus has not come to rest')
  flow.step(START_MS + campus.days * DAY_MS + REST_HOURS * HOUR_MS)
  const stuck = await flow.settle()
  campus.progress('verifying')
  const done = await checked(engine, campus.nodes, lives)
  const { received, booked, duplicates, conflicts } = await flow.counts()
  const problems = [...stuck, ...done.problems]
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
  return { ...done, problems }
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
): Promise<CampusDone> {
  const done = { registers: [] as Judged[], readings: 0, entries: 0, dayItems: 0 }
  const problems: string[] = []
  const registry = nodeStore(engine.client, engine.tables.nodes as string)
  const journal = journalReader(engine.client, engine.tables.ledger as string)
  const rollups = rollupStore(engine.client, engine.tables.rollups as string)
  for (const [index, node] of nodes.entries()) {
    const record = await registry.get(node.name)
    for (const [register, observations] of lives[index]?.observations ?? []) {
      const ports = { journal, rollups, pricer: unpriced, siteTimeZone: SITE_ZONE }
      const verified = await verifyRegister(record, register, ports)
      const entries: Entry[] = await journal.entries(register, 1, Number.MAX_SAFE_INTEGER)
      const judged = judge(node, register, observations, entries)
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
