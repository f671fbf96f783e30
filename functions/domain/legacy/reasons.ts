import { BLOCK_MS, type LocalDay } from '../calendar.ts'
import type { Quality } from '../rollup/figures.ts'
import { sum } from '../rollup/figures.ts'
import type { LegacyRecord } from './record.ts'

/** What this system says of a classroom's day. */
export interface OwnDay {
  readonly energyMwh: number
  /** By block of a quarter of an hour. */
  readonly blocksMwh: readonly number[]
  /** Of the day after; empty where there is none. */
  readonly nextBlocksMwh: readonly number[]
  readonly quality: Quality
  readonly registers: number
}

/** A classroom's day by both systems. */
export interface ComparedDay {
  readonly classroom: string
  readonly day: LocalDay
  readonly former: readonly LegacyRecord[]
  /** Null when no register counted there that day. */
  readonly own: OwnDay | null
  /** The first local date on which one did; null when none ever has. */
  readonly firstDate: string | null
}

/** Why the two may differ. `mwh` is what it adds to new less old, where that can be told. */
export interface Reason {
  readonly kind: ReasonKind
  readonly mwh: number | null
  readonly text: string
}

export type ReasonKind =
  | 'agrees'
  | 'duplicate_records'
  | 'ended_early'
  | 'estimated_share'
  | 'midnight_entries'
  | 'no_record'
  | 'not_here_yet'
  | 'nothing_counted'
  | 'partly_seen'
  | 'rated_power'
  | 'resets'
  | 'suspense'
  | 'unexplained'
  | 'utc_day'
  | 'whole_wh'

/** A block whose power stays below 720 W: the former sketch cast each 5 s of it to 0 Wh. */
const CAST_MWH = 180_000
/** Two totals closer than a hundredth say the same. */
const AGREE_PERCENT = 1
/** The former figures know no more than tenths of a Wh. */
const AGREE_MWH = 100

export const formerMwh = ({ former }: Pick<ComparedDay, 'former'>) =>
  sum(former.map(({ energyMwh }) => energyMwh))

/**
 * Why new and old may differ on a day, by what the data of both shows; what explains most comes first, then
 * what cannot be counted. Each rule is a fault that the former system is known to have.
 */
export function likelyReasons(compared: ComparedDay): Reason[] {
  const { former, own } = compared
  if (own === null) return absent(compared)
  if (former.length === 0) {
    const text = 'the former system has no record of this day'
    return [{ kind: 'no_record', mwh: own.energyMwh, text }]
  }
  const difference = own.energyMwh - formerMwh(compared)
  const larger = Math.max(own.energyMwh, formerMwh(compared))
  const isClose = Math.abs(difference) * 100 <= larger * AGREE_PERCENT
  if (isClose || Math.abs(difference) <= AGREE_MWH) {
    return [{ kind: 'agrees', mwh: null, text: `they agree within ${AGREE_PERCENT} %` }]
  }
  const found = [
    ...duplicates(compared),
    ...utcDay(compared, own, difference),
    ...(difference > 0 ? missedBefore(compared, own) : missedNow(compared, own)),
    ...rated(compared),
  ]
  if (found.length === 0) return [{ kind: 'unexplained', mwh: null, text: 'no known fault' }]
  const distance = ({ mwh }: Reason) =>
    mwh === null ? Number.MAX_SAFE_INTEGER : Math.abs(difference - mwh)
  return found.sort((a, b) => distance(a) - distance(b))
}

function absent(compared: ComparedDay): Reason[] {
  const { day, firstDate } = compared
  const mwh = -formerMwh(compared)
  if (firstDate !== null && firstDate <= day.date) {
    return [{ kind: 'nothing_counted', mwh, text: 'no node of this system counted that day' }]
  }
  const since = firstDate === null ? '' : ` (the first day is ${firstDate})`
  return [{ kind: 'not_here_yet', mwh, text: `no node of this system was there yet${since}` }]
}

