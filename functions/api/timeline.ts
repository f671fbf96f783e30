import type { Problem } from '../adapters/http.ts'
import {
  type Bucket as BucketName,
  type timeline as contract,
  MAX_CAMPUS_TIMELINE_DAYS,
  MAX_TIMELINE_DAYS,
} from '../contract/api/figures.ts'
import { dayAt, type LocalDay, localDay } from '../domain/calendar.ts'
import { type Bucket, bucketsOf, edges, wholeDay } from './buckets.ts'
import { type Endpoint, invalidQuery } from './endpoint.ts'
import { energyToApi, sumKnown, units } from './figures.ts'
import { daysAt, type Found, totalsAt } from './place.ts'

const BLOCKS_OF: Readonly<Record<BucketName, number | null>> = {
  '15': 1,
  '30': 2,
  '60': 4,
  day: null,
}

/** `GET /timeline`: a range in buckets, without gaps, from the days' figures. */
export const timeline: Endpoint<typeof contract> = async (query, context) => {
  const { ports } = context
  const zone = ports.siteTimeZone
  const blocks = BLOCKS_OF[query.bucket]
  const startMs = instantOf(query.start, zone)
  const endMs = instantOf(query.end, zone)
  if (startMs >= endMs) {
    return invalidQuery('end', `must be after start (${query.start}), got "${query.end}"`)
  }
  const most = (query.classroom === undefined ? MAX_CAMPUS_TIMELINE_DAYS : MAX_TIMELINE_DAYS)[
    query.bucket
  ]
  const days = daysOf(startMs, endMs, zone, most)
  if (days === null) {
    const whose = query.classroom === undefined ? ' of the campus' : ''
    const limit = `at most ${most} local days${whose} in buckets of ${query.bucket}`
    return invalidQuery('end', `must take in ${limit}, from ${query.start}; got "${query.end}"`)
  }
  const grid = days.flatMap((day) => edges(day, blocks))
  for (const [parameter, ms] of [
    ['start', startMs],
    ['end', endMs],
  ] as const) {
    if (grid.some(([from, to]) => ms === (parameter === 'start' ? from : to))) continue
    const [near] = grid.findLast(([from]) => from <= ms) ?? [days[0]?.startMs ?? ms]
    const hint = `such as ${new Date(near).toISOString()}`
    const detail = `must lie where a bucket of ${query.bucket} begins, ${hint}`
    return invalidQuery(parameter, `${detail}; got "${query[parameter]}"`)
  }
  const first = days[0] as LocalDay
  const last = days.at(-1) as LocalDay
  const read = blocks === null ? wholeDays : inBuckets(blocks)
  const found = await read(days, query, first.date, last.date, context)
  if ('problem' in found) return found
  const buckets = found.days.filter(({ fromMs, toMs }) => fromMs >= startMs && toMs <= endMs)
  const micro = sumKnown(buckets.map(({ costMicro }) => costMicro))
  return {
    answer: {
      classroom: query.classroom ?? null,
      start: iso(startMs),
      end: iso(endMs),
      bucket: query.bucket,
      bucket_minutes: blocks === null ? null : blocks * 15,
      data_points: buckets.length,
      timeline: buckets.map((bucket) => ({
        timestamp: iso(bucket.fromMs),
        ...energyToApi(bucket.energyMwh),
        total_cost: units(bucket.costMicro),
        total_cost_micro: bucket.costMicro,
        device_count: bucket.devices,
      })),
      ...energyToApi(buckets.reduce((mwh, bucket) => mwh + bucket.energyMwh, 0)),
      total_cost: units(micro),
      total_cost_micro: micro,
      currency: ports.currency,
      time_zone: zone,
      ...found.moment,
    },
  }
}

type Read = (
  days: readonly LocalDay[],
  ...question: Parameters<typeof totalsAt>
) => Promise<Found<Bucket> | { problem: Problem }>

/** Days need no blocks, which are most of an item. */
const wholeDays: Read = async (days, ...question) => {
  const found = await totalsAt(...question)
  if ('problem' in found) return found
  const byDate = Map.groupBy(found.days, ({ date }) => date)
  return { ...found, days: days.map((day) => wholeDay(day, byDate.get(day.date) ?? [])) }
}

const inBuckets =
  (blocks: number): Read =>
  async (days, ...question) => {
    const found = await daysAt(...question)
    if ('problem' in found) return found
    const byDate = Map.groupBy(found.days, ({ date }) => date)
    const buckets = days.flatMap((day) => bucketsOf(day, blocks, byDate.get(day.date) ?? []))
    return { ...found, days: buckets }
  }

const iso = (ms: number) => new Date(ms).toISOString()

export function instantOf(text: string, zone: string): number {
  return text.length === 'YYYY-MM-DD'.length ? localDay(text, zone).startMs : Date.parse(text)
}

/** The local days that a range touches; null when they are more than `most`. */
export function daysOf(
  startMs: number,
  endMs: number,
  zone: string,
  most: number,
): LocalDay[] | null {
  const days: LocalDay[] = []
  for (let day = dayAt(startMs, zone); ; day = dayAt(day.endMs, zone)) {
    days.push(day)
    if (days.length > most) return null
    if (day.endMs >= endMs) return days
  }
}
