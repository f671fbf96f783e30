import { describe, expect, it } from 'vitest'
import { type Resource, synthesize } from './synthesized.ts'

const prod = synthesize('prod')
const local = synthesize('local')

const table = (app: typeof prod, name: string) =>
  app.one('AWS::DynamoDB::Table', ({ TableName }) => TableName === name).properties

/** Key attributes in the order partition, sort, as `name:type`. */
function keys(properties: Resource['properties'], schema = properties.KeySchema): string[] {
  return schema.map(({ AttributeName, KeyType }: Record<string, string>) => {
    const { AttributeType } = properties.AttributeDefinitions.find(
      (attribute: Record<string, string>) => attribute.AttributeName === AttributeName,
    )
    return `${KeyType} ${AttributeName}:${AttributeType}`
  })
}

describe('the tables', () => {
  it.each([
    ['autovolt-prod-telemetry', 'HASH register:S', 'RANGE id:S', 'NEW_IMAGE', 'expires_at'],
    ['autovolt-prod-ledger', 'HASH register:S', 'RANGE sk:S', 'NEW_AND_OLD_IMAGES', undefined],
    ['autovolt-prod-nodes', 'HASH esp32_name:S', 'RANGE kind:S', undefined, 'expires_at'],
    ['autovolt-prod-rollups', 'HASH classroom:S', 'RANGE period:S', undefined, undefined],
    ['autovolt-prod-control', 'HASH kind:S', 'RANGE id:S', undefined, 'expires_at'],
    ['autovolt-prod-quarantine', 'HASH esp32_name:S', 'RANGE received:S', undefined, 'expires_at'],
  ])('%s has keys %s and %s, stream %s, expiry %s', (name, hash, range, stream, expiry) => {
    const properties = table(prod, name)
    expect(keys(properties)).toEqual([hash, range])
    expect(properties.StreamSpecification?.StreamViewType).toBe(stream)
    expect(properties.TimeToLiveSpecification).toEqual(
      expiry && { AttributeName: expiry, Enabled: true },
    )
  })

  it('are these six', () => {
    const names = prod.ofType('AWS::DynamoDB::Table').map(({ properties }) => properties.TableName)
    expect(names.sort()).toEqual([
      'autovolt-prod-control',
      'autovolt-prod-ledger',
      'autovolt-prod-nodes',
      'autovolt-prod-quarantine',
      'autovolt-prod-rollups',
      'autovolt-prod-telemetry',
    ])
  })

  it('can be restored, are encrypted, protected, and bounded in what they can cost', () => {
    for (const { properties } of prod.ofType('AWS::DynamoDB::Table')) {
      expect(properties).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        OnDemandThroughput: { MaxReadRequestUnits: 2000, MaxWriteRequestUnits: 1000 },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true },
        DeletionProtectionEnabled: true,
      })
    }
  })

  it('have one index: nodes by classroom, bounded too', () => {
    const indexed = prod
      .ofType('AWS::DynamoDB::Table')
      .filter(({ properties }) => properties.GlobalSecondaryIndexes?.length > 0)
    expect(indexed.map(({ properties }) => properties.TableName)).toEqual(['autovolt-prod-nodes'])

    const nodes = table(prod, 'autovolt-prod-nodes')
    const [index, ...more] = nodes.GlobalSecondaryIndexes
    expect(more).toEqual([])
    expect(index.IndexName).toBe('by-classroom')
    expect(keys(nodes, index.KeySchema)).toEqual(['HASH classroom:S', 'RANGE esp32_name:S'])
    expect(index.OnDemandThroughput).toEqual({
      MaxReadRequestUnits: 2000,
      MaxWriteRequestUnits: 1000,
    })
  })
})

describe('what holds data', () => {
  const stateful = [
    'AWS::DynamoDB::Table',
    'AWS::Cognito::UserPool',
    'AWS::Logs::LogGroup',
    'AWS::S3::Bucket',
  ]
  const holders = (app: typeof prod) => app.resources.filter(({ type }) => stateful.includes(type))

  it('outlives its stack in prod', () => {
    expect(holders(prod)).toHaveLength(28)
    for (const resource of holders(prod)) {
      expect(resource, resource.id).toMatchObject({
        deletionPolicy: 'Retain',
        updateReplacePolicy: 'Retain',
      })
    }
    for (const { properties } of prod.ofType('AWS::Cognito::UserPool')) {
      expect(properties.DeletionProtection).toBe('ACTIVE')
    }
  })

  it('goes with its stack on one machine', () => {
    expect(holders(local)).toHaveLength(28)
    for (const resource of holders(local)) {
      expect(resource, resource.id).toMatchObject({
        deletionPolicy: 'Delete',
        updateReplacePolicy: 'Delete',
      })
    }
    for (const { properties } of local.ofType('AWS::DynamoDB::Table')) {
      expect(properties.DeletionProtectionEnabled).toBe(false)
    }
  })

  it('keeps failed messages in prod as well', () => {
    for (const queue of prod.ofType('AWS::SQS::Queue')) {
      expect(queue, queue.id).toMatchObject({ deletionPolicy: 'Retain' })
    }
  })
})
