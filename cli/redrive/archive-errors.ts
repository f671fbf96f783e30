import { FirehoseClient } from '@aws-sdk/client-firehose'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3'
import * as z from 'zod'
import { linesOf } from '../../functions/adapters/archive-reader.ts'
import { keepRecord } from '../archive/keep.ts'
import { withArchive } from '../archive/place.ts'
import { Failure, oneLine } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import type { Redriven } from './redrive.ts'

/** What the folder is called where a failure queue is named. */
export const ARCHIVE_ERRORS = 'archive-errors'
const FOLDER = 'error/'

/** What Firehose writes for a record that it could not deliver as it should. */
const Undelivered = z.looseObject({ rawData: z.base64(), errorMessage: z.string().optional() })

/**
 * Puts what the delivery stream could not deliver into it again. An object is removed when all its
 * records were taken; as the bucket has versions, its content stays.
 */
export async function redriveArchive(
  stack: Stack,
  isDryRun: boolean,
  tell: (line: string) => void,
): Promise<Redriven> {
  const done: Redriven = { found: 0, redriven: 0, failing: 0 }
  const lines: string[] = []
  const firehose = new FirehoseClient(stack.client('firehose'))
  try {
    await withArchive(stack, { bucket: undefined, region: undefined }, async ({ s3, bucket }) => {
      for await (const key of undelivered(s3, bucket)) {
        done.found += 1
        if (isDryRun) lines.push(`  ${key}`)
        else {
          try {
            const count = await putAgain(s3, bucket, key, stack, firehose)
            done.redriven += 1
            lines.push(`  ${key} → ${count} records archived`)
          } catch (error) {
            done.failing += 1
            lines.push(`  FAILING  ${key} → ${oneLine(error)}`)
          }
        }
      }
    })
  } finally {
    firehose.destroy()
  }
  const figures = isDryRun
    ? `${done.found} found`
    : `${done.found} found, ${done.redriven} redriven, ${done.failing} still failing`
  tell(`${ARCHIVE_ERRORS}: ${figures}`)
  for (const line of lines) tell(line)
  return done
}

async function* undelivered(s3: S3Client, Bucket: string): AsyncGenerator<string> {
  let StartAfter: string | undefined = FOLDER
  while (StartAfter !== undefined) {
    const page: { Contents?: { Key?: string }[]; IsTruncated?: boolean } = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: FOLDER, StartAfter }),
    )
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key
    StartAfter = page.IsTruncated ? page.Contents?.at(-1)?.Key : undefined
  }
}

async function putAgain(
  s3: S3Client,
  Bucket: string,
  Key: string,
  stack: Stack,
  firehose: FirehoseClient,
): Promise<number> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  const lines = await linesOf((await Body?.transformToByteArray()) ?? new Uint8Array())
  // All are read before any is put, so that an object that cannot be understood changes nothing.
  const records = lines.map((line, index) => {
    const parsed = Undelivered.safeParse(parse(line))
    if (!parsed.success) throw new Failure(`line ${index + 1} is no failed record of Firehose`)
    return Buffer.from(parsed.data.rawData, 'base64')
  })
  for (const record of records) await keepRecord(firehose, stack, record)
  await s3.send(new DeleteObjectCommand({ Bucket, Key }))
  return records.length
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
