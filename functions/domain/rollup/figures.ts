import { BLOCK_MS, type LocalDay } from '../calendar.ts'
import type { EntryDraft } from '../journal.ts'
import type { Line } from '../line.ts'
import { cut } from './cut.ts'

/** Energy and on-time by block of the day. */
export interface Series {
  readonly energyMwh: number[]
  readonly onTimeS: number[]
}

/** Sequence numbers seen of one counter epoch. */
export interface SequenceRange {
  min: number
  max: number
  count: number
}

/** How a day's energy is known. `measured + apportioned + estimated` is the day's total. */
export interface Quality {
  /** Counted inside single blocks. */
  measuredMwh: number
  /** Counted over more than a block: the sum is exact, its course is taken as uniform. */
  apportionedMwh: number
  estimatedMwh: number
  /** Seen but not credited; not part of the total. */
  suspenseMwh: number
  /** Time of the day that lines account for, in seconds. */
  coverageS: number
  gaps: number
  resets: number
}

/** What one register used on one local day in one classroom: the content of a day item. */
export interface DayFigures {
  /** The register as a whole: on-time by its own state; energy is the sum of `devices`. */
  readonly onTimeS: number[]
  /** By channel, and under null what no channel accounts for. */
  readonly devices: Map<string | null, Series>
  readonly quality: Quality
  /** By counter epoch. */
  readonly sequences: Map<number, SequenceRange>
  readings: number
}

/**
 * The time that one day item covers: a local day, as far as the node stood in the classroom. It is
 * several stretches when the node left and came back on that day.
 */
export interface Scope {
  readonly day: LocalDay
  readonly stretches: readonly Stretch[]
}

/** `[fromMs, toMs)` */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

export function emptyDay(blocks: number): DayFigures {
  return {
    onTimeS: zeros(blocks),
    devices: new Map([[null, emptySeries(blocks)]]),
    quality: {
      measuredMwh: 0,
      apportionedMwh: 0,
      estimatedMwh: 0,
      suspenseMwh: 0,
      coverageS: 0,
      gaps: 0,
      resets: 0,
    },
    sequences: new Map(),
    readings: 0,
  }
}

/** Adds what an entry says of the scope. The one fold behind rollups, fresh reads and `verify`. */
export function addEntry(
  figures: DayFigures,
  entry: Pick<EntryDraft, 'lines' | 'readings'>,
  scope: Scope,
): void {
  for (const line of entry.lines) {
    for (const stretch of scope.stretches) addLine(figures, line, scope.day, stretch)
  }
  for (const reading of entry.readings) {
    if (!scope.stretches.some((s) => reading.tMs >= s.fromMs && reading.tMs < s.toMs)) continue
    figures.readings += 1
    if (reading.epoch === null || reading.seq === null) continue
    const range = figures.sequences.get(reading.epoch)
    if (range === undefined) {
      figures.sequences.set(reading.epoch, { min: reading.seq, max: reading.seq, count: 1 })
    } else {
      range.min = Math.min(range.min, reading.seq)
      range.max = Math.max(range.max, reading.seq)
      range.count += 1
    }
  }
}

function addLine(figures: DayFigures, line: Line, day: LocalDay, stretch: Stretch): void {
  const whole = cut(line, stretch.fromMs, stretch.toMs)
  if (whole === null) return
  const { quality } = figures
  const sign = line.reverses ? -1 : 1
  if (line.kind === 'suspense') {
    quality.suspenseMwh += whole.energyMwh
    return
  }
  if (line.kind === 'estimate') quality.estimatedMwh += whole.energyMwh
  else if (line.toMs - line.fromMs > BLOCK_MS) quality.apportionedMwh += whole.energyMwh
  else quality.measuredMwh += whole.energyMwh
  quality.coverageS += whole.coverageS
  if (line.flags.includes('gap')) quality.gaps += sign
  if (line.flags.includes('post_reset') && endsIn(stretch, line)) quality.resets += sign
  addBlocks(figures, line, day, stretch)
}

/** A reset is counted once, where its line ends; one that ends at the very edge ends inside. */
function endsIn(stretch: Stretch, line: Line): boolean {
  if (line.fromMs === line.toMs) return true
  return line.toMs > stretch.fromMs && line.toMs <= stretch.toMs
}

function addBlocks(figures: DayFigures, line: Line, day: LocalDay, stretch: Stretch): void {
  const blockAt = (ms: number) => Math.floor((ms - day.startMs) / BLOCK_MS)
  const first = blockAt(Math.max(line.fromMs, stretch.fromMs))
  const lastInstant = Math.max(Math.min(line.toMs, stretch.toMs) - 1, line.fromMs)
  const last = Math.min(blockAt(lastInstant), day.blocks - 1)
  for (let block = first; block <= last; block++) {
    const fromMs = Math.max(day.startMs + block * BLOCK_MS, stretch.fromMs)
    const toMs = Math.min(day.startMs + (block + 1) * BLOCK_MS, stretch.toMs)
    const piece = cut(line, fromMs, toMs)
    if (piece === null) continue
    add(figures.onTimeS, block, piece.onTimeS)
    for (const device of piece.devices) {
      const series = seriesOf(figures, device.deviceId)
      add(series.energyMwh, block, device.energyMwh)
      add(series.onTimeS, block, device.onTimeS)
    }
  }
}

function seriesOf(figures: DayFigures, deviceId: string | null): Series {
  const known = figures.devices.get(deviceId)
  if (known !== undefined) return known
  const series = emptySeries(figures.onTimeS.length)
  figures.devices.set(deviceId, series)
  return series
}

/** The day's energy by block, all devices together. */
export function blockTotals(figures: DayFigures): number[] {
  const totals = zeros(figures.onTimeS.length)
  for (const series of figures.devices.values()) {
    series.energyMwh.forEach((mwh, block) => {
      add(totals, block, mwh)
    })
  }
  return totals
}

export const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

const zeros = (count: number) => new Array<number>(count).fill(0)
const emptySeries = (blocks: number): Series => ({
  energyMwh: zeros(blocks),
  onTimeS: zeros(blocks),
})

function add(values: number[], index: number, amount: number): void {
  values[index] = (values[index] ?? 0) + amount
}
