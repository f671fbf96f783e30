import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Resource } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { type Objects, openObjects, type Stored } from './objects.ts'

/** A bucket of the template. */
export interface LocalBucket {
  readonly objects: Objects
  readonly isLocked: boolean
  readonly isVersioned: boolean
  /** Puts an object here and, where a rule of replication says so, into the other bucket. */
  put(key: string, body: Buffer, type: string): Stored
}

const replicationSchema = z.strictObject({
  // A copy on one machine needs no permission.
  Role: z.string(),
  Rules: z.array(
    z.strictObject({
      Id: z.string().optional(),
      Status: z.enum(['Enabled', 'Disabled']),
      Priority: z.number().optional(),
      Filter: z.strictObject({ Prefix: z.string().default('') }),
      Destination: z.strictObject({
        Bucket: z.string(),
        // Copies are made at once, so there is nothing to measure.
        Metrics: z.unknown().optional(),
      }),
      // Deletions are not handed on.
      DeleteMarkerReplication: z.strictObject({ Status: z.literal('Disabled') }),
    }),
  ),
})

const bucketSchema = z.object({
  ObjectLockEnabled: z.boolean().default(false),
  VersioningConfiguration: z.object({ Status: z.string() }).optional(),
  ReplicationConfiguration: replicationSchema.optional(),
})

/** Opens the buckets of the template, each a file in `folder`, by name. */
export function openBuckets(
  resources: readonly Resource[],
  folder: string,
  now: () => number,
): ReadonlyMap<string, LocalBucket> {
  const buckets = new Map<string, LocalBucket>()
  for (const resource of resources) {
    const parsed = bucketSchema.safeParse(resource.properties)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      const where = issue?.path.join('.') ?? ''
      throw refuse(resource, where, issue?.message ?? 'not understood', 'See local/s3/buckets.ts.')
    }
    const { ObjectLockEnabled, VersioningConfiguration, ReplicationConfiguration } = parsed.data
    mkdirSync(folder, { recursive: true })
    const objects = openObjects(join(folder, `${resource.ref}.ndjson`), now)
    const copies = copiesOf(resource, resources, ReplicationConfiguration)
    buckets.set(resource.ref, {
      objects,
      isLocked: ObjectLockEnabled,
      isVersioned: VersioningConfiguration?.Status === 'Enabled',
      put(key, body, type) {
        const stored = objects.put(key, body, type)
        for (const { prefix, name } of copies) {
          // A copy is no original: S3 does not copy it further.
          if (key.startsWith(prefix)) buckets.get(name)?.objects.put(key, body, type)
        }
        return stored
      },
    })
  }
  return buckets
}

function copiesOf(
  resource: Resource,
  resources: readonly Resource[],
  configuration: z.infer<typeof replicationSchema> | undefined,
): { prefix: string; name: string }[] {
  const rules = (configuration?.Rules ?? []).filter(({ Status }) => Status === 'Enabled')
  return rules.map(({ Filter, Destination }) => {
    const name = Destination.Bucket.replace(/^arn:aws:s3:::/, '')
    if (!resources.some(({ ref }) => ref === name)) {
      throw refuse(
        resource,
        'ReplicationConfiguration.Rules',
        `${name} is no bucket of this app`,
        'Copy to a bucket of the app.',
      )
    }
    return { prefix: Filter.Prefix, name }
  })
}
