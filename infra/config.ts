import * as z from 'zod'

/** The retentions CloudWatch Logs knows, in days; it refuses every other number at deployment. */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
]

/** AWS services take at most 300 s of batching, a whole number of seconds. */
const batchingSeconds = z.int().min(0).max(300)

const requestsPerSecond = z.int().min(1).max(10_000)

const region = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region such as ap-south-1')

/** Glacier Instant Retrieval bills an object for at least so many days. */
const GLACIER_MINIMUM_DAYS = 90

const timestreamName = z
  .string()
  .regex(/^[a-zA-Z0-9_.-]{3,256}$/, 'must be 3 to 256 letters, digits, or any of _ . -')

/** What one function may be told about: its variables hold 4 KB together. */
const MAX_CHOSEN = 100

function hasNoSecret(address: string): boolean {
  const url = URL.parse(address)
  return url === null || url.username + url.password + url.search === ''
}

/** The former system, while a pilot feeds both. */
const FormerSystem = z
  .strictObject({
    /** Its ingestion endpoint, which takes one reading a request, without a token. */
    url: z
      .url({ protocol: /^https?$/, error: 'must be an address such as https://host/path' })
      // The function's settings, its errors and the failure queue name it.
      .refine(
        hasNoSecret,
        'must hold no user, password or query, which logs and messages would show',
      ),

    /**
     * Nodes whose messages it gets.
     * @default - those of the classrooms
     */
    nodes: z
      .array(z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'must be the name of a node'))
      .default([]),

    /**
     * Classrooms whose nodes' messages it gets.
     * @default - only the nodes that are named
     */
    classrooms: z.array(z.string().min(1).max(128)).default([]),

    /**
     * Requests at once, at most. They come out of the account's concurrency.
     * @default 2
     */
    concurrency: z.int().min(1).max(50).default(2),
  })
  .refine(({ nodes, classrooms }) => {
    const all = [...nodes, ...classrooms]
    return all.length > 0 && all.length <= MAX_CHOSEN && all.join('').length <= 3_000
  }, `must name 1 to ${MAX_CHOSEN} nodes and classrooms, of 3,000 characters together`)

const unitsPerSecond = z.int().min(1).max(40_000)

/** The stages there are; a stage is one complete, separate copy of the system. */
export const StageName = z.enum(['local', 'dev', 'staging', 'prod'])
export type StageName = z.infer<typeof StageName>

/** The raw archive. What may be lost with a region is what was not yet delivered and copied. */
const Archive = z
  .strictObject({
    /**
     * Seconds a message waits for others before they become one object. Until then it is in the
     * delivery stream, in three places of the region.
     * @default 300
     */
    bufferSeconds: z.int().min(0).max(900).default(300),

    /**
     * Megabytes of messages that become an object at once.
     * @default 64
     */
    bufferMb: z.int().min(1).max(128).default(64),

    /**
     * Days after which objects go to Glacier Instant Retrieval: as quick to read, cheaper to keep.
     * Objects below 128 KB stay where they are, since there they would cost more.
     * @default 90
     */
    coldAfterDays: z.int().min(1).max(3_650).default(90),

    /**
     * Days after which objects go to Glacier Deep Archive. It takes hours to bring them back before
     * they can be replayed or verified.
     * @default - never
     */
    deepAfterDays: z.int().min(1).max(36_500).optional(),

    /**
     * Days after which objects are removed. It must outlive the raw events.
     * @default - never
     */
    expireAfterDays: z.int().min(1).max(36_500).optional(),

    /**
     * The region that keeps a copy of every object.
     * @default 'ap-southeast-1' (Singapore; ap-south-2, Hyderabad, keeps the data in India, where the account has it enabled)
     */
    replicaRegion: region.default('ap-southeast-1'),
  })
  .refine(({ coldAfterDays, deepAfterDays = Number.POSITIVE_INFINITY }) => {
    return deepAfterDays >= coldAfterDays + GLACIER_MINIMUM_DAYS
  }, `deepAfterDays must be at least coldAfterDays + ${GLACIER_MINIMUM_DAYS}: Glacier bills that long`)

