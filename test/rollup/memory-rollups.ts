import type { Closed, ClosingStore } from '../../functions/adapters/closings.ts'
import * as days from '../../functions/adapters/day-codec.ts'
import * as months from '../../functions/adapters/month-codec.ts'
import type { RollupStore } from '../../functions/adapters/rollups.ts'

type Stored = Record<string, unknown> & { classroom: string; period: string; revision: number }

/** The Rollups table in memory, with its conditions. Items go through the codecs, as they do there. */
export function memoryRollups(): RollupStore & { table: Map<string, Stored> } {
  const table = new Map<string, Stored>()
  const names = new Set<string>()
  const key = (classroom: string, period: string) => `${classroom}|${period}`
  const range = (classroom: string, from: string, to: string) =>
    [...table.values()]
      .filter((item) => item.classroom === classroom && from <= item.period && item.period <= to)
      .sort((a, b) => (a.period < b.period ? -1 : 1))
  const replace = (item: Stored, former: Stored | null) => {
    const at = key(item.classroom, item.period)
    const known = table.get(at)
    if ((known?.revision ?? 0) !== item.revision - 1) return false
    if (former !== null) {
      const kept = key(former.classroom, former.period)
      // What is kept is never written twice.
      if (table.has(kept)) throw new Error(`${kept} is kept already`)
      table.set(kept, former)
    }
    table.set(at, item)
    return true
  }
  const END = '\uffff'
  return {
    table,
    async day(classroom, date, register) {
      const item = table.get(key(classroom, days.dayPeriod(date, register)))
      return item === undefined ? null : days.fromItem(item)
    },
    async days(classroom, from, to) {
      return range(classroom, `day#${from}#`, `day#${to}#${END}`).map(days.fromItem)
    },
    async totals(classroom, from, to) {
      const found = range(classroom, `day#${from}#`, `day#${to}#${END}`).map(days.totalsFromItem)
      return found.filter((total) => total !== null)
    },
    async formerDays(classroom, from, to) {
      return range(classroom, `was#${from}#`, `was#${to}#${END}`).map(days.fromItem)
    },
    async put(item, _nowMs, former = null) {
      return replace(
        days.toItem(item),
        former && {
          ...days.toItem(former),
          period: days.formerDayPeriod(former.date, former.register, former.revision),
        },
      )
    },
    async months(classroom, from, to) {
      return range(classroom, `month#${from}`, `month#${to}${END}`).map(months.fromItem)
    },
    async formerMonths(classroom, from, to) {
      return range(classroom, `was#month#${from}#`, `was#month#${to}#${END}`).map(months.fromItem)
    },
    async putMonth(item, _nowMs, former) {
      return replace(
        months.toItem(item),
        former && {
          ...months.toItem(former),
          period: months.formerMonthPeriod(former.month, former.revision),
        },
      )
    },
    async classrooms() {
      return [...names].sort()
    },
    async addClassroom(classroom) {
      names.add(classroom)
    },
  }
}

export function memoryClosings(): ClosingStore {
  let closed: Closed = { throughDate: null, throughMonth: null }
  return {
    closed: async () => closed,
    async moveDate(date) {
      if (closed.throughDate === null || closed.throughDate < date)
        closed = { ...closed, throughDate: date }
    },
    async moveMonth(month) {
      if (closed.throughMonth === null || closed.throughMonth < month)
        closed = { ...closed, throughMonth: month }
    },
  }
}
