import { share } from '../amounts.ts'
import { BLOCK_MS } from '../calendar.ts'
import { blockTotals, type DayFigures, type Scope, sum } from '../rollup/figures.ts'
import type { PriceSegment } from './resolve.ts'
import type { TariffVersion } from './version.ts'

/**
 * What one register's day in a classroom costs. Rounded once, half even, for each tariff version, so
 * that every sum of costs is exact.
 */
export interface DayCost {
  /** In the order they came into force; a version in force is there even if nothing was used. */
  readonly byVersion: readonly VersionCost[]
  /** Energy used while no tariff was in force. It has no price, not the price zero. */
  readonly unpricedMwh: number
}

export interface VersionCost {
  readonly versionId: string
  readonly energyMwh: number
  readonly costMicro: number
}

const MILLION = 1_000_000n

/** Energy of a block that falls into one price segment. */
interface Piece {
  readonly block: number
  readonly segment: PriceSegment
  readonly energyMwh: number
}

/**
 * Prices a day by the time of use. Inside a block the power is taken as uniform over the part of the
 * block that the scope covers.
 *
 * @param blockEnergyMwh energy by block of the day, estimates included, suspense not
 */
export function priceDay(
  blockEnergyMwh: readonly number[],
  scope: Scope,
  segments: readonly PriceSegment[],
): DayCost {
  const byVersion = new Map<TariffVersion, { energyMwh: number; exact: bigint }>()
  for (const { version } of segments.filter((segment) => touches(scope, segment))) {
    if (version !== null && !byVersion.has(version))
      byVersion.set(version, { energyMwh: 0, exact: 0n })
  }
  let unpricedMwh = 0
  for (const { segment, energyMwh } of pieces(blockEnergyMwh, scope, segments)) {
    const known = segment.version && byVersion.get(segment.version)
    if (known) {
      known.energyMwh += energyMwh
      known.exact += BigInt(energyMwh) * BigInt(segment.priceMicroPerKwh)
    } else unpricedMwh += energyMwh
  }
  return {
    byVersion: [...byVersion].map(([version, { energyMwh, exact }]) => ({
      versionId: version.id,
      energyMwh,
      costMicro: Number(halfEven(exact * (MILLION + BigInt(version.dutyPpm)), MILLION * MILLION)),
    })),
    unpricedMwh,
  }
}

/** The day's cost in millionths, or null where it cannot be known: no tariff, or not for all of it. */
export function costMicro(cost: DayCost): number | null {
  if (cost.unpricedMwh !== 0 || cost.byVersion.length === 0) return null
  return sum(cost.byVersion.map((version) => version.costMicro))
}

/**
 * The same cost by block and by device. Each list adds up to what is priced of the day, exactly, by
 * cumulative rounding; it is a way to show the cost, never to make it.
 */
export function spreadCost(
  figures: DayFigures,
  scope: Scope,
  segments: readonly PriceSegment[],
  cost: DayCost,
): { blocks: number[]; devices: Map<string | null, number> } {
  const blocks = figures.onTimeS.map(() => 0)
  const ids = [...figures.devices.keys()].sort(nobodyLast)
  const devices = new Map<string | null, number>(ids.map((id) => [id, 0]))
  const ofDay = pieces(blockTotals(figures), scope, segments)
  const ofDevices = ids.map((id) =>
    pieces(figures.devices.get(id)?.energyMwh ?? [], scope, segments),
  )
  for (const { versionId, costMicro: amount } of cost.byVersion) {
    const own = (piece: Piece) => (piece.segment.version?.id === versionId ? weight(piece) : 0n)
    const parts = allocateBy(amount, someOf(ofDay.map(own), ofDay.map(energy)))
    ofDay.forEach(({ block }, at) => {
      blocks[block] = (blocks[block] ?? 0) + (parts[at] ?? 0)
    })
    const devicesBy = (of: (piece: Piece) => bigint) =>
      ofDevices.map((all) => all.reduce((total, piece) => total + of(piece), 0n))
    allocateBy(amount, someOf(devicesBy(own), devicesBy(energy))).forEach((part, at) => {
      const id = ids[at] as string | null
      devices.set(id, (devices.get(id) ?? 0) + part)
    })
  }
  return { blocks, devices }
}

const weight = ({ energyMwh, segment }: Piece) =>
  BigInt(energyMwh) * BigInt(segment.priceMicroPerKwh)
const energy = ({ energyMwh }: Piece) => BigInt(energyMwh)

/**
 * Weights to tell parts by; others where these are all nothing. Devices are cut one by one, so each may
 * round to nothing in a time in which the day did not; and a version that was being recorded while the
 * day was closed stands in the place of the one that the day was priced by.
 */
const someOf = (weights: readonly bigint[], otherwise: readonly bigint[]) =>
  weights.some((one) => one !== 0n) ? weights : otherwise

