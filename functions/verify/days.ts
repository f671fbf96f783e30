import type { NodeRecord } from '../adapters/nodes.ts'
import { type DayItem, dayPeriod, type RollupStore, toItem } from '../adapters/rollups.ts'
import { calendar } from '../domain/calendar.ts'
import type { Entry } from '../domain/journal.ts'
import type { Pricer } from '../domain/rollup/cost.ts'
import { samePart } from '../domain/rollup/day.ts'
import { addEntry, type DayFigures, emptyDay } from '../domain/rollup/figures.ts'
import type { DayScope } from '../domain/rollup/scopes.ts'
import { byDayItem } from '../rollup/carry.ts'

export interface VerifyDaysPorts {
  readonly rollups: RollupStore
  readonly pricer: Pricer
  readonly siteTimeZone: string
}

/** Before and after every date. */
const EVER = ['0000-01-01', '9999-12-31'] as const

/**
 * Day items made anew from the entries they claim to hold, against the stored ones: their figures, the
 * part of the day they are for, and what they cost.
 */
export async function dayProblems(
  record: NodeRecord,
  register: string,
  entries: readonly Entry[],
  ports: VerifyDaysPorts,
): Promise<{ days: number; problems: string[] }> {
  const problems: string[] = []
  const watermark = record.watermarks.get(register) ?? 0
  const days = byDayItem(entries, record.assignments, calendar(ports.siteTimeZone))
  for (const { scope, entries: own } of days) {
    const stored = await ports.rollups.day(scope.classroom, scope.day.date, register)
    const rolledN = Math.max(watermark, stored?.throughN ?? 0)
    const rolled = own.filter((entry) => entry.n <= rolledN)
    if (rolled.length === 0 && stored === null) continue
    const name = nameOf(scope.classroom, scope.day.date, register)
    if (stored === null) {
      problems.push(`day item ${name} is missing`)
      continue
    }
    if (!samePart(stored, scope)) {
      problems.push(`day item ${name} covers another part of the day than the node stood there`)
      continue
    }
    const figures = emptyDay(scope.day.blocks)
    for (const entry of rolled) addEntry(figures, entry, scope)
    if (!sameFigures(stored, figures)) problems.push(`day item ${name} differs from the ledger`)
    problems.push(...costProblems(stored, figures, scope, name, ports.pricer))
  }
  const known = new Set(days.map(({ scope }) => `${scope.day.date}#${scope.classroom}`))
  problems.push(...(await strayItems(record, register, known, ports.rollups)))
  return { days: days.length, problems }
}

const nameOf = (classroom: string, date: string, register: string) =>
  `${classroom} ${dayPeriod(date, register)}`

/** A closed day's cost is that of the tariffs known at its horizon, an open one's of those known when it was made. */
function costProblems(
  stored: DayItem,
  figures: DayFigures,
  scope: DayScope,
  name: string,
  pricer: Pricer,
): string[] {
  const isOpen = stored.state === 'provisional'
  const knownAtMs = isOpen ? stored.horizonMs : pricer.horizonMs(scope.classroom, scope.day)
  const expected = pricer.cost(figures, scope, knownAtMs)
  if (JSON.stringify(expected) === JSON.stringify(stored.cost)) return []
  return [
    `day item ${name} has the cost ${text(stored.cost)}, and by the tariffs recorded until ${new Date(knownAtMs).toISOString()} it is ${text(expected)}`,
  ]
}

const text = ({ byVersion, unpricedMwh }: DayItem['cost']) =>
  [
    ...byVersion.map(({ versionId, costMicro }) => `${costMicro} millionths by ${versionId}`),
    ...(unpricedMwh === 0 ? [] : [`${unpricedMwh} mWh without a price`]),
  ].join(', ') || 'nothing'

/** Items of days on which the node, as we know now, did not stand there; a move should have voided them. */
async function strayItems(
  record: NodeRecord,
  register: string,
  known: ReadonlySet<string>,
  rollups: RollupStore,
): Promise<string[]> {
  if (record.assignments.length < 2) return []
  const problems: string[] = []
  for (const classroom of new Set(record.assignments.map((one) => one.classroom))) {
    if (classroom === null) continue
    for (const { date, register: of } of await rollups.totals(classroom, ...EVER)) {
      if (of !== register || known.has(`${date}#${classroom}`)) continue
      problems.push(
        `day item ${nameOf(classroom, date, of)} stands, but the node did not stand there`,
      )
    }
  }
  return problems
}

/** Compared as they would be stored, so that nothing that reaches a reader escapes the comparison. */
function sameFigures(stored: DayItem, figures: DayFigures): boolean {
  const whole = (item: DayItem) => {
    const { series, sequences, ...plain } = toItem(item)
    const hex = Buffer.from(series).toString('hex')
    return JSON.stringify([plain, hex, [...sequences].sort((a, b) => a[0] - b[0])])
  }
  return whole(stored) === whole({ ...stored, figures })
}
