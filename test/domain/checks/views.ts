import { localDay } from '../../../functions/domain/calendar.ts'
import { DEFAULT_LIMITS } from '../../../functions/domain/checks/limits.ts'
import type { DayView, NodeView, RegisterView } from '../../../functions/domain/checks/view.ts'
import type { Line } from '../../../functions/domain/line.ts'
import type { PlacedReading } from '../../../functions/domain/reading.ts'
import { emptyDay } from '../../../functions/domain/rollup/figures.ts'
import { type Brief, reading } from '../readings.ts'

export const ZONE = 'Asia/Kolkata'
/** The local day in which the brief readings lie: 11:30 is their zero. */
export const DATE = '2026-01-15'
export const DAY = localDay(DATE, ZONE)
/** 02:00 on the day after. */
export const NOW_MS = Date.UTC(2026, 0, 15, 20, 30)

export function placed(brief: Brief & { boot?: string; replayed?: boolean }): PlacedReading {
  const made = reading(brief)
  return {
    ...made,
    tMs: made.atMs,
    bootId: brief.boot ?? null,
    replayed: brief.replayed ?? false,
  }
}

export function register(changes: Partial<RegisterView> = {}): RegisterView {
  return {
    register: 'esp32-a',
    chain: [],
    unbooked: [],
    unreadable: [],
    lineFaults: [],
    dayFaults: [],
    readings: [],
    lines: [],
    days: [],
    given: [],
    ...changes,
  }
}

export function node(changes: Partial<NodeView> = {}): NodeView {
  return {
    esp32Name: 'esp32-a',
    nowMs: NOW_MS,
    fromMs: NOW_MS - 7 * 86_400_000,
    zone: ZONE,
    createdAtMs: NOW_MS - 30 * 86_400_000,
    isAssigned: true,
    presence: { online: true, last_seen_ms: NOW_MS - 60_000 },
    hasTariffs: true,
    registers: [],
    limits: DEFAULT_LIMITS,
    ...changes,
  }
}

/** A node with one register. */
export const only = (changes: Partial<RegisterView>, more: Partial<NodeView> = {}): NodeView =>
  node({ registers: [register(changes)], ...more })

/** A day with some blocks of energy (Wh) and of on-time (s), by device. */
export function dayOf(
  devices: Record<string, { wh?: number[]; onS?: number[] }> = {},
  quality: Partial<DayView['figures']['quality']> = {},
  date = DATE,
): DayView {
  const day = localDay(date, ZONE)
  const figures = emptyDay(day.blocks)
  for (const [id, { wh = [], onS = [] }] of Object.entries(devices)) {
    const series = emptyDay(day.blocks).devices.get(null) as {
      energyMwh: number[]
      onTimeS: number[]
    }
    wh.forEach((value, block) => {
      series.energyMwh[block] = value * 1000
    })
    onS.forEach((value, block) => {
      series.onTimeS[block] = value
    })
    figures.devices.set(id === 'none' ? null : id, series)
  }
  Object.assign(figures.quality, quality)
  return { day, classroom: 'B2-101', figures, unpricedMwh: 0 }
}

export function line(changes: Partial<Line>): Line {
  return {
    kind: 'measured',
    fromMs: DAY.startMs,
    toMs: DAY.startMs + 60_000,
    energyMwh: 0,
    confidence: 'high',
    flags: [],
    between: ['a', 'b'],
    channels: [],
    onTimeS: 0,
    bounds: null,
    reverses: false,
    ...changes,
  }
}
