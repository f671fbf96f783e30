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

/** What is wrong with a day item: for the wrong part of the day, other figures, another cost. */
export type DayFaultKind = 'missing' | 'part' | 'differs' | 'cost'

/** A register's day in a classroom as the ledger has it, and as it is stored. */
export interface LedgerDay {
  readonly scope: DayScope
  /** Of all entries. */
  readonly figures: DayFigures
  readonly stored: DayItem | null
  readonly faults: readonly { readonly kind: DayFaultKind; readonly problem: string }[]
}

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
  const days = await daysOf(record, register, entries, ports)
  const problems = days.flatMap(({ faults }) => faults.map(({ problem }) => problem))
  const known = new Set(days.map(({ scope }) => `${scope.day.date}#${scope.classroom}`))
  problems.push(...(await strayItems(record, register, known, ports.rollups)))
  return { days: days.length, problems }
}

/** @param fromDate only days from then on; the entries must hold all that lies in them */
export async function daysOf(
  record: NodeRecord,
  register: string,
  entries: readonly Entry[],
  ports: Omit<VerifyDaysPorts, 'rollups'> & { readonly rollups: Pick<RollupStore, 'day'> },
  fromDate: string = EVER[0],
): Promise<LedgerDay[]> {
  const watermark = record.watermarks.get(register) ?? 0
  const days: LedgerDay[] = []
  for (const { scope, entries: own } of byDayItem(
    entries,
    record.assignments,
    calendar(ports.siteTimeZone),
  )) {
    if (scope.day.date < fromDate) continue
    const stored = await ports.rollups.day(scope.classroom, scope.day.date, register)
    const rolledN = Math.max(watermark, stored?.throughN ?? 0)
    const rolled = own.filter((entry) => entry.n <= rolledN)
    const name = nameOf(scope.classroom, scope.day.date, register)
    const faults = dayFaults(stored, rolled, scope, name, ports.pricer)
    days.push({ scope, figures: folded(own, scope), stored, faults })
  }
  return days
}

function dayFaults(
  stored: DayItem | null,
  rolled: readonly Entry[],
  scope: DayScope,
  name: string,
  pricer: Pricer,
): LedgerDay['faults'] {
  if (stored === null) {
    if (rolled.length === 0) return []
    return [{ kind: 'missing', problem: `day item ${name} is missing` }]
  }
  if (!samePart(stored, scope)) {
    const problem = `day item ${name} covers another part of the day than the node stood there`
    return [{ kind: 'part', problem }]
  }
  const figures = folded(rolled, scope)
  const differs = { kind: 'differs', problem: `day item ${name} differs from the ledger` } as const
  const costs = costProblems(stored, figures, scope, name, pricer)
  return [
    ...(sameFigures(stored, figures) ? [] : [differs]),
    ...costs.map((problem) => ({ kind: 'cost' as const, problem })),
  ]
}

function folded(entries: readonly Entry[], scope: DayScope): DayFigures {
  const figures = emptyDay(scope.day.blocks)
  for (const entry of entries) addEntry(figures, entry, scope)
  return figures
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
