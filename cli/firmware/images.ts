import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { imageKey } from './document.ts'
import type { Image } from './image.ts'

/** Where images lie, and who signs the addresses to them. */
export interface ReleasePlace {
  readonly region: string
  readonly bucket: string
  readonly roleArn: string
}

/** Both have conventional names; the account that completes them stands in the ARN of any thing or group. */
export function releasePlace(stack: Stack, arn: string): ReleasePlace {
  const [, partition, , region, account] = arn.split(':')
  if (!partition || !region || !account) throw new Failure(`AWS IoT answered with no ARN: "${arn}"`)
  return {
    region,
    bucket: `${stack.imageBucket}-${account}`,
    roleArn: `arn:${partition}:iam::${account}:role/${stack.downloadRole}`,
  }
}

/**
 * Puts an image under its version. A version has one image for ever: other bytes need another version, or
 * nobody could say what a node runs. @returns false when it lies there already
 */
export async function uploadImage(stack: Stack, Bucket: string, image: Image): Promise<boolean> {
  const Key = imageKey(image.version)
  const s3 = new S3Client(stack.client('s3'))
  try {
    const known = await bytesOf(s3, Bucket, Key)
    if (known === undefined) {
      await s3.send(
        new PutObjectCommand({
          Bucket,
          Key,
          Body: image.bytes,
          ContentType: 'application/octet-stream',
          ChecksumSHA256: Buffer.from(image.sha256, 'hex').toString('base64'),
        }),
      )
      return true
    }
    if (image.bytes.equals(known)) return false
    throw new Failure(
      `version ${image.version} was released before with other content (${known.length} bytes in ${Bucket}/${Key}); give the image another version`,
    )
  } finally {
    s3.destroy()
  }
}

async function bytesOf(s3: S3Client, Bucket: string, Key: string): Promise<Uint8Array | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    return await Body?.transformToByteArray()
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined
    throw error
  }
}
