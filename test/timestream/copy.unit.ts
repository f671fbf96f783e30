import {
  RejectedRecordsException,
  ThrottlingException,
  TimestreamWriteClient,
  WriteRecordsCommand,
} from '@aws-sdk/client-timestream-write'
import { marshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, it } from 'vitest'
import { toItem } from '../../functions/adapters/raw.ts'
import { copyBatch } from '../../functions/timestream/copy.ts'
import { toRecord, versionOf } from '../../functions/timestream/records.ts'

const engine = mockClient(TimestreamWriteClient)
beforeEach(() => {
  engine.reset()
  engine.on(WriteRecordsCommand).resolves({})
})

const RECEIVED_AT_MS = 1_768_456_800_000
const measured = (n: number) => ({
  counter_epoch: 7,
  sequence_no: n,
  measured_at: RECEIVED_AT_MS + n,
  energy_wh_total: n,
  power_w: 60,
})

/** The stream's record of a raw event; Lambda gives binary values as base64. */
function record(n: number, message: object, register = 'esp32-a'): DynamoDBRecord {
  const text = JSON.stringify(message)
  const raw = { register, count: 1, text, receivedAtMs: RECEIVED_AT_MS, via: 'mqtt' as const }
  const image = marshall(toItem(raw, `s#${n}`, 730))
  const payload = Buffer.from(image.payload?.B ?? []).toString('base64')
  return {
    eventName: 'INSERT',
    dynamodb: {
      SequenceNumber: String(n),
      NewImage: { ...image, payload: { B: payload } } as never,
    },
  }
}

function copy(records: DynamoDBRecord[], options = {}) {
  const queued: unknown[] = []
  const ports = {
    target: { client: new TimestreamWriteClient({}), database: 'energy', table: 'readings' },
    failureQueue: { put: async (message: unknown) => void queued.push(message) },
    refused: () => {},
    now: () => 1,
  }
  return copyBatch(records, ports, options).then((done) => ({ ...done, queued }))
}
const requests = () => engine.commandCalls(WriteRecordsCommand).map(({ args }) => args[0].input)
const rejection = (...RejectedRecords: object[]) =>
  new RejectedRecordsException({ $metadata: {}, message: 'rejected', RejectedRecords })
const batchOf = (count: number, from = 0) => ({
  readings: Array.from({ length: count }, (_, index) => measured(from + index)),
})

describe('a reading', () => {
  it('is one record with several measures, in integers', async () => {
    const message = { ...measured(4), device_id: 'fan-1', energy_wh_total: 12.5 }
    await copy([record(1, message, 'esp32-a/fan-1')])
    expect(requests()).toEqual([
      {
        DatabaseName: 'energy',
        TableName: 'readings',
        CommonAttributes: {
          MeasureName: 'reading',
          MeasureValueType: 'MULTI',
          TimeUnit: 'MILLISECONDS',
        },
        Records: [
          {
            Dimensions: [
              { Name: 'esp32_name', Value: 'esp32-a' },
              { Name: 'device_id', Value: 'fan-1' },
            ],
            Time: '1768456800004',
            Version: expect.any(Number),
            MeasureValues: [
              { Name: 'energy_mwh', Type: 'BIGINT', Value: '12500' },
              { Name: 'power_mw', Type: 'BIGINT', Value: '60000' },
              { Name: 'counter_epoch', Type: 'BIGINT', Value: '7' },
              { Name: 'sequence_no', Type: 'BIGINT', Value: '4' },
              { Name: 'replayed', Type: 'BOOLEAN', Value: 'false' },
              { Name: 'reading_id', Type: 'VARCHAR', Value: expect.any(String) },
              { Name: 'received_at', Type: 'TIMESTAMP', Value: '1768456800000' },
            ],
          },
        ],
      },
    ])
  })

  it('that measured nothing is no record', () => {
    const none = { energyMwh: null, powerMw: null, on: null } as never
    expect(toRecord('esp32-a', none)).toBeNull()
  })

  it('has the same version when it is repeated, and a higher one when it was received earlier', () => {
    const claim = { receivedAtMs: RECEIVED_AT_MS, hash: 'ffffffff00' }
    expect(versionOf(claim)).toBe(versionOf({ ...claim }))
    expect(versionOf({ ...claim, receivedAtMs: RECEIVED_AT_MS - 1 })).toBeGreaterThan(
      versionOf({ ...claim, hash: '00000000ff' }),
    )
    expect(versionOf({ ...claim, hash: '00000000ff' })).toBeGreaterThan(versionOf(claim))
    expect(Number.isSafeInteger(versionOf({ ...claim, receivedAtMs: 0 }))).toBe(true)
  })
})

describe('a batch', () => {
  it('is written 100 records at a time', async () => {
    const records = Array.from({ length: 10 }, (_, n) => record(n, batchOf(25, n * 25)))
    expect(await copy(records)).toMatchObject({ written: 250, failures: [], rejected: 0 })
    expect(requests().map(({ Records }) => Records?.length)).toEqual([100, 100, 50])
  })

  it('counts what was taken beside a rejected record, and names that one in the failure queue', async () => {
    engine
      .on(WriteRecordsCommand)
      .rejects(rejection({ RecordIndex: 26, Reason: 'outside the memory store' }))
    const done = await copy([record(1, batchOf(25)), record(2, batchOf(25, 25))])
    expect(done).toMatchObject({ written: 49, rejected: 1, superseded: 0, failures: [] })
    expect(done.queued).toEqual([
      {
        kind: 'timestream-rejected',
        register: 'esp32-a',
        ids: ['s#2'],
        reason: 'outside the memory store',
        at_ms: 1,
      },
    ])
  })

  it('takes a record that another claim supersedes for done', async () => {
    engine
      .on(WriteRecordsCommand)
      .rejects(rejection({ RecordIndex: 0, Reason: 'A higher version exists', ExistingVersion: 9 }))
    const done = await copy([record(1, measured(1))])
    expect(done).toMatchObject({ written: 0, superseded: 1, rejected: 0, failures: [], queued: [] })
  })

  it('that is throttled comes again, and only its own records do', async () => {
    engine
      .on(WriteRecordsCommand)
      .rejectsOnce(
        new ThrottlingException({ $metadata: {}, message: 'slow down', Message: 'slow down' }),
      )
      .resolves({})
    const records = Array.from({ length: 8 }, (_, n) => record(n, batchOf(25, n * 25)))
    const done = await copy(records)
    expect(done).toMatchObject({ written: 100, failures: ['0', '1', '2', '3'], queued: [] })
    expect(done.error).toBeInstanceOf(ThrottlingException)
  })

  it('with a raw event that cannot be read writes the others', async () => {
    const torn = record(1, { energy_wh_total: 'much' })
    const done = await copy([torn, record(2, measured(2))])
    expect(done).toMatchObject({ written: 1, rejected: 1, failures: [] })
    expect(done.queued).toMatchObject([{ ids: ['s#1'], reason: expect.stringContaining('s#1') }])
  })

  it('from the failure queue reports what fails again, with the reason', async () => {
    engine.on(WriteRecordsCommand).rejects(rejection({ RecordIndex: 0, Reason: 'still too old' }))
    const done = await copy([record(1, measured(1))], { redriven: true })
    expect(done).toMatchObject({ failures: ['1'], reasons: { 1: 'still too old' }, queued: [] })
  })
})
