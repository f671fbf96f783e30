import { RemovalPolicy } from 'aws-cdk-lib'
import {
  type Attribute,
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { physicalName } from '../names.ts'

/** The short names of the tables; the physical name is `autovolt-<stage>-<short name>`. */
export const TABLE_NAMES = [
  'telemetry',
  'ledger',
  'nodes',
  'rollups',
  'control',
  'quarantine',
] as const
export type TableName = (typeof TABLE_NAMES)[number]

/** The index of the nodes table that answers "which nodes does this classroom have". */
export const BY_CLASSROOM = 'by-classroom'

interface TableShape {
  partitionKey: string
  sortKey: string
  /** @default - no stream */
  stream?: StreamViewType
  /** The attribute that holds the epoch second an item expires at. @default - items stay */
  expiry?: string
}

const string = (name: string): Attribute => ({ name, type: AttributeType.STRING })

/**
 * The six tables. All are on demand with a ceiling, encrypted with a key whose use shows in
 * CloudTrail, and can be put back to any second of the last 35 days.
 */
export class Tables extends Construct {
  readonly byName: Readonly<Record<TableName, Table>>

  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id)

    // Neither hot table has an index: each would add one write unit to every reading.
    const telemetry = this.table(config, 'telemetry', {
      partitionKey: 'register',
      sortKey: 'id',
      stream: StreamViewType.NEW_IMAGE,
      expiry: 'expires_at',
    })
    const ledger = this.table(config, 'ledger', {
      partitionKey: 'register',
      sortKey: 'sk',
      // Both images, so that the alarm about a changed entry shows what it was.
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
    })
    const nodes = this.table(config, 'nodes', {
      partitionKey: 'esp32_name',
      sortKey: 'kind',
      // Only the outages of a day carry it; the registry itself stays.
      expiry: 'expires_at',
    })
    const rollups = this.table(config, 'rollups', { partitionKey: 'classroom', sortKey: 'period' })
    const control = this.table(config, 'control', {
      partitionKey: 'kind',
      sortKey: 'id',
      expiry: 'expires_at',
    })
    const quarantine = this.table(config, 'quarantine', {
      partitionKey: 'esp32_name',
      sortKey: 'received',
      expiry: 'expires_at',
    })

    // Only assignment items carry `classroom`, so the index is as small as the list of nodes and
    // presence writes do not touch it.
    nodes.addGlobalSecondaryIndex({
      indexName: BY_CLASSROOM,
      partitionKey: string('classroom'),
      sortKey: string('esp32_name'),
      projectionType: ProjectionType.ALL,
      maxReadRequestUnits: config.tableLimits.readUnits,
      maxWriteRequestUnits: config.tableLimits.writeUnits,
    })

    this.byName = { telemetry, ledger, nodes, rollups, control, quarantine }
  }

  private table(config: StageConfig, name: TableName, shape: TableShape): Table {
    return new Table(this, `${name[0]?.toUpperCase()}${name.slice(1)}`, {
      tableName: physicalName(config, name),
      partitionKey: string(shape.partitionKey),
      sortKey: string(shape.sortKey),
      stream: shape.stream,
      timeToLiveAttribute: shape.expiry,
      billingMode: BillingMode.PAY_PER_REQUEST,
      maxReadRequestUnits: config.tableLimits.readUnits,
      maxWriteRequestUnits: config.tableLimits.writeUnits,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: TableEncryption.AWS_MANAGED,
      deletionProtection: config.protectData,
      removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
  }
}
