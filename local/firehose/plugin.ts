import { join } from 'node:path'
import * as z from 'zod'
import type { Named, Plugin, Resource } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { firehoseRoutes } from './routes.ts'
import { type DeliveryStream, openStream, type StreamSpec } from './stream.ts'

const STREAM = 'AWS::KinesisFirehose::DeliveryStream'

const MEGABYTE = 1024 * 1024

/** The only expression that names folders here, with the fields of a date. */
const prefix = z
  .string()
  .regex(
    /^([^!]|!\{timestamp:(yyyy|MM|dd|HH)\})*$/,
    'only !{timestamp:yyyy|MM|dd|HH} is known here',
  )

const streamSchema = z.object({
  DeliveryStreamType: z.literal('DirectPut'),
  ExtendedS3DestinationConfiguration: z.strictObject({
    BucketARN: z.string().startsWith('arn:aws:s3:::'),
    Prefix: prefix,
    // No delivery fails for good here: a record stays on disk until it is delivered.
    ErrorOutputPrefix: z.string(),
    BufferingHints: z.strictObject({
      IntervalInSeconds: z.number().int().min(0).max(900),
      SizeInMBs: z.number().int().min(1).max(128),
    }),
    CompressionFormat: z.enum(['GZIP', 'UNCOMPRESSED']),
    // Permissions and logs of the service itself.
    RoleARN: z.string(),
    CloudWatchLoggingOptions: z.unknown().optional(),
  }),
})

/**
 * Firehose: records go to a file of the data directory before they are answered for, and from there to
 * the local S3, gzipped, when they are many or old enough, and when the stack stops.
 */
export const firehose: Plugin = {
  name: 'firehose',
  supports: {
    [STREAM]: [
      'DeliveryStreamName',
      'DeliveryStreamType',
      'ExtendedS3DestinationConfiguration',
      // No effect here: the data directory is not encrypted, and tags only describe.
      'DeliveryStreamEncryptionConfigurationInput',
      'Tags',
    ],
  },
  identities: {
    [STREAM]: (it: Named) => {
      const name = it.text('DeliveryStreamName') ?? it.logicalId
      const arn = `arn:aws:firehose:${it.region}:${it.account}:deliverystream/${name}`
      return { ref: name, attributes: { Arn: arn } }
    },
  },

  async start(runtime) {
    const streams = new Map<string, DeliveryStream>()
    for (const resource of runtime.ofType(STREAM)) {
      const spec = streamSpec(resource)
      const folder = join(runtime.dataDir, 'firehose', spec.name)
      streams.set(spec.name, await openStream(spec, folder, runtime))
    }
    return {
      controlRoutes: firehoseRoutes(streams),
      provides: {
        async putRecord(name, data) {
          const stream = streams.get(name)
          if (!stream) throw new Error(`There is no delivery stream '${name}' in the app`)
          await stream.put(data)
        },
      },
      async stop() {
        for (const stream of streams.values()) await stream.stop()
      },
    }
  },
}

function streamSpec(resource: Resource): StreamSpec {
  const parsed = streamSchema.safeParse(resource.properties)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue?.path.join('.') ?? ''
    throw refuse(resource, where, issue?.message ?? 'not understood', 'See local/firehose.')
  }
  const it = parsed.data.ExtendedS3DestinationConfiguration
  return {
    name: resource.ref,
    arn: String(resource.attributes.Arn),
    bucket: it.BucketARN.replace(/^arn:aws:s3:::/, ''),
    prefix: it.Prefix,
    errorPrefix: it.ErrorOutputPrefix,
    // Without any waiting a record would be an object; a second is as good as none.
    intervalMs: Math.max(1, it.BufferingHints.IntervalInSeconds) * 1_000,
    sizeBytes: it.BufferingHints.SizeInMBs * MEGABYTE,
    isGzipped: it.CompressionFormat === 'GZIP',
  }
}
