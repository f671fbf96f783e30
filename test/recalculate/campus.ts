import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { closingStore } from '../../functions/adapters/closings.ts'
import { type Job, jobId, jobPut, jobStore, newJob } from '../../functions/adapters/jobs.ts'
import { type DayItem, rollupStore } from '../../functions/adapters/rollups.ts'
import { type RecordedVersion, tariffStore, versionPut } from '../../functions/adapters/tariffs.ts'
import { localDay } from '../../functions/domain/calendar.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import { nextItem } from '../../functions/domain/rollup/day.ts'
import { type DayFigures, emptyDay } from '../../functions/domain/rollup/figures.ts'
import { scopeOfPart } from '../../functions/domain/rollup/scopes.ts'
import { closeOfDayMs } from '../../functions/domain/tariff/horizon.ts'
import type { WorkPorts } from '../../functions/recalculate/work.ts'
import { refreshMonth } from '../../functions/rollup/months.ts'
import type { RunningTables } from '../bench/tables.ts'

export const ZONE = 'Asia/Kolkata'

/** A site whose days are made, closed and recalculated without any of its functions running. */
export type Campus = ReturnType<typeof campusOn>

export function campusOn(tables: Pick<RunningTables, 'client' | 'table'>) {
  const { client } = tables
  const control = tables.table('control')
  const rollups = rollupStore(client, tables.table('rollups'))
  const tariffs = tariffStore(client, control)
  const closings = closingStore(client, control)
  const jobs = jobStore(client, control)
  return {
    rollups,
    tariffs,
    closings,
    jobs,

    /** Records a tariff version of the site, unless `changes` says otherwise. */
    async tariff(changes: Partial<RecordedVersion> & Pick<RecordedVersion, 'id'>): Promise<void> {
      const version: RecordedVersion = {
        classroom: null,
        effectiveFromMs: 0,
        recordedAtMs: 0,
        energyMicroPerKwh: 7_000_000,
        bands: [],
        surchargeMicroPerKwh: 0,
        dutyPpm: 0,
        notes: null,
        recordedBy: 'test',
        correction: 1,
        ...changes,
      }
      await client.send(new PutCommand(versionPut(control, version)))
    },

    /** Days as the close leaves them, by the tariffs recorded so far. */
    async close(days: readonly SeededDay[]): Promise<void> {
      const prices = pricer(await tariffs.priceBook(), ZONE)
      const classrooms = new Set(days.map(({ classroom }) => classroom))
      for (const classroom of classrooms) await rollups.addClassroom(classroom, 0)
      await inBunches(days, async ({ classroom, date, register, figures }) => {
        const day = localDay(date, ZONE)
        const scope = scopeOfPart(classroom, day, null)
        const nowMs = closeOfDayMs(day)
        const writing = { nowMs, pricer: prices, closedThrough: null, reason: 'late' }
        const { item } = nextItem(null, register, scope, { throughN: 1, figures }, writing)
        await rollups.put(item, nowMs)
      })
    },

    /** Makes the month items of a classroom, and says that all up to there are closed. */
    async closeMonth(classroom: string, month: string, nowMs: number): Promise<void> {
      const prices = pricer(await tariffs.priceBook(), ZONE)
      const how = { nowMs, pricer: prices, reason: 'late' }
      await refreshMonth(classroom, month, { rollups, siteTimeZone: ZONE }, how)
      await closings.moveMonth(month, nowMs)
    },

    /** Accepts a job, as the admin function does, and gives its id. */
    async order(order: Partial<Job> & { asOfMs: number }): Promise<string> {
      const job = newJob({
        id: jobId(order.asOfMs, Math.random().toString(16).slice(2)),
        classroom: null,
        fromDate: '2026-01-01',
        toDate: '2026-01-31',
        dryRun: false,
        createdAtMs: order.asOfMs,
        createdBy: 'test',
        ...order,
      })
      await client.send(new PutCommand(jobPut(control, job)))
      return job.id
    },

    /** What the worker's handler gives it; `goOn` is left to the test. */
    ports(nowMs: number, more: Partial<WorkPorts> = {}): WorkPorts {
      return {
        jobs,
        tariffs,
        rollups,
        closings,
        async restateMonth({ classroom, month, jobId: reason, pricer: prices }) {
          const how = { nowMs, pricer: prices, reason }
          await refreshMonth(classroom, month, { rollups, siteTimeZone: ZONE }, how)
        },
        goOn: async () => {
          throw new Error('this worker has all the time it needs')
        },
        timeLeftMs: () => Number.POSITIVE_INFINITY,
        siteTimeZone: ZONE,
        now: () => nowMs,
        ...more,
      }
    },
  }
}

export interface SeededDay {
  readonly classroom: string
  readonly date: string
  readonly register: string
  readonly figures: DayFigures
}

/** The same energy in every quarter of an hour of a day. */
export function evenDay(mwhPerBlock: number): DayFigures {
  const figures = emptyDay(96)
  figures.devices.get(null)?.energyMwh.fill(mwhPerBlock)
  figures.quality.measuredMwh = 96 * mwhPerBlock
  figures.quality.coverageS = 86_400
  return figures
}

/** Local dates of a month, from the first on. */
export const datesOfMonth = (month: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${month}-${String(n + 1).padStart(2, '0')}`)

/** What a bill needs of an item. */
export const inShort = ({
  classroom,
  date,
  register,
  state,
  revision,
  cost,
  restatedBy,
}: DayItem) => ({
  key: `${classroom} ${date} ${register}`,
  state,
  revision,
  micro: cost.byVersion.reduce((total, { costMicro }) => total + costMicro, 0),
  by: cost.byVersion.map(({ versionId }) => versionId).join(),
  restatedBy,
})

async function inBunches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += 32) {
    await Promise.all(items.slice(at, at + 32).map(work))
  }
}
