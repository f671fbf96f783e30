import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'

/**
 * The new item of a stream record as an ordinary object. Lambda delivers binary attributes as base64
 * text, which the SDK's own conversion would take for bytes already.
 */
export function newItem(record: DynamoDBRecord): Record<string, unknown> {
  const image = record.dynamodb?.NewImage ?? {}
  return unmarshall(
    Object.fromEntries(
      Object.entries(image).map(([name, value]) => [
        name,
        (value.B === undefined ? value : { B: Buffer.from(value.B, 'base64') }) as AttributeValue,
      ]),
    ),
  )
}
