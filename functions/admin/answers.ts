import type { DayChange, Job } from '../adapters/jobs.ts'
import type { RecordedVersion } from '../adapters/tariffs.ts'
import type { CostVersionAnswer } from '../contract/api/cost-versions.ts'
import type { JobAnswer } from '../contract/api/recalculate.ts'
import { effectiveUntilMs } from '../domain/tariff/resolve.ts'

const MILLION = 1_000_000

const instant = (ms: number) => new Date(ms).toISOString()
const clock = (minute: number) =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':')

/** A tariff version among `all` that are recorded, which say when it ends. */
export function costVersionAnswer(
  version: RecordedVersion,
  all: readonly RecordedVersion[],
): CostVersionAnswer {
  const untilMs = effectiveUntilMs(version, all)
  return {
    id: version.id,
    cost_per_kwh: version.energyMicroPerKwh / MILLION,
    effective_from: instant(version.effectiveFromMs),
    effective_until: untilMs === null ? null : instant(untilMs),
    classroom: version.classroom,
    scope: version.classroom === null ? 'global' : 'classroom',
    notes: version.notes,
    bands: version.bands.map((band) => ({
      from: clock(band.fromMinute),
      to: clock(band.toMinute),
      cost_per_kwh: band.energyMicroPerKwh / MILLION,
    })),
    surcharge_per_kwh: version.surchargeMicroPerKwh / MILLION,
    duty_percent: version.dutyPpm / 10_000,
    created_by: version.recordedBy,
    created_at: instant(version.recordedAtMs),
  }
}

/** A job as `GET /jobs/{id}` answers it. */
export function jobAnswer(job: Job): JobAnswer {
  const { result } = job
  return {
    job_id: job.id,
    status: job.status,
    dry_run: job.dryRun,
    classroom: job.classroom,
    start: job.fromDate,
    end: job.toDate,
    as_of: instant(job.asOfMs),
    created_at: instant(job.createdAtMs),
    created_by: job.createdBy,
    finished_at: job.finishedAtMs === null ? null : instant(job.finishedAtMs),
    progress: { done: job.done, total: job.total },
    result: result && {
      days_changed: result.classroomDays,
      months_changed: result.months,
      open_items: result.openItems,
      energy_wh_difference: 0,
      ...difference(result),
      by_day: result.byDay.map((day) => ({ date: day.date, ...difference(day) })),
    },
    error: job.error,
  }
}

function difference(change: Omit<DayChange, 'date'>) {
  const differenceMicro = change.afterMicro - change.beforeMicro
  return {
    items_changed: change.items,
    cost_before: change.beforeMicro / MILLION,
    cost_after: change.afterMicro / MILLION,
    cost_difference: differenceMicro / MILLION,
    cost_difference_micro: differenceMicro,
    unpriced_before_wh: change.unpricedBeforeMwh / 1_000,
    unpriced_after_wh: change.unpricedAfterMwh / 1_000,
  }
}
