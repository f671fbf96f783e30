import * as z from 'zod'
import { TABLE } from '../dynamodb/tables.ts'
import { readDirectory } from '../lambda/directory.ts'
import type { Resource, Runtime } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { compileFilter, type Filter } from './filter.ts'

/** The resource type of stream consumers, and its properties honoured here. */
export const MAPPING = 'AWS::Lambda::EventSourceMapping'
export const MAPPING_PROPERTIES = [
  'EventSourceArn',
  'FunctionName',
  'StartingPosition',
  'Enabled',
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'ParallelizationFactor',
  'FunctionResponseTypes',
  'BisectBatchOnFunctionError',
  'MaximumRetryAttempts',
  'MaximumRecordAgeInSeconds',
  'DestinationConfig',
  'FilterCriteria',
  // No effect here: tags only describe.
  'Tags',
] as const

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

const mappingSchema = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST']),
  Enabled: z.coerce.boolean().default(true),
  BatchSize: whole(1, 10_000).default(100),
  MaximumBatchingWindowInSeconds: whole(0, 300).default(0),
  ParallelizationFactor: whole(1, 10).default(1),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
  BisectBatchOnFunctionError: z.coerce.boolean().default(false),
  MaximumRetryAttempts: whole(-1, 10_000).default(-1),
  MaximumRecordAgeInSeconds: whole(-1, 604_800).default(-1),
  DestinationConfig: z
    .strictObject({
      OnFailure: z.strictObject({
        Destination: z.string().regex(/^arn:aws:sqs:/, 'only SQS queues take failed batches here'),
      }),
    })
    .optional(),
  FilterCriteria: z
    .strictObject({ Filters: z.array(z.strictObject({ Pattern: z.string() })) })
    .optional(),
})

/** What a mapping of the template asks for. -1 is no limit. */
export interface MappingSpec {
  /** Stable over restarts. */
  id: string
  table: string
  /** The stream's name in events; the database has its own. */
  streamArn: string
  /** With the alias, where the mapping names one. */
  functionArn: string
  functionName: string
  version: string
  startingPosition: 'TRIM_HORIZON' | 'LATEST'
  enabled: boolean
  batchSize: number
  windowMs: number
  lanes: number
  reportsItemFailures: boolean
  bisects: boolean
  retryAttempts: number
  maxAgeMs: number
  onFailure?: string
  passes: Filter
}

/** Reads a mapping of the template. Throws `CannotRunLocally` for a source or setting not supported. */
export function mappingSpec(resource: Resource, runtime: Runtime): MappingSpec {
  const parsed = mappingSchema.safeParse(resource.properties)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue?.path.join('.') ?? ''
    throw refuse(resource, where, issue?.message ?? 'not understood', 'Change it in CDK.')
  }
  const it = parsed.data
  const table = runtime
    .ofType(TABLE)
    .find((candidate) => candidate.attributes.StreamArn === it.EventSourceArn)
  if (!table?.properties.StreamSpecification) {
    const why = `${it.EventSourceArn} is no stream of a table of the app`
    throw refuse(resource, 'EventSourceArn', why, 'Only table streams are read here.')
  }
  const target = readDirectory(runtime).find(it.FunctionName)
  if (!target) {
    const why = `there is no function '${it.FunctionName}' in the app`
    throw refuse(resource, 'FunctionName', why, 'Name a function of the app.')
  }
  return {
    id: `${resource.stack}/${resource.logicalId}`,
    table: table.ref,
    streamArn: it.EventSourceArn,
    functionArn: target.arn,
    functionName: target.name,
    version: target.version,
    startingPosition: it.StartingPosition,
    enabled: it.Enabled,
    batchSize: it.BatchSize,
    windowMs: it.MaximumBatchingWindowInSeconds * 1_000,
    lanes: it.ParallelizationFactor,
    reportsItemFailures: it.FunctionResponseTypes.length > 0,
    bisects: it.BisectBatchOnFunctionError,
    retryAttempts: it.MaximumRetryAttempts,
    maxAgeMs: it.MaximumRecordAgeInSeconds * 1_000,
    ...(it.DestinationConfig && { onFailure: it.DestinationConfig.OnFailure.Destination }),
    passes: filterOf(resource, it.FilterCriteria?.Filters.map((filter) => filter.Pattern) ?? []),
  }
}

function filterOf(resource: Resource, patterns: string[]): Filter {
  if (patterns.length === 0) return () => true
  try {
    const filters = patterns.map((pattern) => compileFilter(JSON.parse(pattern)))
    return (record) => filters.some((filter) => filter(record))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const todo = 'Use another condition, or teach local/streams/filter.ts this one.'
    throw refuse(resource, 'FilterCriteria', why, todo)
  }
}
