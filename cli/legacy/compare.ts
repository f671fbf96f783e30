import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { DateTime } from 'luxon'
import { closingStore } from '../../functions/adapters/closings.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import { legacyStore } from '../../functions/adapters/legacy.ts'
import { type NodeRecord, nodeStore } from '../../functions/adapters/nodes.ts'
import { rollupStore } from '../../functions/adapters/rollups.ts'
import { tariffStore } from '../../functions/adapters/tariffs.ts'
import { type PricedDay, pricedDays, type ReadPorts } from '../../functions/api/fresh.ts'
import { classroomAt } from '../../functions/domain/assignment.ts'
import { localDay } from '../../functions/domain/calendar.ts'
import {
  type ComparedDay,
  formerMwh,
  likelyReasons,
  type OwnDay,
} from '../../functions/domain/legacy/reasons.ts'
import type { LegacyRecord } from '../../functions/domain/legacy/record.ts'
import { blockTotals, sum } from '../../functions/domain/rollup/figures.ts'
import { addQuality } from '../../functions/domain/rollup/total.ts'
import { type Column, textTable, thousandths } from '../show/table.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'

/** Stands for the classroom of what the former system had in none. */
const NOWHERE = '(none)'
/** Reasons named of a day; the first explains most. */
const NAMED = 3

const COLUMNS: Column[] = [
  { title: 'day' },
  { title: 'classroom' },
  { title: 'new Wh', isNumber: true },
  { title: 'old Wh', isNumber: true },
  { title: 'difference', isNumber: true },
  { title: 'likely reason' },
]

/** New against old by classroom and day, both dates included, as a table. */
export function compareLegacy(stack: Stack, from: string, to: string): Promise<string> {
  return withTables(stack, async (tables) => {
    const days = await comparedDays(tables, stack, from, to)
    if (days.length === 0) return `neither system has anything from ${from} to ${to}\n`
    return textTable(COLUMNS, days.map(rowOf))
  })
}

/** Days that either system has figures of, by classroom. */
export async function comparedDays(
  tables: DynamoDBDocumentClient,
  stack: Stack,
  from: string,
  to: string,
): Promise<ComparedDay[]> {
  const ports = readPorts(tables, stack)
  const records: NodeRecord[] = []
  for await (const record of ports.nodes.all()) records.push(record)
  const former = await legacyStore(tables, stack.table('control')).between(from, to)
  const placed = former.map((it) => ({ it, classroom: placeOf(it, records, ports.siteTimeZone) }))
  const rooms = new Set([...(await ports.rollups.classrooms()), ...placed.map((p) => p.classroom)])
  const days: ComparedDay[] = []
  for (const classroom of [...rooms].sort()) {
    const own = await ownDays(classroom, from, to, ports)
    const theirs = placed.filter((p) => p.classroom === classroom).map(({ it }) => it)
    const dates = new Set([...own.keys(), ...theirs.map(({ date }) => date)])
    const firstDate = await firstDay(classroom, ports)
    for (const date of [...dates].filter((it) => it <= to).sort()) {
      days.push({
        classroom,
        day: localDay(date, ports.siteTimeZone),
        former: theirs.filter((it) => it.date === date),
        own: own.get(date) ?? null,
        firstDate,
      })
    }
  }
  return days.sort((a, b) => (a.day.date < b.day.date ? -1 : a.day.date > b.day.date ? 1 : 0))
}

/** A classroom by its name; where the former system had none, where a node of that address stood. */
function placeOf(record: LegacyRecord, nodes: readonly NodeRecord[], zone: string): string {
  if (record.classroom !== null) return record.classroom
  const node = nodes.find(({ presence }) => {
    const mac = presence?.mac?.toLowerCase()
    return mac !== undefined && mac === record.mac
  })
  if (node === undefined) return NOWHERE
  return classroomAt(node.assignments, localDay(record.date, zone).startMs) ?? NOWHERE
}

async function ownDays(
  classroom: string,
  from: string,
  to: string,
  ports: ReadPorts,
): Promise<Map<string, OwnDay>> {
  // A day of UTC reaches into the local day after.
  const days = (await pricedDays(classroom, from, dayAfter(to), ports)) ?? []
  const byDate = Map.groupBy(days, ({ date }) => date)
  const blocks = (date: string) => blocksOf(byDate.get(date) ?? [])
  return new Map(
    [...byDate].map(([date, registers]): [string, OwnDay] => [
      date,
      {
        energyMwh: sum(blocks(date)),
        blocksMwh: blocks(date),
        nextBlocksMwh: blocks(dayAfter(date)),
        quality: registers.map(({ figures }) => figures.quality).reduce(addQuality),
        registers: registers.length,
      },
    ]),
  )
}

function blocksOf(days: readonly PricedDay[]): number[] {
  const all = days.map(({ figures }) => blockTotals(figures))
  return (all[0] ?? []).map((_, at) => sum(all.map((blocks) => blocks[at] ?? 0)))
}

const dayAfter = (date: string) =>
  DateTime.fromISO(date, { zone: 'utc' }).plus({ days: 1 }).toFormat('yyyy-MM-dd')

async function firstDay(classroom: string, { rollups }: ReadPorts): Promise<string | null> {
  const totals = await rollups.totals(classroom, '0000-01-01', '9999-12-31')
  return totals.reduce<string | null>(
    (first, { date }) => (first === null || date < first ? date : first),
    null,
  )
}

function readPorts(tables: DynamoDBDocumentClient, stack: Stack) {
  return {
    nodes: nodeStore(tables, stack.table('nodes')),
    rollups: rollupStore(tables, stack.table('rollups')),
    journal: journalReader(tables, stack.table('ledger')),
    closings: closingStore(tables, stack.table('control')),
    tariffs: tariffStore(tables, stack.table('control')),
    siteTimeZone: stack.siteTimeZone,
    now: Date.now,
  }
}

function rowOf(compared: ComparedDay): string[] {
  const { day, classroom, former, own } = compared
  const oldMwh = former.length === 0 ? null : formerMwh(compared)
  const reasons = likelyReasons(compared).slice(0, NAMED)
  const text = reasons.map(({ text: why, mwh }) =>
    mwh === null ? why : `${why} (${mwh > 0 ? '+' : ''}${thousandths(mwh)} Wh)`,
  )
  return [
    day.date,
    classroom,
    thousandths(own?.energyMwh),
    thousandths(oldMwh),
    thousandths((own?.energyMwh ?? 0) - (oldMwh ?? 0)),
    text.join('; '),
  ]
}
