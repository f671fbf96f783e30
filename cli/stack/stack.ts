import type { Command } from 'commander'

/** The services the CLI calls through the AWS SDK. */
export type Service =
  | 'cloudwatch'
  | 'cognito-idp'
  | 'firehose'
  | 'iot'
  | 'lambda'
  | 's3'
  | 'sqs'
  | 'dynamodb'
  | 'dynamodb-streams'

/** What differs between a local stack and AWS for an SDK client; the calls are the same. */
export interface ClientConfig {
  region?: string
  endpoint?: string
  credentials?: { accessKeyId: string; secretAccessKey: string }
  /** For S3: the bucket stands in the path, since a local one has no name in the DNS. */
  forcePathStyle?: boolean
}

/** Where nodes connect; `ca` is the PEM of the root that signed the broker's certificate. */
export interface MqttTarget {
  host: string
  port: number
  ca: string
}

/** The tables by short name. */
export type TableName = 'telemetry' | 'ledger' | 'nodes' | 'rollups' | 'control' | 'quarantine'

/** A running stack, local or on AWS, as the commands see it. */
export interface Stack {
  readonly kind: 'local' | 'aws'
  readonly stage: string
  /** Holds `things/<esp32_name>`; for a local stack also its state. */
  readonly dataDir: string
  /** IANA zone in which days begin and end. */
  readonly siteTimeZone: string
  /** Names of the IoT policies attached to the certificates of nodes. */
  readonly devicePolicies: readonly string[]
  /** Name of the IoT policy of claim certificates. */
  readonly claimPolicy: string
  /** Name of the template by which nodes claim their identity. */
  readonly provisioningTemplate: string
  /** The type of the things of nodes; absent where the app has none. */
  readonly thingType?: string
  /** Name of the delivery stream of the raw archive. */
  readonly archiveStream: string
  /** Name of the bucket of firmware images, but for the account behind it. */
  readonly imageBucket: string
  /** Name of the role that signs addresses of firmware images. */
  readonly downloadRole: string
  table(name: TableName): string
  /** What to call for a function by short name (`rollup`): its physical name and alias. */
  functionName(name: string): string
  client(service: Service): ClientConfig
  /** Looks the broker up anew each time: a restarted local stack may listen elsewhere. */
  mqtt(): Promise<MqttTarget>
  /** Base URL of the local control endpoint; absent on AWS. */
  readonly control?: string
}

/** The options every command has to find its stack. */
export interface StackOptions {
  dataDir: string
  stage?: string
}

/** Adds `--data-dir` and `--stage`. */
export function withStackOptions(command: Command): Command {
  return command
    .option('--data-dir <dir>', 'state of the local stack (see npm start)', '.autovolt')
    .option('--stage <name>', 'a stage on AWS instead of the local stack: dev, staging or prod')
}

/** Opens the stack the options name. Nothing is contacted yet. */
export async function openStack(options: StackOptions): Promise<Stack> {
  if (options.stage === undefined || options.stage === 'local') {
    const { openLocal } = await import('./local.ts')
    return openLocal(options.dataDir)
  }
  const { openAws } = await import('./aws.ts')
  return openAws(options.stage, options.dataDir)
}
