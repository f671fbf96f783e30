import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Resource, Runtime } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'

/** The resource type of functions, and the properties of it that mean something here or knowingly do not. */
export const FUNCTION = 'AWS::Lambda::Function'
export const FUNCTION_PROPERTIES = [
  'FunctionName',
  'Code',
  'Handler',
  'Runtime',
  'Environment',
  'Timeout',
  'MemorySize',
  'ReservedConcurrentExecutions',
  'LoggingConfig',
  // No effect here: permissions and the processor are this machine's own.
  'Role',
  'Architectures',
  'Description',
  'TracingConfig',
  'Tags',
  // Nothing is stopped here for going round too often.
  'RecursiveLoop',
] as const

const functionSchema = z.object({
  Code: z.object({ S3Key: z.string() }),
  Handler: z.string().regex(/^[\w./-]+\.\w+$/),
  Runtime: z.string().regex(/^nodejs\d+\.x$/, 'only Node.js runtimes run here'),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.coerce.string()) }).optional(),
  Timeout: z.coerce.number().int().min(1).max(900).default(3),
  MemorySize: z.coerce.number().int().min(128).max(10_240).default(128),
  LoggingConfig: z
    .strictObject({
      ApplicationLogLevel: z.string().optional(),
      LogFormat: z.literal('JSON', 'logs here are JSON lines').optional(),
      // Logs go to the data directory, without the START, END and REPORT lines.
      LogGroup: z.string().optional(),
      SystemLogLevel: z.string().optional(),
    })
    .optional(),
  ReservedConcurrentExecutions: z.coerce.number().int().min(1).optional(),
})

/** What it takes to run a function of the template. */
export interface FunctionSpec {
  name: string
  arn: string
  /** The file that exports the handler, as the app bundled it. */
  file: string
  exportName: string
  timeoutMs: number
  memoryMb: number
  /** The template's own variables, nothing else. */
  environment: Record<string, string>
  /** The least severe line the Lambda runtime lets through, by its own names. */
  logLevel?: string
  /** Workers at most. */
  concurrency: number
}

// More workers than this only take turns on one machine; fewer would hide races a template allows.
const CONCURRENCY = 4

/** Reads a function of the template. Throws `CannotRunLocally` for code or settings not supported. */
export function functionSpec(resource: Resource, runtime: Runtime): FunctionSpec {
  const parsed = functionSchema.safeParse(resource.properties)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const todo = 'Use Code.fromAsset with a Node.js runtime.'
    throw refuse(resource, issue?.path.join('.') ?? '', issue?.message ?? 'not understood', todo)
  }
  const it = parsed.data
  const directory = runtime.assetPath(it.Code.S3Key)
  if (directory === undefined || !statSync(directory).isDirectory()) {
    const why = `no bundled directory belongs to the object key ${it.Code.S3Key}`
    throw refuse(resource, 'Code', why, 'Use Code.fromAsset of a directory.')
  }
  const dot = it.Handler.lastIndexOf('.')
  const stem = it.Handler.slice(0, dot)
  const file = ['.mjs', '.js', '.cjs']
    .map((ending) => join(directory, stem + ending))
    .find((candidate) => existsSync(candidate))
  if (file === undefined) {
    const why = `the bundle has no ${stem}.mjs, .js or .cjs`
    throw refuse(resource, 'Handler', why, 'Name the file of the bundle that exports the handler.')
  }
  return {
    name: resource.ref,
    arn: String(resource.attributes.Arn),
    file,
    exportName: it.Handler.slice(dot + 1),
    timeoutMs: it.Timeout * 1_000,
    memoryMb: it.MemorySize,
    environment: it.Environment?.Variables ?? {},
    ...(it.LoggingConfig?.ApplicationLogLevel && {
      logLevel: it.LoggingConfig.ApplicationLogLevel,
    }),
    concurrency: Math.min(it.ReservedConcurrentExecutions ?? CONCURRENCY, CONCURRENCY),
  }
}

/**
 * The environment of a function's worker: the template's variables and what the Lambda runtime
 * itself sets. Nothing of this process comes through, least of all somebody's AWS profile.
 */
export function workerEnvironment(
  spec: FunctionSpec,
  runtime: Runtime,
  version: string,
): Record<string, string> {
  const endpoints: Record<string, string> = {
    // Any service without an endpoint of its own here ends at the control endpoint, which says so.
    AWS_ENDPOINT_URL: runtime.controlUrl,
  }
  if (runtime.endpoints.dynamodb !== undefined) {
    endpoints.AWS_ENDPOINT_URL_DYNAMODB = runtime.endpoints.dynamodb
    endpoints.AWS_ENDPOINT_URL_DYNAMODB_STREAMS = runtime.endpoints.dynamodb
  }
  return {
    AWS_REGION: runtime.region,
    AWS_DEFAULT_REGION: runtime.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_VERSION: version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${spec.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: 'JSON',
    ...(spec.logLevel && { AWS_LAMBDA_LOG_LEVEL: spec.logLevel }),
    LAMBDA_TASK_ROOT: join(spec.file, '..'),
    _HANDLER: `${spec.file}:${spec.exportName}`,
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    ...endpoints,
    ...spec.environment,
  }
}