/** What no channel accounts for comes last, so that it takes the last rounding. */
function nobodyLast(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  return a < b ? -1 : 1
}

/** A block's part in one price segment, as a part of what the scope covers of the block. */
interface Cut {
  readonly segment: PriceSegment
  /** Covered milliseconds of the block before the part and up to its end, of `whole`. */
  readonly from: number
  readonly to: number
  readonly whole: number
}

/** Cuts by segments and scope: registers of a day share them, and so do their devices. */
const remembered = new WeakMap<readonly PriceSegment[], Map<string, readonly Cut[][]>>()

/** Every block's energy, cut where the price changes; the cuts of a block add up to it exactly. */
function pieces(
  blockEnergyMwh: readonly number[],
  scope: Scope,
  segments: readonly PriceSegment[],
): Piece[] {
  const cuts = cutsOf(scope, segments)
  const all: Piece[] = []
  blockEnergyMwh.forEach((energyMwh, block) => {
    if (energyMwh === 0) return
    for (const { segment, from, to, whole } of cuts[block] ?? []) {
      const part =
        from === 0 && to === whole
          ? energyMwh
          : share(energyMwh, to, whole) - share(energyMwh, from, whole)
      if (part !== 0) all.push({ block, segment, energyMwh: part })
    }
  })
  return all
}

function cutsOf(scope: Scope, segments: readonly PriceSegment[]): readonly Cut[][] {
  const { day, stretches } = scope
  const own = remembered.get(segments) ?? new Map<string, readonly Cut[][]>()
  remembered.set(segments, own)
  const key = [day.startMs, ...stretches.flatMap(({ fromMs, toMs }) => [fromMs, toMs])].join()
  const known = own.get(key)
  if (known !== undefined) return known
  const made = Array.from({ length: day.blocks }, (_, block) => {
    const fromMs = day.startMs + block * BLOCK_MS
    const toMs = Math.min(fromMs + BLOCK_MS, day.endMs)
    const whole = coveredMs(scope, fromMs, toMs)
    return segments.flatMap((segment): Cut[] => {
      const start = Math.max(segment.fromMs, fromMs)
      const end = Math.min(segment.toMs, toMs)
      if (start >= end) return []
      // A scope that covers none of a block can still hold a line of no length in it.
      if (whole === 0) return start === fromMs ? [{ segment, from: 0, to: 1, whole: 1 }] : []
      const from = coveredMs(scope, fromMs, start)
      return [{ segment, from, to: coveredMs(scope, fromMs, end), whole }]
    })
  })
  own.set(key, made)
  return made
}

/** How much of `[fromMs, toMs)` the scope covers. */
function coveredMs(scope: Scope, fromMs: number, toMs: number): number {
  return sum(
    scope.stretches.map((stretch) =>
      Math.max(0, Math.min(stretch.toMs, toMs) - Math.max(stretch.fromMs, fromMs)),
    ),
  )
}

const touches = (scope: Scope, { fromMs, toMs }: PriceSegment) =>
  scope.stretches.some((stretch) => stretch.fromMs < toMs && stretch.toMs > fromMs)

/** `amount × weight / total` for each weight, cumulatively rounded, so that the parts add up. */
function allocateBy(amount: number, weights: readonly bigint[]): number[] {
  const total = weights.reduce((all, one) => all + one, 0n)
  let soFar = 0n
  let given = 0n
  return weights.map((one, at) => {
    soFar += one
    // Without any weight there is nothing to tell the parts by: the last one takes what there is.
    const until =
      total === 0n
        ? BigInt(at === weights.length - 1 ? amount : 0)
        : (BigInt(amount) * soFar) / total
    const part = until - given
    given = until
    return Number(part)
  })
}

/** Rounds a quotient to the nearest whole number, a half to the even one. */
function halfEven(dividend: bigint, divisor: bigint): bigint {
  const negative = dividend < 0n
  const size = negative ? -dividend : dividend
  const floor: bigint = size / divisor
  const twice = 2n * (size % divisor)
  const up = twice > divisor || (twice === divisor && floor % 2n === 1n)
  const rounded = up ? floor + 1n : floor
  return negative ? -rounded : rounded
}

/** Costs of several days or registers together; versions keep the order they first come in. */
export function addCost(a: DayCost, b: DayCost): DayCost {
  const byVersion = new Map(a.byVersion.map((one) => [one.versionId, one]))
  for (const one of b.byVersion) {
    const known = byVersion.get(one.versionId)
    byVersion.set(one.versionId, {
      versionId: one.versionId,
      energyMwh: (known?.energyMwh ?? 0) + one.energyMwh,
      costMicro: (known?.costMicro ?? 0) + one.costMicro,
    })
  }
  return { byVersion: [...byVersion.values()], unpricedMwh: a.unpricedMwh + b.unpricedMwh }
}

export const NO_COST: DayCost = { byVersion: [], unpricedMwh: 0 }
