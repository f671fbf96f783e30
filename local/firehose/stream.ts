import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { DateTime } from 'luxon'
import type { Runtime } from '../runtime.ts'
import { type Held, openBuffer } from './buffer.ts'

/** A delivery stream of the template. */
export interface StreamSpec {
  readonly name: string
  readonly arn: string
  readonly bucket: string
  /** With `!{timestamp:…}` where the time of the oldest record goes. */
  readonly prefix: string
  readonly errorPrefix: string
  readonly intervalMs: number
  readonly sizeBytes: number
  readonly isGzipped: boolean
}

export interface DeliveryStream {
  readonly spec: StreamSpec
  /** Resolves once the record is on disk. */
  put(data: Buffer): Promise<void>
  /** Delivers what there is now. Resolves with the number of records. */
  deliver(): Promise<number>
  /** Delivers what is left, and lets go of the disk. */
  stop(): Promise<void>
}

const compressed = promisify(gzip)

/** Opens a stream. What an earlier process had accepted is delivered at the end of the first interval. */
export async function openStream(
  spec: StreamSpec,
  folder: string,
  runtime: Pick<Runtime, 'putObject' | 'now' | 'log'>,
): Promise<DeliveryStream> {
  const buffer = await openBuffer(folder)
  let bytes = 0
  let delivering: Promise<number> = Promise.resolve(0)

  const deliverNow = async () => {
    bytes = 0
    let count = 0
    for (const { records, done } of await buffer.take()) {
      if (records.length > 0) {
        const body = Buffer.concat(records.map(({ data }) => data))
        const key = objectKey(spec, records[0] as Held)
        const type = 'application/octet-stream'
        runtime.putObject(spec.bucket, key, spec.isGzipped ? await compressed(body) : body, type)
      }
      await done()
      count += records.length
    }
    return count
  }
  const deliver = () => {
    delivering = delivering.catch(() => 0).then(deliverNow)
    return delivering
  }
  const deliverQuietly = () => {
    // What was not delivered stays on disk, and goes with the next interval.
    deliver().catch((error) =>
      runtime.log('firehose', 'could not deliver', { stream: spec.name, error: String(error) }),
    )
  }
  const timer = setInterval(deliverQuietly, spec.intervalMs)
  return {
    spec,
    async put(data) {
      await buffer.add(data, runtime.now())
      bytes += data.length
      if (bytes >= spec.sizeBytes) deliverQuietly()
    },
    deliver,
    async stop() {
      clearInterval(timer)
      await deliver()
      await buffer.close()
    },
  }
}

/** `<prefix><stream>-1-<time of the oldest record>-<anything>.gz`, the time in UTC as on AWS. */
function objectKey({ name, prefix, isGzipped }: StreamSpec, oldest: Held): string {
  const at = DateTime.fromMillis(oldest.atMs, { zone: 'utc' })
  const folder = prefix.replace(/!\{timestamp:([^}]+)\}/g, (_, format: string) =>
    at.toFormat(format),
  )
  const ending = isGzipped ? '.gz' : ''
  return `${folder}${name}-1-${at.toFormat('yyyy-MM-dd-HH-mm-ss')}-${randomUUID()}${ending}`
}
