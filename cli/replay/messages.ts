import type { TelemetryMessage } from '../../functions/contract/wire.ts'
import type { SiteDay } from './day.ts'
import { readMeter } from './meter.ts'
import type { TraceRow } from './trace.ts'

/** The life of the counter of a replayed day: 2026-01-18 is 20260118. */
export function counterEpochOf(day: string): number {
  return Number(day.replaceAll('-', ''))
}

/**
 * The messages of one trace on one day, in order of time. They depend on nothing but the trace,
 * the day and the period, so that a second replay gives the same readings under the same names.
 */
export function* messagesOf(
  rows: readonly TraceRow[],
  day: SiteDay,
  node: string,
  periodS: number,
): Generator<TelemetryMessage> {
  const counter_epoch = counterEpochOf(day.day)
  let firstAtMs: number | undefined
  for (const reading of readMeter(rows, day, periodS)) {
    firstAtMs ??= reading.atMs
    yield {
      schema: 1,
      esp32_name: node,
      counter_epoch,
      boot_id: `replay-${day.day}`,
      sequence_no: (reading.atMs - day.startAtMs) / 1000 + 1,
      measured_at: reading.atMs,
      time_quality: 'ntp',
      uptime_seconds: (reading.atMs - firstAtMs) / 1000,
      energy_wh_total: reading.energyMwh / 1000,
      power_w: reading.powerMw / 1000,
      replayed: true,
    }
  }
}
