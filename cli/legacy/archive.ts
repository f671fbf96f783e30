import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { keepDump } from '../../functions/adapters/legacy.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** Keeps an export as it came, in the bucket in which the heads of chains are kept, and under a lock as they are. */
export async function archive(
  stack: Stack,
  bytes: Uint8Array,
): Promise<{ key: string; sha256: string }> {
  const bucket = await bucketOf(stack)
  const s3 = new S3Client({ ...stack.client('s3'), forcePathStyle: stack.kind === 'local' })
  try {
    return await keepDump(s3, bucket, bytes)
  } finally {
    s3.destroy()
  }
}

/** A bucket's name holds the account, which only AWS knows; the function that uses the bucket is told it. */
async function bucketOf(stack: Stack): Promise<string> {
  const lambda = new LambdaClient(stack.client('lambda'))
  try {
    const FunctionName = stack.functionName('reconcile')
    const found = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))
    const name = found.Environment?.Variables?.ANCHORS_BUCKET
    if (name === undefined) throw new Failure(`${FunctionName} has no ANCHORS_BUCKET`)
    return name
  } finally {
    lambda.destroy()
  }
}
