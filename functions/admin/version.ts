import type { Fault, Problem } from '../adapters/http.ts'
import type { RecordedVersion } from '../adapters/tariffs.ts'
import type { CostVersionBody } from '../contract/api/cost-versions.ts'
import { localDay } from '../domain/calendar.ts'
import { fromDecimal } from '../domain/tariff/decimal.ts'
import { type Band, orderedBands } from '../domain/tariff/version.ts'
import { invalidBody } from './body.ts'
import { classroomOf } from './scope.ts'

/** What a new version needs besides what the admin says. */
export interface Recording {
  readonly id: string
  readonly nowMs: number
  readonly recordedBy: string
  readonly siteTimeZone: string
  /** All that are recorded. */
  readonly versions: readonly RecordedVersion[]
}

/** Prices have six decimals, a duty of 6.25 % is 62,500 millionths: four. */
const PRICE_PLACES = 6
const PERCENT_PLACES = 4
const MAX_DUTY_PPM = 1_000_000
const EARLIEST_MS = Date.UTC(2000, 0, 1)
const LATEST_MS = Date.UTC(2200, 0, 1)

/** The version an admin asks for, or everything that is wrong with it. */
export function newVersion(
  body: CostVersionBody,
  recording: Recording,
): { version: RecordedVersion } | { problem: Problem } {
  const errors: Fault[] = []
  const decimal = (pointer: string, value: string | number, places: number) => {
    const read = fromDecimal(value, places)
    if ('amount' in read) return read.amount
    errors.push({ pointer, detail: read.reason })
    return 0
  }
  const energyMicroPerKwh = decimal('/cost_per_kwh', body.cost_per_kwh, PRICE_PLACES)
  const surchargeMicroPerKwh = decimal(
    '/surcharge_per_kwh',
    body.surcharge_per_kwh ?? 0,
    PRICE_PLACES,
  )
  const dutyPpm = decimal('/duty_percent', body.duty_percent ?? 0, PERCENT_PLACES)
  if (dutyPpm > MAX_DUTY_PPM) {
    errors.push({
      pointer: '/duty_percent',
      detail: `must be at most 100 (is ${body.duty_percent})`,
    })
  }
  const given = (body.bands ?? []).map((band, at) => ({
    fromMinute: minuteOf(band.from),
    toMinute: minuteOf(band.to),
    energyMicroPerKwh: decimal(`/bands/${at}/cost_per_kwh`, band.cost_per_kwh, PRICE_PLACES),
  }))
  const bands = bandsOf(given, errors)
  const effectiveFromMs = instantOf(body.effective_from, recording.siteTimeZone)
  if (!(effectiveFromMs >= EARLIEST_MS && effectiveFromMs < LATEST_MS)) {
    const detail = `must lie in the years 2000 to 2199 (is ${body.effective_from})`
    errors.push({ pointer: '/effective_from', detail })
  }
  if (errors.length > 0) return { problem: invalidBody(errors) }

  // A classroom named `all` would have a price that nothing is billed by.
  const classroom = classroomOf(body.classroom)
  const place = placeOf(body, classroom, effectiveFromMs, recording.versions)
  if ('problem' in place) return place
  const version = {
    id: recording.id,
    classroom,
    effectiveFromMs,
    recordedAtMs: recording.nowMs,
    energyMicroPerKwh,
    bands,
    surchargeMicroPerKwh,
    dutyPpm,
    notes: body.notes?.trim() || null,
    recordedBy: recording.recordedBy,
    correction: place.correction,
  }
  return { version }
}

function bandsOf(given: readonly Band[], errors: Fault[]): readonly Band[] {
  if (given.length === 0) return []
  const ordered = orderedBands(given)
  if ('bands' in ordered) return ordered.bands
  errors.push({ pointer: `/bands/${ordered.fault.index}`, detail: ordered.fault.reason })
  return []
}

/**
 * Two prices of one scope from one instant on contradict each other, so the second must say that it
 * corrects the first; the first stays recorded, and closed days keep it until they are recalculated.
 */
function placeOf(
  { corrects, effective_from }: CostVersionBody,
  classroom: string | null,
  effectiveFromMs: number,
  versions: readonly RecordedVersion[],
): { correction: number } | { problem: Problem } {
  const last = versions
    .filter((one) => one.classroom === classroom && one.effectiveFromMs === effectiveFromMs)
    .sort((a, b) => b.correction - a.correction)[0]
  const scope = classroom === null ? 'the whole site' : `classroom "${classroom}"`
  const conflict = (pointer: string, detail: string) => ({
    problem: invalidBody([{ pointer, detail }], 409),
  })
  if (last === undefined) {
    if (corrects === undefined) return { correction: 1 }
    return conflict(
      '/corrects',
      `no version of ${scope} begins at ${effective_from} to be corrected`,
    )
  }
  if (corrects === last.id) return { correction: last.correction + 1 }
  if (corrects === undefined) {
    const detail = `${scope} has version "${last.id}" from this very instant on; to correct that one, send "corrects": "${last.id}"`
    return conflict('/effective_from', detail)
  }
  return conflict(
    '/corrects',
    `must be "${last.id}", the one that holds from then on (is "${corrects}")`,
  )
}

function minuteOf(clock: string): number {
  const [hour, minute] = clock.split(':').map(Number) as [number, number]
  return 60 * hour + minute
}

function instantOf(text: string, siteTimeZone: string): number {
  return text.includes('T') ? Date.parse(text) : localDay(text, siteTimeZone).startMs
}
