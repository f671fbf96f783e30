import { Stack } from 'aws-cdk-lib'
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena'
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { physicalName } from '../names.ts'
import { SAVED_QUERIES } from './saved-queries.ts'

/** Bytes a query may read, compressed: about five cents. */
const SCAN_LIMIT_BYTES = 10_000_000_000
const FIRST_YEAR = 2024
const LAST_YEAR = 2100

/** The columns are the members of an archived message: what the topic rule selects. */
const COLUMNS = [
  ['payload', 'string', 'the message as it came, in base64'],
  ['esp32_name', 'string', 'whose it is, by the topic or the body of the request'],
  ['channel', 'string', 'always telemetry'],
  ['topic', 'string', 'where it was published; null over HTTP'],
  ['client_id', 'string', 'who published it'],
  ['principal', 'string', 'the certificate, or the person who posted it'],
  ['received_at', 'bigint', 'receipt, epoch milliseconds'],
  ['trace_id', 'string', 'the trace in the logs of IoT'],
  ['via', 'string', 'http where it was posted, null over MQTT'],
] as const

/**
 * The archive as a table of Athena: for those without a database of time series, and for whatever the
 * API does not answer. Partitions are computed from the day, so no crawler runs and nothing is
 * registered; at rest it costs nothing.
 */
export class ArchiveQueries extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { config, bucket }: { readonly config: StageConfig; readonly bucket: Bucket },
  ) {
    super(scope, id)
    const catalogId = Stack.of(this).account
    // Glue takes no hyphen.
    const databaseName = `autovolt_${config.stage}`
    const database = new CfnDatabase(this, 'Database', {
      catalogId,
      databaseInput: { name: databaseName, description: 'What nodes said, as it came' },
    })
    const folder = `s3://${bucket.bucketName}/raw/`
    const table = new CfnTable(this, 'Raw', {
      catalogId,
      databaseName,
      tableInput: {
        name: 'raw',
        tableType: 'EXTERNAL_TABLE',
        partitionKeys: ['year', 'month', 'day'].map((name) => ({ name, type: 'string' })),
        parameters: {
          classification: 'json',
          compressionType: 'gzip',
          'projection.enabled': 'true',
          'projection.year.type': 'integer',
          'projection.year.range': `${FIRST_YEAR},${LAST_YEAR}`,
          'projection.month.type': 'integer',
          'projection.month.range': '1,12',
          'projection.month.digits': '2',
          'projection.day.type': 'integer',
          'projection.day.range': '1,31',
          'projection.day.digits': '2',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Athena fills these in, not this code.
          'storage.location.template': `${folder}${'year=${year}/month=${month}/day=${day}/'}`,
        },
        storageDescriptor: {
          location: folder,
          columns: COLUMNS.map(([name, type, comment]) => ({ name, type, comment })),
          inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
          serdeInfo: {
            serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
            // A line that is no JSON makes a row of nulls instead of ending the query.
            parameters: { 'ignore.malformed.json': 'true' },
          },
        },
      },
    })
    table.addResourceDependency(database)

    const workGroup = new CfnWorkGroup(this, 'WorkGroup', {
      name: physicalName(config, 'archive'),
      description: 'Questions to the raw archive; results are kept for a week',
      recursiveDeleteOption: !config.protectData,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: SCAN_LIMIT_BYTES,
        resultConfiguration: {
          outputLocation: `s3://${bucket.bucketName}/athena/`,
          encryptionConfiguration: { encryptionOption: 'SSE_S3' },
        },
      },
    })
    for (const { name, description, sql } of SAVED_QUERIES) {
      const query = new CfnNamedQuery(this, name, {
        name: physicalName(config, name),
        description,
        database: databaseName,
        workGroup: workGroup.name,
        queryString: sql(`"${databaseName}"."raw"`),
      })
      query.addResourceDependency(workGroup)
      query.addResourceDependency(database)
    }
  }
}
