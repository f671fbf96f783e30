import { DescribeDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose'
import { S3Client } from '@aws-sdk/client-s3'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** Where an archive lies, when it is not the stack's own: the copy in the second region. */
export interface OtherBucket {
  readonly bucket: string | undefined
  readonly region: string | undefined
}

/** A bucket, and a client that reaches it. */
export interface Place {
  readonly bucket: string
  readonly s3: S3Client
}

/** The stack's archive, or the bucket that is named, for the length of `work`. */
export async function withArchive<T>(
  stack: Stack,
  other: OtherBucket,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const config = stack.client('s3')
  const s3 = new S3Client(other.region === undefined ? config : { ...config, region: other.region })
  try {
    return await work({ bucket: other.bucket ?? (await bucketOf(stack)), s3 })
  } finally {
    s3.destroy()
  }
}

/** The bucket that the stack's delivery stream writes to. */
async function bucketOf(stack: Stack): Promise<string> {
  const firehose = new FirehoseClient(stack.client('firehose'))
  try {
    const { DeliveryStreamDescription: stream } = await firehose.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName: stack.archiveStream }),
    )
    const arn = stream?.Destinations?.[0]?.ExtendedS3DestinationDescription?.BucketARN
    if (arn === undefined) {
      throw new Failure(`the delivery stream ${stack.archiveStream} writes to no bucket`)
    }
    return arn.replace(/^arn:[^:]+:s3:::/, '')
  } finally {
    firehose.destroy()
  }
}

/** On one machine, has what was received but not yet delivered put into the bucket. */
export async function deliverNow(stack: Stack): Promise<void> {
  if (stack.control === undefined) return
  const answer = await fetch(`${stack.control}/local/deliver`, { method: 'POST' })
  if (!answer.ok) throw new Failure(`the local stack could not deliver: ${await answer.text()}`)
}
