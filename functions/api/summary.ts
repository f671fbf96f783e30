import type { summary as contract } from '../contract/api/figures.ts'
import { dateAt, localDay } from '../domain/calendar.ts'
import { blockTotals } from '../domain/rollup/figures.ts'
import { devicesToApi } from './devices.ts'
import type { Endpoint } from './endpoint.ts'
import { classroomParts, qualityOf, qualityToApi, stateOf, totalsToApi } from './figures.ts'
import { daysAt } from './place.ts'

/** `GET /summary`: a day's total, and the devices or classrooms that make it up. */
export const summary: Endpoint<typeof contract> = async (query, context) => {
  const { ports } = context
  const date = query.date ?? dateAt(ports.now(), ports.siteTimeZone)
  const found = await daysAt(query, date, date, context)
  if ('problem' in found) return found
  const { days } = found
  const quality = qualityOf(days)
  const { blocks } = localDay(date, ports.siteTimeZone)
  const blocksMwh = new Array<number>(blocks).fill(0)
  for (const { figures } of days) {
    blockTotals(figures).forEach((mwh, block) => {
      blocksMwh[block] = (blocksMwh[block] ?? 0) + mwh
    })
  }
  const isCampus = query.classroom === undefined
  return {
    answer: {
      classroom: query.classroom ?? null,
      date,
      ...totalsToApi(days),
      currency: ports.currency,
      suspense_wh: quality.suspenseMwh / 1_000,
      state: stateOf(days),
      devices: isCampus ? [] : devicesToApi(days),
      classrooms: isCampus ? classroomParts(days) : [],
      quality: qualityToApi(quality),
      time_zone: ports.siteTimeZone,
      block_minutes: 15,
      blocks_mwh: blocksMwh,
      ...found.moment,
    },
  }
}
