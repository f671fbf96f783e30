import { deflateRawSync, inflateRawSync } from 'node:zlib'
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { DayFigures, Quality, Series } from '../domain/rollup/figures.ts'
import { conditionFailed } from './dynamo.ts'

/** A register's local day in a classroom: what dashboards read. */
export interface DayItem {
  readonly classroom: string
  readonly date: string
  readonly register: string
  /** Entries up to this number are in the figures. */
  readonly throughN: number
  /** Counts the writes; a write replaces exactly the revision it has read. */
  readonly revision: number
  readonly state: 'provisional' | 'final' | 'restated'
  readonly figures: DayFigures
}

/** The name of the stored form of the series. */
const ENCODING = 'varint;deflate-raw'

const Stored = z.object({
  classroom: z.string(),
  period: z.string(),
  date: z.string(),
  register: z.string(),
  through_n: z.int(),
  revision: z.int(),
  state: z.literal(['provisional', 'final', 'restated']),
  readings: z.int(),
  blocks: z.int(),
  device_ids: z.array(z.string()),
  series: z.instanceof(Uint8Array<ArrayBufferLike>),
  encoding: z.literal(ENCODING),
  sequences: z.array(z.tuple([z.int(), z.int(), z.int(), z.int()])),
  measured_mwh: z.int(),
  apportioned_mwh: z.int(),
  estimated_mwh: z.int(),
  suspense_mwh: z.int(),
  coverage_s: z.int(),
  gaps: z.int(),
  resets: z.int(),
})

export const dayPeriod = (date: string, register: string) => `day#${date}#${register}`

export interface RollupStore {
  day(classroom: string, date: string, register: string): Promise<DayItem | null>
  /** The days of all registers in a classroom, from and to local dates, both included. */
  days(classroom: string, fromDate: string, toDate: string): Promise<DayItem[]>
  /** Writes the item as the revision after the one it was made from. @returns false when that is gone */
  put(item: DayItem, nowMs: number): Promise<boolean>
}

export function rollupStore(client: DynamoDBDocumentClient, table: string): RollupStore {
  return {
    async day(classroom, date, register) {
      const key = { classroom, period: dayPeriod(date, register) }
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: key, ConsistentRead: true }),
      )
      return Item === undefined ? null : fromItem(Item)
    },
    async days(classroom, fromDate, toDate) {
      const days: DayItem[] = []
      let start: Record<string, unknown> | undefined
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'classroom = :classroom AND period BETWEEN :from AND :to',
            ExpressionAttributeValues: {
              ':classroom': classroom,
              ':from': `day#${fromDate}#`,
              ':to': `day#${toDate}#\uffff`,
            },
            ConsistentRead: true,
            ExclusiveStartKey: start,
          }),
        )
        days.push(...(page.Items ?? []).map(fromItem))
        start = page.LastEvaluatedKey
      } while (start !== undefined)
      return days
    },
    async put(item, nowMs) {
      try {
        await client.send(
          new PutCommand({
            TableName: table,
            Item: { ...toItem(item), rolled_at_ms: nowMs },
            ...(item.revision === 1
              ? { ConditionExpression: 'attribute_not_exists(classroom)' }
              : {
                  ConditionExpression: 'revision = :previous',
                  ExpressionAttributeValues: { ':previous': item.revision - 1 },
                }),
          }),
        )
        return true
      } catch (error) {
        if (conditionFailed(error)) return false
        throw error
      }
    },
  }
}

export function toItem(item: DayItem): z.infer<typeof Stored> {
  const { figures } = item
  const deviceIds = [...figures.devices.keys()].filter((id) => id !== null).sort()
  const remainder = figures.devices.get(null) as Series
  const all = [remainder, ...deviceIds.map((id) => figures.devices.get(id) as Series)]
  const { quality } = figures
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
  }
}

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
  const quality: Quality = {
    measuredMwh: stored.measured_mwh,
    apportionedMwh: stored.apportioned_mwh,
    estimatedMwh: stored.estimated_mwh,
    suspenseMwh: stored.suspense_mwh,
    coverageS: stored.coverage_s,
    gaps: stored.gaps,
    resets: stored.resets,
  }
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
      quality,
      sequences: new Map(
        stored.sequences.map(([epoch, min, max, count]) => [epoch, { min, max, count }]),
      ),
      readings: stored.readings,
    },
  }
}

/**
 * Whole numbers as zigzag varints, seven bits a byte, then deflated: most blocks of a night are zero,
 * and a day of eight channels stays near one write unit.
 */
function packSeries(series: readonly number[][]): Uint8Array {
  const bytes: number[] = []
  for (const value of series.flat()) {
    let rest = value >= 0 ? 2 * value : -2 * value - 1
    while (rest >= 128) {
      bytes.push((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    bytes.push(rest)
  }
  return deflateRawSync(Buffer.from(bytes), { level: 9 })
}

function unpackSeries(packed: Uint8Array, length: number): number[][] {
  const values: number[] = []
  let value = 0
  let scale = 1
  for (const byte of inflateRawSync(packed, { maxOutputLength: 1024 * 1024 })) {
    value += (byte % 128) * scale
    scale *= 128
    if (byte < 128) {
      values.push(value % 2 === 0 ? value / 2 : -(value + 1) / 2)
      value = 0
      scale = 1
    }
  }
  const series: number[][] = []
  for (let i = 0; i < values.length; i += length) series.push(values.slice(i, i + length))
  return series
}
