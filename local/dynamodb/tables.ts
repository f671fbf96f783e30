import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import * as z from 'zod'
import type { Resource } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'

/** The resource type of tables, and the properties of it that mean something here or knowingly do not. */
export const TABLE = 'AWS::DynamoDB::Table'
export const TABLE_PROPERTIES = [
  'TableName',
  'KeySchema',
  'AttributeDefinitions',
  'GlobalSecondaryIndexes',
  'StreamSpecification',
  'TimeToLiveSpecification',
  // No effect here: throughput has no ceiling on one machine, and backups, deletion protection,
  // encryption and tags guard or describe data that `--fresh` may delete.
  'BillingMode',
  'OnDemandThroughput',
  'PointInTimeRecoverySpecification',
  'DeletionProtectionEnabled',
  'SSESpecification',
  'TableClass',
  'ContributorInsightsSpecification',
  'Tags',
] as const

const keySchema = z.array(
  z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }),
)

const tableSchema = z.object({
  TableName: z.string().optional(),
  KeySchema: keySchema,
  AttributeDefinitions: z.array(
    z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  GlobalSecondaryIndexes: z
    .array(
      z.strictObject({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.strictObject({
          ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
          NonKeyAttributes: z.array(z.string()).optional(),
        }),
        OnDemandThroughput: z.unknown().optional(),
        ContributorInsightsSpecification: z.unknown().optional(),
      }),
    )
    .optional(),
  StreamSpecification: z
    .strictObject({
      StreamViewType: z.enum(['NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES', 'KEYS_ONLY']),
    })
    .optional(),
  TimeToLiveSpecification: z
    .strictObject({ AttributeName: z.string(), Enabled: z.boolean() })
    .optional(),
})

/** What makes one table: the creation request and the attribute items expire by, if any. */
export interface TableShape {
  resource: Resource
  create: CreateTableCommandInput & { TableName: string }
  expiry?: string
}

/** Reads a table of the template. Throws `CannotRunLocally` for a shape that is not supported. */
export function tableShape(resource: Resource): TableShape {
  const parsed = tableSchema.safeParse(resource.properties)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue?.path.join('.') ?? ''
    throw refuse(
      resource,
      where,
      issue?.message ?? 'not understood',
      'See local/dynamodb/tables.ts.',
    )
  }
  const it = parsed.data
  const ttl = it.TimeToLiveSpecification
  return {
    resource,
    create: {
      TableName: resource.ref,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: it.KeySchema,
      AttributeDefinitions: it.AttributeDefinitions,
      ...(it.GlobalSecondaryIndexes && {
        GlobalSecondaryIndexes: it.GlobalSecondaryIndexes.map((index) => ({
          IndexName: index.IndexName,
          KeySchema: index.KeySchema,
          Projection: index.Projection,
        })),
      }),
      ...(it.StreamSpecification && {
        StreamSpecification: { StreamEnabled: true, ...it.StreamSpecification },
      }),
    },
    ...(ttl?.Enabled && { expiry: ttl.AttributeName }),
  }
}

/**
 * Creates the table unless it is there. One that is there with other keys, indexes or stream stops
 * the start: the data in it was written under another shape.
 */
export async function ensureTable(client: DynamoDBClient, shape: TableShape): Promise<void> {
  const { create, expiry } = shape
  const there = await describe(client, create.TableName)
  if (there === undefined) {
    await client.send(new CreateTableCommand(create))
  } else {
    const todo = 'Start with --fresh to throw the local data away, or change the table back.'
    for (const field of ['KeySchema', 'StreamSpecification', 'GlobalSecondaryIndexes'] as const) {
      const before = comparable(field, there[field])
      const now = comparable(field, create[field])
      if (before === now) continue
      const why = `the data directory holds this table as ${before} and the app wants ${now}`
      throw refuse(shape.resource, field, why, todo)
    }
  }
  if (expiry === undefined) return
  const ttl = await client.send(new DescribeTimeToLiveCommand({ TableName: create.TableName }))
  if (ttl.TimeToLiveDescription?.AttributeName === expiry) return
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: create.TableName,
      TimeToLiveSpecification: { Enabled: true, AttributeName: expiry },
    }),
  )
}

async function describe(client: DynamoDBClient, name: string) {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined
    throw error
  }
}

function comparable(field: string, value: unknown): string {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value]
  const parts = list.map((it) => {
    if (field === 'StreamSpecification') return it.StreamViewType
    const keys = field === 'KeySchema' ? [it] : it.KeySchema
    const names = keys.map((key: { AttributeName: string; KeyType: string }) => {
      return `${key.AttributeName} ${key.KeyType}`
    })
    return [it.IndexName, ...names, it.Projection?.ProjectionType].filter(Boolean).join(' ')
  })
  return parts.sort().join('; ') || 'none'
}
