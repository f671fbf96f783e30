import { type Reading, readingId } from '../../functions/domain/reading.ts'

/** 2026-01-15T06:00:00Z, 11:30 in Asia/Kolkata: the start of the shared vectors. */
export const START_MS = Date.UTC(2026, 0, 15, 6)

/** A reading as tests write it: seconds after the start, Wh, W. */
export interface Brief {
  t: number
  wh?: number | null
  w?: number | null
  epoch?: number | null
  seq?: number | null
  up?: number | null
  hash?: string
  receivedAtMs?: number
  channels?: Reading['channels']
  on?: boolean | null
}

export function reading(brief: Brief): Reading {
  const atMs = START_MS + brief.t * 1000
  const fields = {
    epoch: brief.epoch ?? null,
    seq: brief.seq ?? null,
    atMs,
    timeSource: 'measured' as const,
    receivedAtMs: brief.receivedAtMs ?? atMs + 500,
    energyMwh: brief.wh == null ? null : Math.round(brief.wh * 1000),
    powerMw: brief.w == null ? null : brief.w * 1000,
    on: brief.on ?? null,
    bootId: null,
    uptimeS: brief.up ?? null,
    channels: brief.channels ?? [],
    replayed: false,
    hash: brief.hash ?? `h${brief.t}:${brief.wh}`,
  }
  return { ...fields, id: readingId(fields) }
}
