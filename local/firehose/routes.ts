import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { ControlResponse, ControlRoute } from '../runtime.ts'
import type { DeliveryStream } from './stream.ts'

/** Firehose takes at most so much in one record. */
const MAX_RECORD_BYTES = 1_000 * 1_024

const Put = z.object({
  DeliveryStreamName: z.string(),
  Record: z.object({ Data: z.base64() }),
})
const Describe = z.object({ DeliveryStreamName: z.string() })

/** The part of Firehose's API the project uses, and a way to have deliveries at once. */
export function firehoseRoutes(streams: ReadonlyMap<string, DeliveryStream>): ControlRoute[] {
  if (streams.size === 0) return []
  const find = (name: string) => {
    const stream = streams.get(name)
    if (!stream) throw new Refused('ResourceNotFoundException', `There is no stream ${name}`)
    return stream
  }
  const actions: Record<string, (body: unknown) => Promise<unknown>> = {
    async PutRecord(body) {
      const { DeliveryStreamName, Record } = Put.parse(body)
      const data = Buffer.from(Record.Data, 'base64')
      if (data.length > MAX_RECORD_BYTES) {
        const why = `A record has at most ${MAX_RECORD_BYTES} bytes, this one ${data.length}`
        throw new Refused('InvalidArgumentException', why)
      }
      await find(DeliveryStreamName).put(data)
      return { RecordId: randomUUID(), Encrypted: false }
    },
    async DescribeDeliveryStream(body) {
      const { spec } = find(Describe.parse(body).DeliveryStreamName)
      const to = {
        BucketARN: `arn:aws:s3:::${spec.bucket}`,
        Prefix: spec.prefix,
        ErrorOutputPrefix: spec.errorPrefix,
        CompressionFormat: spec.isGzipped ? 'GZIP' : 'UNCOMPRESSED',
      }
      return {
        DeliveryStreamDescription: {
          DeliveryStreamName: spec.name,
          DeliveryStreamARN: spec.arn,
          DeliveryStreamStatus: 'ACTIVE',
          DeliveryStreamType: 'DirectPut',
          VersionId: '1',
          HasMoreDestinations: false,
          Destinations: [{ DestinationId: 'destination-1', ExtendedS3DestinationDescription: to }],
        },
      }
    },
  }
  return [
    {
      method: 'POST',
      path: /^\/$/,
      target: /^Firehose_20150804\./,
      async handle(request) {
        const name = (request.headers['x-amz-target'] ?? '').slice('Firehose_20150804.'.length)
        try {
          const action = Object.hasOwn(actions, name) ? actions[name] : undefined
          if (!action) throw new Refused('UnknownOperationException', `${name} is not served here`)
          return answer(200, await action(JSON.parse(request.body.toString('utf8'))))
        } catch (error) {
          if (error instanceof Refused) {
            return answer(400, { __type: error.type, message: error.message })
          }
          if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error
          const message = error instanceof z.ZodError ? z.prettifyError(error) : error.message
          return answer(400, { __type: 'InvalidArgumentException', message })
        }
      },
    },
    {
      // AWS delivers when the buffer is full or old enough; who cannot wait asks for it.
      method: 'POST',
      path: /^\/local\/deliver$/,
      async handle() {
        let delivered = 0
        for (const stream of streams.values()) delivered += await stream.deliver()
        return answer(200, { delivered })
      },
    },
  ]
}

class Refused extends Error {
  readonly type: string
  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

function answer(status: number, body: unknown): ControlResponse {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  }
}
