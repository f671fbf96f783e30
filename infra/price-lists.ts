/** What is paid for, by the unit it is counted in. */
export const PRICED = {
  iotMinute: { per: 1_000_000n, unit: 'minutes of connection', page: 'AWS IoT Core pricing' },
  iotMessage: { per: 1_000_000n, unit: 'messages of 5 KB', page: 'AWS IoT Core pricing' },
  iotRule: { per: 1_000_000n, unit: 'rules triggered, 5 KB each', page: 'AWS IoT Core pricing' },
  iotAction: { per: 1_000_000n, unit: 'actions of rules, 5 KB each', page: 'AWS IoT Core pricing' },
  lambdaRequest: { per: 1_000_000n, unit: 'invocations', page: 'AWS Lambda pricing' },
  lambdaGbSecond: { per: 1n, unit: 'GB-second, arm64', page: 'AWS Lambda pricing' },
  write: { per: 1_000_000n, unit: 'write units, on demand', page: 'Amazon DynamoDB pricing' },
  read: { per: 1_000_000n, unit: 'read units, on demand', page: 'Amazon DynamoDB pricing' },
  stored: { per: 1n, unit: 'GB-month of table', page: 'Amazon DynamoDB pricing' },
  recovery: { per: 1n, unit: 'GB-month of recovery', page: 'Amazon DynamoDB pricing' },
  firehose: { per: 1n, unit: 'GB taken in, records of 5 KB', page: 'Amazon Data Firehose pricing' },
  archived: { per: 1n, unit: 'GB-month, standard', page: 'Amazon S3 pricing' },
  cold: { per: 1n, unit: 'GB-month, Glacier Instant Retrieval', page: 'Amazon S3 pricing' },
  put: { per: 1_000n, unit: 'objects put', page: 'Amazon S3 pricing' },
  betweenRegions: {
    per: 1n,
    unit: 'GB to another region',
    page: 'Amazon EC2 on-demand pricing, data transfer',
  },
  out: { per: 1n, unit: 'GB to the internet', page: 'Amazon EC2 on-demand pricing, data transfer' },
  apiRequest: { per: 1_000_000n, unit: 'requests', page: 'Amazon API Gateway pricing, HTTP APIs' },
  queue: { per: 1_000_000n, unit: 'requests of queues', page: 'Amazon SQS pricing' },
  start: {
    per: 1_000_000n,
    unit: 'starts by the scheduler',
    page: 'Amazon EventBridge pricing, Scheduler',
  },
  log: { per: 1n, unit: 'GB of log', page: 'Amazon CloudWatch pricing' },
  alarm: { per: 1n, unit: 'alarm-month', page: 'Amazon CloudWatch pricing' },
  composite: { per: 1n, unit: 'composite alarm-month', page: 'Amazon CloudWatch pricing' },
  metric: { per: 1n, unit: 'metric-month', page: 'Amazon CloudWatch pricing' },
  dashboard: { per: 1n, unit: 'dashboard-month', page: 'Amazon CloudWatch pricing' },
  key: { per: 1n, unit: 'key-month', page: 'AWS KMS pricing' },
  person: {
    per: 1n,
    unit: 'user-month beyond the first 10,000',
    page: 'Amazon Cognito pricing, Essentials',
  },
} as const
export type Priced = keyof typeof PRICED

/** Where a price was found, and as of when. */
export interface Source {
  readonly name: string
  /** A month; undefined where the source has no date. */
  readonly asOf: string | undefined
}

/** A region's prices in dollars for each `per` of PRICED, without free tiers and taxes. */
export interface PriceList {
  readonly name: string
  /** When the list was made. */
  readonly asOf: string
  readonly dollars: Readonly<Record<Priced, string>>
  /** Prices taken from the list of N. Virginia, because the region's own was not at hand. */
  readonly borrowed: readonly Priced[]
  /** Where a price was found; one that is not here is from memory, and was not found anywhere. */
  readonly found: Readonly<Partial<Record<Priced, Source>>>
}

const REFERENCE: Source = { name: 'reference list of the project', asOf: '2026-11' }
const COMPOSITES: Source = { name: 'c3x.dev, CloudWatch alarms', asOf: undefined }
const WATCHING: Source = { name: 'factualminds.com, Amazon CloudWatch pricing', asOf: '2026-06' }
const SCHEDULER: Source = { name: 'cloudburn.io, Amazon EventBridge pricing', asOf: '2026-03' }
const EGRESS: Source = { name: 'leanopstech.com, AWS data transfer pricing', asOf: '2026-04' }

/** Found for N. Virginia, whose prices are borrowed for them elsewhere. */
const FOUND = {
  iotMinute: REFERENCE,
  iotMessage: REFERENCE,
  iotRule: REFERENCE,
  iotAction: REFERENCE,
  start: SCHEDULER,
  composite: COMPOSITES,
  dashboard: WATCHING,
} as const

const VIRGINIA: PriceList = {
  name: 'N. Virginia',
  asOf: '2026-11',
  borrowed: [],
  found: { ...FOUND, log: WATCHING, out: EGRESS },
  dollars: {
    iotMinute: '0.08',
    iotMessage: '1.00',
    iotRule: '0.15',
    iotAction: '0.15',
    lambdaRequest: '0.20',
    lambdaGbSecond: '0.0000133334',
    write: '0.625',
    read: '0.125',
    stored: '0.25',
    recovery: '0.20',
    firehose: '0.029',
    archived: '0.023',
    cold: '0.004',
    put: '0.005',
    betweenRegions: '0.02',
    out: '0.09',
    apiRequest: '1.00',
    queue: '0.40',
    start: '1.00',
    log: '0.50',
    alarm: '0.10',
    composite: '0.50',
    metric: '0.30',
    dashboard: '3.00',
    key: '1.00',
    person: '0.015',
  },
}

const BORROWED = [
  'iotMinute',
  'iotMessage',
  'iotRule',
  'iotAction',
  'put',
  'queue',
  'start',
  'composite',
  'dashboard',
  'key',
  'person',
] as const

export const PRICE_LISTS: Readonly<Record<string, PriceList>> = {
  'ap-south-1': {
    name: 'Mumbai',
    asOf: '2026-11',
    borrowed: BORROWED,
    found: {
      ...FOUND,
      lambdaRequest: REFERENCE,
      lambdaGbSecond: REFERENCE,
      write: REFERENCE,
      read: REFERENCE,
      stored: REFERENCE,
      apiRequest: REFERENCE,
      log: REFERENCE,
      alarm: REFERENCE,
      metric: REFERENCE,
    },
    dollars: {
      ...VIRGINIA.dollars,
      write: '0.71',
      read: '0.1425',
      stored: '0.285',
      recovery: '0.228',
      firehose: '0.034',
      archived: '0.025',
      cold: '0.005',
      betweenRegions: '0.086',
      out: '0.1093',
      apiRequest: '1.05',
      log: '0.67',
    },
  },
  'us-east-1': VIRGINIA,
}
