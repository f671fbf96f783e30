import * as z from 'zod'
import type { MonthItem } from '../domain/rollup/month.ts'
import { costFromItem, costToItem, StoredCost } from './day-codec.ts'

const Stored = z.object({
  classroom: z.string(),
  period: z.string(),
  month: z.string(),
  state: z.literal(['final', 'restated']),
  revision: z.int(),
  total_mwh: z.int(),
  on_s: z.int(),
  measured_mwh: z.int(),
  apportioned_mwh: z.int(),
  estimated_mwh: z.int(),
  suspense_mwh: z.int(),
  coverage_s: z.int(),
  gaps: z.int(),
  resets: z.int(),
  cost: StoredCost,
  unpriced_mwh: z.int(),
  days: z.object({ provisional: z.int(), final: z.int(), restated: z.int() }),
  /** Register, channel (null: what no channel accounts for), energy, on-time, cost. */
  devices: z.array(z.tuple([z.string(), z.string().nullable(), z.int(), z.int(), z.int()])),
  since_ms: z.int(),
  closed_at_ms: z.int(),
  restated_by: z.string().optional(),
})

export const monthPeriod = (month: string) => `month#${month}`
/** Where a month's former self is kept once another one stands in its place. */
export const formerMonthPeriod = (month: string, revision: number) =>
  `was#month#${month}#${String(revision).padStart(6, '0')}`

export function toItem(item: MonthItem): z.infer<typeof Stored> {
  const { figures } = item
  const { quality } = figures
  return {
    classroom: item.classroom,
    period: monthPeriod(item.month),
    month: item.month,
    state: item.state,
    revision: item.revision,
    total_mwh: figures.totalMwh,
    on_s: figures.onTimeS,
    measured_mwh: quality.measuredMwh,
    apportioned_mwh: quality.apportionedMwh,
    estimated_mwh: quality.estimatedMwh,
    suspense_mwh: quality.suspenseMwh,
    coverage_s: quality.coverageS,
    gaps: quality.gaps,
    resets: quality.resets,
    ...costToItem(figures.cost),
    days: figures.days,
    devices: figures.devices.map((device) => [
      device.register,
      device.deviceId,
      device.energyMwh,
      device.onTimeS,
      device.costMicro,
    ]),
    since_ms: item.sinceMs,
    closed_at_ms: item.closedAtMs,
    ...(item.restatedBy !== null && { restated_by: item.restatedBy }),
  }
}

export function fromItem(raw: unknown): MonthItem {
  const stored = Stored.parse(raw)
  return {
    classroom: stored.classroom,
    month: stored.month,
    state: stored.state,
    revision: stored.revision,
    figures: {
      totalMwh: stored.total_mwh,
      onTimeS: stored.on_s,
      quality: {
        measuredMwh: stored.measured_mwh,
        apportionedMwh: stored.apportioned_mwh,
        estimatedMwh: stored.estimated_mwh,
        suspenseMwh: stored.suspense_mwh,
        coverageS: stored.coverage_s,
        gaps: stored.gaps,
        resets: stored.resets,
      },
      cost: costFromItem(stored),
      days: {
        provisional: stored.days.provisional,
        final: stored.days.final,
        restated: stored.days.restated,
      },
      devices: stored.devices.map(([register, deviceId, energyMwh, onTimeS, costMicro]) => ({
        register,
        deviceId,
        energyMwh,
        onTimeS,
        costMicro,
      })),
    },
    sinceMs: stored.since_ms,
    closedAtMs: stored.closed_at_ms,
    restatedBy: stored.restated_by ?? null,
  }
}
