import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb'

/** The first local day that a classroom has figures of; null when it has none. */
export type FirstDay = (classroom: string) => Promise<string | null>

/** Asks the Rollups table for one item. */
export function firstDays(client: DynamoDBDocumentClient, table: string): FirstDay {
  return async (classroom) => {
    const { Items } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'classroom = :classroom AND begins_with(period, :day)',
        ExpressionAttributeValues: { ':classroom': classroom, ':day': 'day#' },
        ProjectionExpression: '#date',
        ExpressionAttributeNames: { '#date': 'date' },
        Limit: 1,
      }),
    )
    const first: unknown = Items?.[0]?.date
    return typeof first === 'string' ? first : null
  }
}
