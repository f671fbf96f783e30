import * as z from 'zod'
import type { DayItem } from '../domain/rollup/day.ts'
import type { Quality, Series } from '../domain/rollup/figures.ts'
import { type DayTotals, sumOfDevices, totalsOf } from '../domain/rollup/totals.ts'
import type { DayCost } from '../domain/tariff/price.ts'
import { ENCODING, packSeries, unpackSeries } from './series.ts'

/** Version, energy, cost; in the order of use. */
export const StoredCost = z.array(z.tuple([z.string(), z.int(), z.int()]))

/** All but the blocks. Lists of devices begin with what no channel accounts for. */
const StoredTotals = z.object({
  classroom: z.string(),
  date: z.string(),
  register: z.string(),
  revision: z.int(),
  state: z.literal(['provisional', 'final', 'restated']),
  device_ids: z.array(z.string()),
  device_mwh: z.array(z.int()),
  device_on_s: z.array(z.int()),
  on_s: z.int(),
  evidence: z.int(),
  measured_mwh: z.int(),
  apportioned_mwh: z.int(),
  estimated_mwh: z.int(),
  suspense_mwh: z.int(),
  coverage_s: z.int(),
  gaps: z.int(),
  resets: z.int(),
  /** `[from, to)`; left out when the item covers the whole day. */
  part: z.array(z.tuple([z.int(), z.int()])).optional(),
  total_mwh: z.int(),
  cost: StoredCost,
  unpriced_mwh: z.int(),
})

const Stored = StoredTotals.extend({
  period: z.string(),
  through_n: z.int(),
  readings: z.int(),
  blocks: z.int(),
  series: z.instanceof(Uint8Array<ArrayBufferLike>),
  encoding: z.literal(ENCODING),
  sequences: z.array(z.tuple([z.int(), z.int(), z.int(), z.int()])),
  horizon_ms: z.int(),
  since_ms: z.int(),
  closed_at_ms: z.int().optional(),
  restated_by: z.string().optional(),
})

/** What a query for totals asks for. */
export const TOTALS_ATTRIBUTES = Object.keys(StoredTotals.shape)

export const dayPeriod = (date: string, register: string) => `day#${date}#${register}`
/** Where the item that was revision `revision` is kept once another one stands in its place. */
export const formerDayPeriod = (date: string, register: string, revision: number) =>
  `was#${date}#${register}#${String(revision).padStart(6, '0')}`

export function toItem(item: DayItem): z.infer<typeof Stored> {
  const { figures } = item
  const deviceIds = [...figures.devices.keys()].filter((id) => id !== null).sort()
  const remainder = figures.devices.get(null) as Series
  const all = [remainder, ...deviceIds.map((id) => figures.devices.get(id) as Series)]
  const { quality } = figures
  const totals = totalsOf(figures)
  const inOrder = [null, ...deviceIds].map((id) => totals.devices.get(id))
  return {
    classroom: item.classroom,
    period: dayPeriod(item.date, item.register),
    date: item.date,
    register: item.register,
    through_n: item.throughN,
    revision: item.revision,
    state: item.state,
    readings: figures.readings,
    blocks: figures.onTimeS.length,
    device_ids: deviceIds,
    device_mwh: inOrder.map((device) => device?.energyMwh ?? 0),
    device_on_s: inOrder.map((device) => device?.onTimeS ?? 0),
    on_s: figures.onTimeS.reduce((all, seconds) => all + seconds, 0),
    evidence: totals.evidence,
    series: packSeries([figures.onTimeS, ...all.flatMap((s) => [s.energyMwh, s.onTimeS])]),
    encoding: ENCODING,
    sequences: [...figures.sequences].map(([epoch, { min, max, count }]) => [
      epoch,
      min,
      max,
      count,
    ]),
    measured_mwh: quality.measuredMwh,
    apportioned_mwh: quality.apportionedMwh,
    estimated_mwh: quality.estimatedMwh,
    suspense_mwh: quality.suspenseMwh,
    coverage_s: quality.coverageS,
    gaps: quality.gaps,
    resets: quality.resets,
    ...(item.part !== null && { part: item.part.map(({ fromMs, toMs }) => [fromMs, toMs]) }),
    total_mwh: totals.totalMwh,
    ...costToItem(item.cost),
    horizon_ms: item.horizonMs,
    since_ms: item.sinceMs,
    ...(item.closedAtMs !== null && { closed_at_ms: item.closedAtMs }),
    ...(item.restatedBy !== null && { restated_by: item.restatedBy }),
  }
}