/** Everything that differs between two copies of the system. What is not here is the same in all. */
export const StageConfig = z
  .strictObject({
    /** Part of every physical name. */
    stage: StageName,

    /**
     * The AWS account, 12 digits.
     * @default - the account of the credentials the CDK command line runs with
     */
    account: z
      .string()
      .regex(/^\d{12}$/, 'must be 12 digits')
      .optional(),

    /**
     * The AWS region.
     * @default 'ap-south-1' (Mumbai)
     */
    region: region.default('ap-south-1'),

    /**
     * The IANA zone the site's days, months and time blocks are cut in.
     * @default 'Asia/Kolkata'
     */
    siteTimeZone: z
      .string()
      .refine(isTimeZone, 'must be an IANA time zone such as Asia/Kolkata')
      .default('Asia/Kolkata'),

    /**
     * ISO 4217 code of the currency bills are in.
     * @default 'INR'
     */
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as INR')
      .default('INR'),

    /**
     * Days a raw reading lives after receipt. The ledger itself lives for ever.
     * @default 730
     */
    rawRetentionDays: z.int().min(1).max(3650).default(730),

    /**
     * Days a refused message lives.
     * @default 90
     */
    quarantineRetentionDays: z.int().min(1).max(3650).default(90),

    /**
     * Days a log line lives; one of the numbers CloudWatch Logs knows.
     * @default 30
     */
    logRetentionDays: z
      .int()
      .refine((days) => LOG_RETENTION_DAYS.includes(days), {
        error: `must be one of ${LOG_RETENTION_DAYS.join(', ')}, the retentions CloudWatch Logs knows`,
      })
      .default(30),

    /**
     * The least severe log line a function writes. At INFO and below a log line a message costs
     * about a third of what the message itself does. Metrics are written at every level.
     * @default 'WARN'
     */
    logLevel: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('WARN'),

    /**
     * Keeps tables, users and logs when a stack or a resource is removed, and refuses to delete
     * tables and users at all. Only a stage whose data may vanish turns it off.
     * @default true
     */
    protectData: z.boolean().default(true),

    /**
     * The administrators: they get warnings, the digest of the night, and every alarm that has no
     * address of its own.
     * @default - alarms show in CloudWatch and nobody is told
     */
    alarmEmail: z.email('must be an e-mail address').optional(),

    /**
     * Who is on call, and gets critical alarms.
     * @default - the administrators
     */
    onCallEmail: z.email('must be an e-mail address').optional(),

    /**
     * Who hears, once, that something is lost, late or wrong at all.
     * @default - nobody but those above
     */
    escalationEmail: z.email('must be an e-mail address').optional(),

    /**
     * Where the dashboard is served from. These origins may call the API from a browser, and people
     * return to them after signing in (at the path `/`).
     */
    corsOrigins: z
      .array(
        z.string().refine(isOrigin, 'must be an origin: https://host, or http://localhost:port'),
      )
      .min(1, 'must name at least one origin, since people sign in through it'),

    /**
     * How a new version of a function takes over: `canary` sends it a tenth of the calls for five
     * minutes, `linear` a tenth more every minute; both go back when an alarm of the function goes
     * off. `all-at-once` watches no alarm.
     * @default 'canary'
     */
    rollout: z.enum(['canary', 'linear', 'all-at-once']).default('canary'),

    /**
     * Seconds the tally waits to count more stream records in one go. Each round costs one
     * transaction; figures on the health page are at most this old.
     * @default 60
     */
    tallyWindowSeconds: batchingSeconds.default(60),

    /**
     * Seconds the ledger waits for more readings. Zero books a reading at once; one second takes a
     * quarter of the invocations.
     * @default 1
     */
    ledgerWindowSeconds: batchingSeconds.default(1),

    /**
     * Ceiling of each table (and index) in request units a second: what bounds the bill when a
     * thousand nodes go mad.
     * @default - 2,000 reads and 1,000 writes
     */
    tableLimits: z
      .strictObject({ readUnits: unitsPerSecond, writeUnits: unitsPerSecond })
      .default({ readUnits: 2_000, writeUnits: 1_000 }),

    /**
     * Invocations that work on a nightly run at the same time, at most. A site of few nodes takes fewer: one
     * for 32 registers. They come out of the account's concurrency, which is 10 in a new account.
     * @default 32, which looks at 3,000 nodes in less than five minutes
     */
    reconcileWorkers: z.int().min(1).max(500).default(32),

    /**
     * Requests a second each API route takes, over time and in a burst. Routes without
     * authorization take a tenth.
     * @default - 200 a second, 400 in a burst
     */
    apiThrottle: z
      .strictObject({ rate: requestsPerSecond, burst: requestsPerSecond })
      .default({ rate: 200, burst: 400 }),

    /**
     * An existing Amazon Timestream table (for LiveAnalytics) that every reading is copied to. Off unless
     * it is named, and nothing else reads it: AWS takes no new customers since 20 June 2025, so only an
     * account that used it before can have one. Others ask the archive through Athena.
     * @default - readings are not copied
     */
    timestream: z.strictObject({ database: timestreamName, table: timestreamName }).optional(),

    /**
     * Feeds the former system as well, during the pilot. Off unless it is named: nothing here needs it, and
     * it costs an invocation a message of every node.
     * @default - the former system gets nothing
     */
    formerSystem: FormerSystem.optional(),

    /** Where every telemetry message is kept as it came, before anything can fail. */
    archive: Archive.prefault({}),
  })
  .superRefine((config, context) => {
    const { expireAfterDays = Number.POSITIVE_INFINITY, replicaRegion } = config.archive
    const wrong = (name: string, message: string) =>
      context.addIssue({ code: 'custom', path: ['archive', name], message })
    if (expireAfterDays <= config.rawRetentionDays) {
      wrong('expireAfterDays', `must be more than rawRetentionDays, ${config.rawRetentionDays}`)
    }
    const { formerSystem } = config
    if (formerSystem?.url.startsWith('http:') && config.stage !== 'local') {
      const message = 'must begin with https, since it carries who uses how much'
      context.addIssue({ code: 'custom', path: ['formerSystem', 'url'], message })
    }
    // One machine is one region, whatever it is called.
    if (replicaRegion === config.region && config.stage !== 'local') {
      wrong('replicaRegion', 'must be another region than region')
    }
  })

/** A complete, checked configuration. */
export type StageConfig = z.output<typeof StageConfig>

/** What a person writes: everything with a default may be left out. */
export type StageInput = z.input<typeof StageConfig>

/**
 * Checks a configuration and fills in the defaults. Throws one error that lists every wrong
 * field, what it must be, and the value it has.
 */
export function parseStageConfig(input: unknown): StageConfig {
  const result = StageConfig.safeParse(input)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => {
    const field = issue.path.join('.') || 'configuration'
    return `  ${field}: ${issue.message} (is ${JSON.stringify(at(input, issue.path))})`
  })
  throw new Error(`The stage configuration is wrong:\n${lines.join('\n')}`)
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => Object(inner)[key], value)
}

function isTimeZone(zone: string): boolean {
  // Offsets such as +05:30 pass Intl but know no daylight saving, so a zone must have a name.
  if (!/^[A-Z]/.test(zone)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // Cognito returns people to plain http on localhost only.
  const safe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && url.hostname === 'localhost')
  return safe && url?.origin === text
}