/** Several records of one device and day: all but the largest are counted once too often. */
function duplicates({ former }: ComparedDay): Reason[] {
  return [...Map.groupBy(former, ({ deviceId }) => deviceId).values()]
    .filter((records) => records.length > 1)
    .map((records): Reason => {
      const all = records.map(({ energyMwh }) => energyMwh)
      const name = records[0]?.deviceName ?? ''
      const text = `${records.length} records of "${name}" for one day`
      return { kind: 'duplicate_records', mwh: Math.max(...all) - sum(all), text }
    })
}

/** The former figure fits the day of UTC better than that of the site. */
function utcDay({ day, former }: ComparedDay, own: OwnDay, difference: number): Reason[] {
  const laterMs = Date.parse(`${day.date}T00:00:00Z`) - day.startMs
  if (laterMs <= 0 || laterMs % BLOCK_MS !== 0 || own.nextBlocksMwh.length === 0) return []
  const blocks = Math.floor(laterMs / BLOCK_MS)
  const utcMwh = sum(own.blocksMwh.slice(blocks)) + sum(own.nextBlocksMwh.slice(0, blocks))
  const oldMwh = formerMwh({ former })
  if (Math.abs(utcMwh - oldMwh) * 2 >= Math.abs(difference)) return []
  const text = 'the former day was cut in UTC'
  return [{ kind: 'utc_day', mwh: own.energyMwh - utcMwh, text }]
}

/** What the former system did not count. */
function missedBefore({ day, former }: ComparedDay, own: OwnDay): Reason[] {
  const reasons: Reason[] = []
  const add = (kind: ReasonKind, mwh: number | null, text: string) => {
    if (mwh !== 0) reasons.push({ kind, mwh, text })
  }
  const isRated = former.every((record) => record.isRated)
  if (!isRated && former.every(({ energyMwh }) => energyMwh % 1_000 === 0)) {
    const small = sum(own.blocksMwh.filter((mwh) => mwh < CAST_MWH))
    add('whole_wh', small, 'below 720 W the former sketch cast every 5 s to 0 Wh')
  }
  const lastMs = Math.max(...former.map(({ updatedAtMs }) => updatedAtMs))
  if (lastMs < day.endMs) {
    const from = Math.max(0, Math.ceil((lastMs - day.startMs) / BLOCK_MS))
    const at = new Date(lastMs).toISOString()
    add('ended_early', sum(own.blocksMwh.slice(from)), `the former record ends at ${at}`)
  }
  const edges = (own.blocksMwh[0] ?? 0) + (own.blocksMwh.at(-1) ?? 0)
  add('midnight_entries', edges, 'entries over midnight were in no day')
  const { estimatedMwh, resets } = own.quality
  add('estimated_share', estimatedMwh, 'a part of the new figure is estimated')
  if (resets > 0 && !isRated) {
    add('resets', null, `energy behind ${resets} counter resets was lost before`)
  }
  return reasons
}

/** What this system did not count, or not yet. */
function missedNow({ day }: ComparedDay, { quality, registers }: OwnDay): Reason[] {
  const reasons: Reason[] = []
  if (quality.suspenseMwh > 0) {
    const text = 'energy stands in suspense'
    reasons.push({ kind: 'suspense', mwh: -quality.suspenseMwh, text })
  }
  const wholeS = Math.floor((day.endMs - day.startMs) / 1_000) * registers
  if (quality.coverageS * 20 < wholeS * 19) {
    const [seen, whole] = [quality.coverageS, wholeS].map((s) => Math.round(s / 3_600))
    const text = `the nodes accounted for ${seen} of ${whole} hours`
    reasons.push({ kind: 'partly_seen', mwh: null, text })
  }
  return reasons
}

function rated({ former }: ComparedDay): Reason[] {
  if (!former.some(({ isRated }) => isRated)) return []
  const text = 'the former figure is time switched on by rated power, not a counter'
  return [{ kind: 'rated_power', mwh: null, text }]
}