export const costToItem = (cost: DayCost) => ({
  cost: cost.byVersion.map(
    ({ versionId, energyMwh, costMicro }) =>
      [versionId, energyMwh, costMicro] as [string, number, number],
  ),
  unpriced_mwh: cost.unpricedMwh,
})

export const costFromItem = (stored: {
  cost: z.infer<typeof StoredCost>
  unpriced_mwh: number
}): DayCost => ({
  byVersion: stored.cost.map(([versionId, energyMwh, costMicro]) => ({
    versionId,
    energyMwh,
    costMicro,
  })),
  unpricedMwh: stored.unpriced_mwh,
})

export function fromItem(raw: unknown): DayItem {
  const stored = Stored.parse(raw)
  const [onTimeS, ...rest] = unpackSeries(stored.series, stored.blocks)
  const devices = new Map<string | null, Series>()
  ;[null, ...stored.device_ids].forEach((deviceId, index) => {
    const energyMwh = rest[2 * index]
    const deviceOnTimeS = rest[2 * index + 1]
    if (energyMwh === undefined || deviceOnTimeS === undefined) {
      throw new Error(`day item ${stored.classroom} ${stored.period} has no series for ${deviceId}`)
    }
    devices.set(deviceId, { energyMwh, onTimeS: deviceOnTimeS })
  })
  return {
    classroom: stored.classroom,
    date: stored.date,
    register: stored.register,
    throughN: stored.through_n,
    revision: stored.revision,
    state: stored.state,
    figures: {
      onTimeS: onTimeS ?? [],
      devices,
      quality: qualityOf(stored),
      sequences: new Map(
        stored.sequences.map(([epoch, min, max, count]) => [epoch, { min, max, count }]),
      ),
      readings: stored.readings,
    },
    part: stored.part?.map(([fromMs, toMs]) => ({ fromMs, toMs })) ?? null,
    cost: costFromItem(stored),
    horizonMs: stored.horizon_ms,
    sinceMs: stored.since_ms,
    closedAtMs: stored.closed_at_ms ?? null,
    restatedBy: stored.restated_by ?? null,
  }
}

/** @returns null for an item of a day on which the node turned out not to stand in the classroom */
export function totalsFromItem(raw: unknown): DayTotals | null {
  const stored = StoredTotals.parse(raw)
  if (stored.part?.length === 0) return null
  const devices = new Map(
    [null, ...stored.device_ids].map((id, at) => [
      id,
      { energyMwh: stored.device_mwh[at] ?? 0, onTimeS: stored.device_on_s[at] ?? 0 },
    ]),
  )
  return {
    classroom: stored.classroom,
    date: stored.date,
    register: stored.register,
    state: stored.state,
    revision: stored.revision,
    ...sumOfDevices(devices, stored.on_s),
    devices,
    quality: qualityOf(stored),
    cost: costFromItem(stored),
    evidence: stored.evidence,
  }
}

const qualityOf = (stored: z.infer<typeof StoredTotals>): Quality => ({
  measuredMwh: stored.measured_mwh,
  apportionedMwh: stored.apportioned_mwh,
  estimatedMwh: stored.estimated_mwh,
  suspenseMwh: stored.suspense_mwh,
  coverageS: stored.coverage_s,
  gaps: stored.gaps,
  resets: stored.resets,
})
