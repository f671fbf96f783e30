import type { LedgerAnswer, LedgerLine, LedgerReading } from '../contract/api/ledger.ts'
import type { Entry } from '../domain/journal.ts'
import type { Line } from '../domain/line.ts'
import type { PlacedReading } from '../domain/reading.ts'

/** True when a line or a reading of the entry lies in `[fromMs, toMs)`, at least in part. */
export function touches(entry: Entry, range: { fromMs: number; toMs: number }): boolean {
  const within = (ms: number) => ms >= range.fromMs && ms < range.toMs
  const overlaps = (line: Line) =>
    line.fromMs === line.toMs
      ? within(line.fromMs)
      : line.fromMs < range.toMs && line.toMs > range.fromMs
  return (
    entry.lines.some(overlaps) || [...entry.readings, ...entry.moved].some(({ tMs }) => within(tMs))
  )
}

/** An entry as operators see it: whole, so that its lines can be added up by hand. */
export function entryToApi(entry: Entry): LedgerAnswer['entries'][number] {
  return {
    n: entry.n,
    booked_at: iso(entry.bookedAtMs),
    reason: entry.reason,
    hash: entry.hash,
    prev_hash: entry.prevHash,
    lines: entry.lines.map(lineToApi),
    readings: entry.readings.map(readingToApi),
    moved: entry.moved.map(readingToApi),
  }
}

const iso = (ms: number) => new Date(ms).toISOString()
const energy = (mwh: number) => ({ delta_wh: mwh / 1_000, delta_mwh: mwh })

function lineToApi(line: Line): LedgerLine {
  const isReset = line.flags.includes('post_reset')
  return {
    from: iso(line.fromMs),
    to: iso(line.toMs),
    ...energy(line.energyMwh),
    is_reset_marker: isReset,
    reset_reason: !isReset ? null : line.flags.includes('inferred') ? 'restart' : 'counter_epoch',
    method: methodOf(line),
    quality: { confidence: line.confidence, flags: [...line.flags] },
    bounds: line.bounds && {
      min_wh: line.bounds[0] / 1_000,
      max_wh: line.bounds[1] / 1_000,
      min_mwh: line.bounds[0],
      max_mwh: line.bounds[1],
    },
    reversal: line.reverses,
    on_time_seconds: line.onTimeS,
    between: [...line.between],
    channels: line.channels.map((channel) => ({
      device_id: channel.deviceId,
      ...energy(channel.energyMwh),
      on_time_seconds: channel.onTimeS,
    })),
  }
}

function methodOf({ kind, flags }: Line): LedgerLine['method'] {
  if (kind !== 'estimate') return kind
  if (flags.includes('power')) return 'power_integration'
  return flags.includes('rated') ? 'rated_power' : 'estimate'
}

function readingToApi(reading: PlacedReading): LedgerReading {
  return {
    id: reading.id,
    counter_epoch: reading.epoch,
    sequence_no: reading.seq,
    at: iso(reading.tMs),
    measured_at: iso(reading.atMs),
    time_source: reading.timeSource,
    received_at: iso(reading.receivedAtMs),
    energy_wh_total: reading.energyMwh === null ? null : reading.energyMwh / 1_000,
    power_w: reading.powerMw === null ? null : reading.powerMw / 1_000,
    boot_id: reading.bootId,
    uptime_seconds: reading.uptimeS,
    replayed: reading.replayed,
  }
}
