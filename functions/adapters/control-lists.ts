import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb'

/** An item of a list as it is stored, without what only the table needs. */
export type ListedItem = { readonly id: string } & Readonly<Record<string, unknown>>

export interface ListQuery {
  /** The most items looked at: a page of filtered ones may hold fewer, and still have a `next`. */
  readonly limit: number
  /** The `next` of the page before. */
  readonly after?: string | undefined
  /** Only ids that begin so. */
  readonly prefix?: string
  readonly newestFirst?: boolean
  /** Only items with these attributes; undefined ones do not matter. */
  readonly where?: Readonly<Record<string, string | undefined>>
}

/** Lists of the Control table that others write: tickets and runs. */
export interface ControlLists {
  page(kind: string, query: ListQuery): Promise<{ items: ListedItem[]; next: string | null }>
}

export function controlLists(client: DynamoDBDocumentClient, table: string): ControlLists {
  return {
    async page(kind, { limit, after, prefix = '', newestFirst = false, where = {} }) {
      const wanted = Object.entries(where).filter(([, value]) => value !== undefined)
      const { Items, LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression:
            prefix === '' ? '#kind = :kind' : '#kind = :kind AND begins_with(id, :prefix)',
          ExpressionAttributeNames: {
            '#kind': 'kind',
            ...Object.fromEntries(wanted.map(([name]) => [`#${name}`, name])),
          },
          ExpressionAttributeValues: {
            ':kind': kind,
            ...(prefix !== '' && { ':prefix': prefix }),
            ...Object.fromEntries(wanted.map(([name, value]) => [`:${name}`, value])),
          },
          ...(wanted.length > 0 && {
            FilterExpression: wanted.map(([name]) => `#${name} = :${name}`).join(' AND '),
          }),
          ScanIndexForward: !newestFirst,
          Limit: limit,
          ...(after !== undefined && { ExclusiveStartKey: { kind, id: after } }),
        }),
      )
      return {
        items: (Items ?? []).map(({ kind: _, expires_at: __, id, ...rest }) => ({
          ...rest,
          id: String(id),
        })),
        next: LastEvaluatedKey === undefined ? null : String(LastEvaluatedKey.id),
      }
    },
  }
}
