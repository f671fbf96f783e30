import type { ControlStore } from '../adapters/control.ts'
import type { PauseStore } from '../adapters/pauses.ts'
import type { HealthAnswer } from '../contract/api/health.ts'

/** Rollups come every quarter of an hour; two missed in a row are a fault. */
const ROLLUP_OVERDUE_MS = 35 * 60_000
const HOUR_MS = 3_600_000

/** How the system is, from figures that are kept as things happen; nothing is scanned. */
export async function health(
  control: ControlStore,
  pauses: Pick<PauseStore, 'current'>,
  now: () => number,
): Promise<HealthAnswer> {
  const nowMs = now()
  const [counts, lastHour, rollup, pause] = await Promise.all([
    control.counts(),
    control.receivedSince(nowMs - HOUR_MS),
    control.lastRollup(),
    pauses.current(),
  ])
  const processed = counts.booked + counts.duplicates + counts.conflicts
  const overdue = rollup !== null && nowMs - rollup.at_ms > ROLLUP_OVERDUE_MS
  // The two streams are counted separately; the ledger's count may be the newer one for a moment.
  const unprocessed = Math.max(0, counts.received - processed)
  return {
    status: overdue || pause !== null ? 'degraded' : 'healthy',
    telemetry: {
      total_events: counts.received,
      unprocessed_events: unprocessed,
      events_last_hour: lastHour,
      online_devices: counts.online,
    },
    ledger: {
      events_processed: processed,
      entries_created: counts.entries,
      resets_detected: counts.resets,
      duplicates: counts.repeated + counts.duplicates,
      conflicts: counts.contradicted + counts.conflicts,
      errors: counts.errors,
      is_processing: unprocessed > 0 && pause === null,
      paused_since: pause === null ? null : new Date(pause.pausedAtMs).toISOString(),
    },
    aggregation: {
      last_run: rollup === null ? null : new Date(rollup.at_ms).toISOString(),
      last_run_id: rollup?.id ?? null,
    },
    timestamp: new Date(nowMs).toISOString(),
  }
}
