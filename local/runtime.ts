import type { DatabaseSync } from 'node:sqlite'
import type { Pages } from './http/server.ts'
import type { MetricStore } from './metrics/store.ts'

/** The account every local ARN names; no AWS account has this number. */
export const LOCAL_ACCOUNT = '000000000000'

/** One resource of the synthesized app, with every intrinsic replaced by its local value. */
export interface Resource {
  readonly logicalId: string
  readonly stack: string
  /** `aws:cdk:path` of the construct, for messages a person can follow back to the CDK code. */
  readonly path: string
  readonly type: string
  readonly properties: Record<string, unknown>
  /** What `Ref` of this resource gives locally (a physical name or id). */
  readonly ref: string
  /** What `Fn::GetAtt` gives locally, by attribute name; `Arn` where the type has one. */
  readonly attributes: Readonly<Record<string, unknown>>
}

/** What a synchronous invocation gave. `functionError` is 'Unhandled' when the function failed. */
export interface InvokeResult {
  payload: unknown
  functionError?: string
}

/** What plug-ins share: the resolved app, durable state, and the ways to reach functions and queues. */
export interface Runtime {
  readonly dataDir: string
  readonly stage: string
  readonly region: string
  /** Base URL of the loopback control endpoint, already listening; routes join as plug-ins start. */
  readonly controlUrl: string
  readonly resources: readonly Resource[]
  ofType(type: string): Resource[]
  /** Values of `Outputs` of all stacks by output key. */
  readonly outputs: Readonly<Record<string, string>>
  /** SQLite at `<data-dir>/local.sqlite` (WAL). Each plug-in makes its own tables, prefixed with its name. */
  readonly store: DatabaseSync
  /** Epoch milliseconds; tests may move it. Use it for anything the template times (schedules, ages). */
  now(): number
  /**
   * Queues an event for a function. Resolves once the event is on disk. Retries, maximum age and
   * the failure destination follow the template. Events with the same `orderKey` are delivered in
   * the order of the calls, one at a time; a failed one waits for its retry without holding later ones.
   */
  invokeAsync(functionArn: string, event: unknown, orderKey?: string): Promise<void>
  /** Runs a function and waits. Function failures are values; an unknown function or alias throws. */
  invoke(functionArn: string, event: unknown): Promise<InvokeResult>
  /** Durable when it returns. `attributes` become SQS string message attributes. */
  sendToQueue(queueArn: string, body: string, attributes?: Record<string, string>): void
  /** Durable when it returns, in the bucket and where its rules of replication say. */
  putObject(bucket: string, key: string, body: Buffer, type: string): void
  /** An address under which an object can be fetched for so many seconds. */
  presign(bucket: string, key: string, expiresInSec: number): string
  /** Puts a record into a delivery stream, by name. Resolves once it is on disk. */
  putRecord(stream: string, data: Buffer): Promise<void>
  /** Publishes to a topic of the app. */
  publish(topicArn: string, subject: string, message: string): void
  /** Takes what CloudWatch would measure: the platform's own figures and those that functions log. */
  readonly figures: MetricStore
  /** Pages beside the HTTP API; each answers its own paths. */
  readonly pages: Pages[]
  /** What plug-ins that started before have put into endpoints.json. */
  readonly endpoints: Partial<Endpoints>
  /** Where a file asset of the app lies, by its object key; undefined when there is none. */
  assetPath(objectKey: string): string | undefined
  /** Ends the stack with an error: a part it cannot go on without is gone. */
  fail(error: Error): void
  /** One JSON line to `<data-dir>/logs/<source>.log`; never printed. */
  log(source: string, message: string, fields?: Record<string, unknown>): void
}

/** What the identity of a resource may be made of. Properties are as written, intrinsics unresolved. */
export interface Named {
  readonly logicalId: string
  readonly stack: string
  readonly region: string
  readonly account: string
  /** A resolved property, or undefined when the template leaves it out. */
  text(property: string): string | undefined
}

/** What `Ref` and `Fn::GetAtt` give for a resource. */
export interface Identity {
  ref: string
  attributes?: Record<string, unknown>
}

/**
 * What a plug-in does about a resource type: the property names it honours or knowingly leaves
 * without effect; or, for a type without local effect, the reason why ('inert' alone where the
 * type's name says it).
 */
export type Support = readonly string[] | 'inert' | { readonly inert: string }

/**
 * A plug-in honours some resource types. A resource type no plug-in lists, or a property not in
 * the list, stops the start with the logical id and what to do.
 */
export interface Plugin {
  name: string
  supports: Record<string, Support>
  /** Local names of resource types, where the default (the logical id) will not do. */
  identities?: Record<string, (it: Named) => Identity>
  start(runtime: Runtime, options: StartOptions): Promise<Started>
}

/** A running plug-in. */
export interface Started {
  /** Routes for the control endpoint. */
  controlRoutes?: ControlRoute[]
  /** What to print when ready, by label. */
  urls?: Record<string, string>
  /** What this plug-in adds to endpoints.json. */
  endpoints?: Partial<Endpoints>
  /** Runtime methods this plug-in gives to those that start after it. */
  provides?: Partial<
    Pick<
      Runtime,
      'invoke' | 'invokeAsync' | 'sendToQueue' | 'putObject' | 'presign' | 'putRecord' | 'publish'
    >
  >
  stop(): Promise<void>
}

export interface ControlRequest {
  method: string
  path: string
  query: URLSearchParams
  /** Lower-case names. */
  headers: Record<string, string | undefined>
  body: Buffer
  /** Capture groups of the route's path, URI-decoded. */
  params: string[]
}

export interface ControlResponse {
  status: number
  headers?: Record<string, string>
  body?: string | Buffer
}

/** Tried in order of start; `path` is matched against the undecoded path without the query. */
export interface ControlRoute {
  method: string
  path: RegExp
  /** Of several services behind `POST /`, the AWS JSON protocols differ by `x-amz-target`. */
  target?: RegExp
  handle(request: ControlRequest): Promise<ControlResponse>
}

/** Options of `npm start`; a port of 0 takes a free one. */
export interface StartOptions {
  httpPort: number
  mqttPort: number
  dataDir: string
  fresh: boolean
  fleet: boolean
  /** How many autovolt-node processes join the campus. @default 0 */
  nativeNode?: number
  /**
   * Waits before the second and third attempt of an asynchronous invocation, and so on; the last
   * one repeats. AWS waits 1 and 2 minutes.
   * @default [1000, 2000]
   */
  asyncRetryWaitsMs?: readonly number[]
  /**
   * Longest wait between attempts of a failing stream batch; the first wait is 100 ms and doubles.
   * @default 2000
   */
  streamRetryWaitMs?: number
  /** The clock of schedules and event ages, epoch milliseconds. @default Date.now */
  now?: () => number
}

/** Content of `<data-dir>/endpoints.json`. */
export interface Endpoints {
  http: string
  mqtt: { host: string; port: number; ca: string }
  control: string
  dynamodb: string
  stage: string
  region: string
  siteTimeZone: string
  /** Physical names by short name (`telemetry` → `autovolt-local-telemetry`). */
  tables: Record<string, string>
  /** What to call, by short name (`ingest` → `autovolt-local-ingest:live`). */
  functions: Record<string, string>
  /** Queue URLs on the control endpoint by queue name. */
  queues: Record<string, string>
  /** Names of the IoT policies of nodes. */
  devicePolicies: string[]
  /** The type of nodes' things, where the app has one. */
  thingType?: string
  /** Process id of the running stack. */
  pid: number
}
