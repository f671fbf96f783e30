import { DateTime } from 'luxon'
import { BLOCK_MS, type LocalDay } from '../calendar.ts'
import type { Band, TariffVersion } from './version.ts'

/** A stretch of time with one tariff, `[fromMs, toMs)`; null where nobody set a price. */
export interface TariffSegment {
  readonly fromMs: number
  readonly toMs: number
  readonly version: TariffVersion | null
}

/** A stretch with one price per kWh, energy and surcharge together, before duty. */
export interface PriceSegment extends TariffSegment {
  readonly priceMicroPerKwh: number
}

const MINUTE_MS = 60_000

/**
 * The version in force at an instant, of those given: a classroom's own before the site's, then the
 * one that begins last, then the one recorded last.
 */
export function tariffAt(
  versions: readonly TariffVersion[],
  classroom: string | null,
  atMs: number,
): TariffVersion | null {
  let best: TariffVersion | null = null
  for (const version of versions) {
    if (version.effectiveFromMs > atMs) continue
    if (version.classroom !== null && version.classroom !== classroom) continue
    if (best === null || precedes(version, best)) best = version
  }
  return best
}

function precedes(one: TariffVersion, other: TariffVersion): boolean {
  if ((one.classroom === null) !== (other.classroom === null)) return one.classroom !== null
  if (one.effectiveFromMs !== other.effectiveFromMs)
    return one.effectiveFromMs > other.effectiveFromMs
  if (one.recordedAtMs !== other.recordedAtMs) return one.recordedAtMs > other.recordedAtMs
  return one.id > other.id
}

/**
 * The versions in force in a classroom (null: in none of its own) over `[fromMs, toMs)`, one after
 * another without a gap, as far as they were recorded at `knownAtMs`.
 */
export function tariffSegments(
  versions: readonly TariffVersion[],
  classroom: string | null,
  fromMs: number,
  toMs: number,
  knownAtMs: number,
): TariffSegment[] {
  const known = versions.filter(
    (version) =>
      version.recordedAtMs <= knownAtMs &&
      (version.classroom === null || version.classroom === classroom),
  )
  const starts = known
    .map((version) => version.effectiveFromMs)
    .filter((ms) => ms > fromMs && ms < toMs)
  const segments: { fromMs: number; toMs: number; version: TariffVersion | null }[] = []
  for (const start of [fromMs, ...new Set(starts)].sort((a, b) => a - b)) {
    const version = tariffAt(known, classroom, start)
    const last = segments.at(-1)
    if (last !== undefined && last.version === version) continue
    if (last !== undefined) last.toMs = start
    segments.push({ fromMs: start, toMs, version })
  }
  return segments
}

/** The prices of a local day in a classroom: cut where the tariff changes and at the edges of bands. */
export function priceSegments(
  versions: readonly TariffVersion[],
  classroom: string | null,
  day: LocalDay,
  zone: string,
  knownAtMs: number,
): PriceSegment[] {
  const segments = tariffSegments(versions, classroom, day.startMs, day.endMs, knownAtMs)
  if (segments.every(({ version }) => version === null || version.bands.length === 0)) {
    return segments.map((segment) => priced(segment, segment.version?.energyMicroPerKwh ?? 0))
  }
  const clocks = wallClocks(day, zone)
  return segments.flatMap((segment) => byBand(segment, clocks))
}

function byBand(segment: TariffSegment, clocks: readonly WallClock[]): PriceSegment[] {
  const { version } = segment
  if (version === null || version.bands.length === 0) {
    return [priced(segment, version?.energyMicroPerKwh ?? 0)]
  }
  return clocks.flatMap(({ fromMs, toMs, midnightMs }) =>
    version.bands.flatMap((band: Band) => {
      const start = Math.max(segment.fromMs, fromMs, midnightMs + band.fromMinute * MINUTE_MS)
      const end = Math.min(segment.toMs, toMs, midnightMs + band.toMinute * MINUTE_MS)
      if (start >= end) return []
      return [priced({ fromMs: start, toMs: end, version }, band.energyMicroPerKwh)]
    }),
  )
}

function priced(segment: TariffSegment, energyMicroPerKwh: number): PriceSegment {
  const surcharge = segment.version?.surchargeMicroPerKwh ?? 0
  return { ...segment, priceMicroPerKwh: energyMicroPerKwh + surcharge }
}

/** A stretch of a day in which the wall clock runs evenly, and the instant it would call midnight. */
interface WallClock {
  readonly fromMs: number
  readonly toMs: number
  readonly midnightMs: number
}

/**
 * Where clocks are put back, an hour of the wall clock comes twice and its band with it; where they
 * are put forward, it never comes. Zones change their offset on quarters of an hour.
 */
function wallClocks(day: LocalDay, zone: string): WallClock[] {
  const nominalMs = DateTime.fromISO(day.date, { zone: 'utc' }).toMillis()
  const midnightAt = (ms: number) =>
    nominalMs - DateTime.fromMillis(ms, { zone }).offset * MINUTE_MS
  const clocks: { fromMs: number; toMs: number; midnightMs: number }[] = []
  // Nearly every day has one offset, and to ask for it a hundred times takes longer than all else.
  if (midnightAt(day.startMs) === midnightAt(day.endMs - 1)) {
    return [{ fromMs: day.startMs, toMs: day.endMs, midnightMs: midnightAt(day.startMs) }]
  }
  for (let ms = day.startMs; ms < day.endMs; ms += BLOCK_MS) {
    const midnightMs = midnightAt(ms)
    const last = clocks.at(-1)
    if (last?.midnightMs === midnightMs) continue
    if (last !== undefined) last.toMs = ms
    clocks.push({ fromMs: ms, toMs: day.endMs, midnightMs })
  }
  return clocks
}

/**
 * The instant a version stops to hold, of all that is recorded: where the next of its scope begins.
 * One that begins at the same instant and was recorded later leaves it no time at all. null: open.
 */
export function effectiveUntilMs(
  version: TariffVersion,
  versions: readonly TariffVersion[],
): number | null {
  const ends = versions
    .filter((other) => other.classroom === version.classroom && other.id !== version.id)
    .filter((other) => other.effectiveFromMs >= version.effectiveFromMs && precedes(other, version))
    .map((other) => other.effectiveFromMs)
  return ends.length === 0 ? null : Math.min(...ends)
}
