import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { Repricing } from '../domain/tariff/horizon.ts'
import type { TariffVersion } from '../domain/tariff/version.ts'
import { conditionFailed } from './dynamo.ts'

/** A tariff version with what people want to know of it besides its prices. */
export interface RecordedVersion extends TariffVersion {
  readonly notes: string | null
  /** Who recorded it. */
  readonly recordedBy: string
  /** Counts the versions of one scope that begin at one instant, from 1; the last one holds. */
  readonly correction: number
}

/** All that prices depend on: read it once a request or run. */
export interface PriceBook {
  /** Ordered by effective instant. */
  readonly versions: readonly RecordedVersion[]
  readonly repricings: readonly Repricing[]
}

export interface TariffStore {
  priceBook(): Promise<PriceBook>
  /** Records that a recalculation is applied; repeating it changes nothing. */
  putRepricing(repricing: Repricing): Promise<void>
}

const StoredVersion = z.object({
  version_id: z.string(),
  classroom: z.string().nullable(),
  effective_from_ms: z.int(),
  recorded_at_ms: z.int(),
  energy_micro_per_kwh: z.int(),
  bands: z.array(
    z.object({ from_minute: z.int(), to_minute: z.int(), energy_micro_per_kwh: z.int() }),
  ),
  surcharge_micro_per_kwh: z.int(),
  duty_ppm: z.int(),
  notes: z.string().nullable(),
  recorded_by: z.string(),
  correction: z.int(),
})

const StoredRepricing = z.object({
  job_id: z.string(),
  classroom: z.string().nullable(),
  from_date: z.string(),
  to_date: z.string(),
  as_of_ms: z.int(),
})

const instant = (ms: number) => new Date(ms).toISOString()

export function tariffStore(client: DynamoDBDocumentClient, table: string): TariffStore {
  const all = async (kind: string) => {
    const items: Record<string, unknown>[] = []
    let start: Record<string, unknown> | undefined
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'kind = :kind',
          ExpressionAttributeValues: { ':kind': kind },
          ConsistentRead: true,
          ExclusiveStartKey: start,
        }),
      )
      items.push(...(page.Items ?? []))
      start = page.LastEvaluatedKey
    } while (start !== undefined)
    return items
  }
  return {
    async priceBook() {
      // Repricings first: one that is seen rests on versions that were recorded before it.
      const repricings = (await all('repricing')).map(repricingFromItem)
      const versions = (await all('tariff')).map(versionFromItem)
      versions.sort(
        (a, b) => a.effectiveFromMs - b.effectiveFromMs || a.recordedAtMs - b.recordedAtMs,
      )
      return { versions, repricings }
    },
    async putRepricing(repricing) {
      try {
        await client.send(
          new PutCommand({
            TableName: table,
            Item: {
              kind: 'repricing',
              id: `${instant(repricing.asOfMs)}#${repricing.jobId}`,
              job_id: repricing.jobId,
              classroom: repricing.classroom,
              from_date: repricing.fromDate,
              to_date: repricing.toDate,
              as_of_ms: repricing.asOfMs,
            },
            ConditionExpression: 'attribute_not_exists(id)',
          }),
        )
      } catch (error) {
        if (!conditionFailed(error)) throw error
      }
    },
  }
}

/**
 * The put of a version, for use inside a transaction of its owner. It fails when the place is taken:
 * of two who give one scope a price from the same instant on, the second has to say which version
 * he corrects.
 */
export function versionPut(table: string, version: RecordedVersion) {
  const scope = version.classroom === null ? 'site' : `classroom#${version.classroom}`
  const correction = String(version.correction).padStart(4, '0')
  return {
    TableName: table,
    Item: {
      kind: 'tariff',
      id: `${scope}#${instant(version.effectiveFromMs)}#${correction}`,
      version_id: version.id,
      classroom: version.classroom,
      effective_from_ms: version.effectiveFromMs,
      recorded_at_ms: version.recordedAtMs,
      energy_micro_per_kwh: version.energyMicroPerKwh,
      bands: version.bands.map((band) => ({
        from_minute: band.fromMinute,
        to_minute: band.toMinute,
        energy_micro_per_kwh: band.energyMicroPerKwh,
      })),
      surcharge_micro_per_kwh: version.surchargeMicroPerKwh,
      duty_ppm: version.dutyPpm,
      notes: version.notes,
      recorded_by: version.recordedBy,
      correction: version.correction,
    },
    ConditionExpression: 'attribute_not_exists(id)',
  }
}

function versionFromItem(raw: unknown): RecordedVersion {
  const item = StoredVersion.parse(raw)
  return {
    id: item.version_id,
    classroom: item.classroom,
    effectiveFromMs: item.effective_from_ms,
    recordedAtMs: item.recorded_at_ms,
    energyMicroPerKwh: item.energy_micro_per_kwh,
    bands: item.bands.map((band) => ({
      fromMinute: band.from_minute,
      toMinute: band.to_minute,
      energyMicroPerKwh: band.energy_micro_per_kwh,
    })),
    surchargeMicroPerKwh: item.surcharge_micro_per_kwh,
    dutyPpm: item.duty_ppm,
    notes: item.notes,
    recordedBy: item.recorded_by,
    correction: item.correction,
  }
}

function repricingFromItem(raw: unknown): Repricing {
  const item = StoredRepricing.parse(raw)
  return {
    jobId: item.job_id,
    classroom: item.classroom,
    fromDate: item.from_date,
    toDate: item.to_date,
    asOfMs: item.as_of_ms,
  }
}
