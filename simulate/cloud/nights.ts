import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import { journalReader } from '../../functions/adapters/journal.ts'
import { rawItems } from '../../functions/adapters/raw.ts'
import type { Run } from '../../functions/adapters/reconciliations.ts'
import { repairs } from '../../functions/adapters/repairs.ts'
import { EXPLAINED, Ticket } from '../../functions/adapters/tickets.ts'
import type { Rule } from '../../functions/domain/checks/finding.ts'
import { type Register, registersOf, type VirtualNode } from '../truth/campus.ts'
import { FUNCTIONS, lambdaClient } from './callees.ts'
import { dayOf, eventOf, type Mended, unexplained, watched } from './mended.ts'
import { type NightPorts, night } from './night.ts'
import type { Shards } from './shards.ts'

type Counted = Readonly<Record<string, number>>

/** What came of the nightly runs. */
export interface NightsDone {
  readonly runs: number
  /** Runs that could not look at some node, since a write of it failed; the next night they did. */
  readonly failed: number
  /** By rule: what was found, what was repaired, and what was left for people. */
  readonly found: Counted
  readonly repaired: Counted
  readonly tickets: Counted
  /** Tickets that later data explained. */
  readonly explained: number
  readonly problems: readonly string[]
}

export interface Nights {
  /** Harms what a run is to repair, and runs. @returns false when the next night has to look again */
  run(): Promise<boolean>
  /** Runs until all is looked at and repaired, without further harm, and once more: nothing is left. */
  last(): Promise<void>
  done(): Promise<NightsDone>
}

/** Rules that say the figures are not what the readings say. */
const PROVED: readonly Rule[] = [
  'unbooked_reading',
  'broken_chain',
  'lines_differ',
  'rollup_differs',
]
/** Nothing done to the tables here can lead to these. */
const NEVER: readonly Rule[] = ['broken_chain', 'lines_differ']
/** Runs in which everything is looked at and repaired at last. */
const LAST_RUNS = 12

export interface NightsPorts extends NightPorts {
  readonly nodes: readonly VirtualNode[]
  readonly stream: Pick<Shards, 'trim'>
  /** Raw events that were put and that the ledger has not been given yet. */
  readonly waiting: () => readonly DynamoDBRecord[]
  /** Lets an hour pass that brings no outage. */
  readonly later: () => void
}

export function nights(ports: NightsPorts): Nights {
  const { engine, faults, draw } = ports
  const table = (name: string) => engine.tables[name] as string
  const counts = { runs: 0, failed: 0, found: {}, repaired: {} }
  const problems: string[] = []

  const trimmed = new Set<string>()
  const days = new Set<string>()
  const journal = journalReader(engine.client, table('ledger'))
  const owes = async (register: string) => (await journal.head(register))?.state.owed != null

  const calm = () => {
    ports.later()
    return once()
  }
  const once = async (): Promise<Run | null> => {
    const waiting = ports.waiting()
    const mended: Mended[] = []
    const callees = watched(ports.callees, owes, (one) => mended.push(one))
    const run = await night(counts.runs, { ...ports, callees })
    const events = new Set([...trimmed, ...waiting.map(eventOf)])
    problems.push(...unexplained(mended, { events, days }))
    counts.runs += 1
    if (run === null || run.finished_at_ms === null) {
      problems.push(`the nightly run of ${new Date(ports.now()).toISOString()} never ended`)
      return null
    }
    if (run.status !== 'done') counts.failed += 1
    for (const { esp32_name, error } of run.failures) {
      if (!error.includes('the simulation')) problems.push(`${esp32_name}: the run says ${error}`)
    }
    add(counts.found, run.checks)
    for (const { rule } of run.repaired) add(counts.repaired, { [rule]: 1 })
    return run
  }
  const tickets = async (): Promise<Ticket[]> => {
    const found: Ticket[] = []
    let start: Record<string, unknown> | undefined
    do {
      const page = await engine.client.send(
        new QueryCommand({
          TableName: table('control'),
          KeyConditionExpression: 'kind = :kind',
          ExpressionAttributeValues: { ':kind': 'ticket' },
          ExclusiveStartKey: start,
        }),
      )
      found.push(...(page.Items ?? []).map((item) => Ticket.parse(item)))
      start = page.LastEvaluatedKey
    } while (start !== undefined)
    return found
  }
  const left = async () =>
    (await tickets()).filter(({ rule, status }) => PROVED.includes(rule) && status !== 'resolved')
  const isWhole = async (run: Run | null) => run?.status === 'done' && (await left()).length === 0

  const spoil = async ({ classroom }: VirtualNode, { key }: Register) => {
    const { Items = [] } = await engine.client.send(
      new QueryCommand({
        TableName: table('rollups'),
        KeyConditionExpression: 'classroom = :classroom AND begins_with(period, :days)',
        ExpressionAttributeValues: { ':classroom': classroom, ':days': 'day#' },
      }),
    )
    const item = Items.findLast(({ register }) => register === key)
    if (!faults.strikes('day_spoiled', item !== undefined)) return
    days.add(dayOf(key, String(item?.period).split('#')[1] ?? ''))
    const Item = { ...item, measured_mwh: Number(item?.measured_mwh) + 1_000 }
    await engine.client.send(new PutCommand({ TableName: table('rollups'), Item }))
  }
  const trim = (most: number) => {
    const lost = ports.stream.trim(most).map(eventOf)
    for (const event of lost) trimmed.add(event)
    return lost.length
  }
  const replay = async ({ key }: Register) => {
    const items: Record<string, unknown>[] = []
    for await (const item of rawItems(engine.client, table('telemetry'), key)) items.push(item)
    if (!faults.strikes('raw_replayed', items.length > 0)) return
    await repairs(lambdaClient(ports.callees), FUNCTIONS).book(items)
  }
  const harm = async () => {
    const node = draw.pick(ports.nodes)
    const register = draw.pick(registersOf(node))
    if (counts.runs % 2 === 0) await spoil(node, register)
    else await replay(register)
    const most = draw.between(1, 8)
    if (draw.happens(500)) faults.strikesOften('record_trimmed', () => trim(most))
  }
  return {
    async run() {
      await harm()
      return isWhole(await once())
    },
    async last() {
      for (let runs = 1; !(await isWhole(await calm())); runs++) {
        if (runs < LAST_RUNS) continue
        problems.push(`${LAST_RUNS} nightly runs did not come to an end with what is to repair`)
        return
      }
      let again = await calm()
      for (let runs = 1; again?.status === 'failed' && runs < LAST_RUNS; runs++)
        again = await calm()
      if (again?.status !== 'done') problems.push('the last nightly run failed')
      for (const { register, rule, done } of again?.repaired ?? []) {
        problems.push(`${register}: ${rule} is found after its repair (${done})`)
      }
    },
    async done() {
      const all = await tickets()
      const opened: Record<string, number> = {}
      for (const { rule } of all) add(opened, { [rule]: 1 })
      for (const { rule, register, evidence } of all) {
        if (!NEVER.includes(rule)) continue
        problems.push(`${register}: a run reports ${rule}: ${JSON.stringify(evidence)}`)
      }
      for (const { rule, register } of await left()) problems.push(`${register}: ${rule} is left`)
      const explained = all.filter((ticket) => ticket.resolved_by === EXPLAINED.by).length
      return { ...counts, tickets: opened, explained, problems }
    },
  }
}

export function add(counts: Record<string, number>, more: Counted): void {
  for (const [name, count] of Object.entries(more)) counts[name] = (counts[name] ?? 0) + count
}
