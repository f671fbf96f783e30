import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Named, Plugin } from '../runtime.ts'
import { openObjects } from './objects.ts'
import { s3Routes } from './routes.ts'

const BUCKET = 'AWS::S3::Bucket'

const bucketSchema = z.object({
  ObjectLockEnabled: z.boolean().default(false),
})

/**
 * S3: buckets as append-only files. An object that is put again gets another version, and nothing that was
 * written is ever changed; a bucket with Object Lock refuses to delete, as AWS does while the lock holds.
 */
export const s3: Plugin = {
  name: 's3',
  supports: {
    [BUCKET]: [
      'BucketName',
      'ObjectLockEnabled',
      'VersioningConfiguration',
      // Nothing is removed here before its time, nor after it.
      'ObjectLockConfiguration',
      'LifecycleConfiguration',
      // No effect here: this machine alone reaches the files, and they are not encrypted.
      'BucketEncryption',
      'PublicAccessBlockConfiguration',
      'OwnershipControls',
      'Tags',
    ],
    'AWS::S3::BucketPolicy': { inert: 'Buckets here are reached from this machine only.' },
  },
  identities: {
    [BUCKET]: (it: Named) => {
      const name = it.text('BucketName') ?? it.logicalId.toLowerCase()
      return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } }
    },
  },

  async start(runtime) {
    const folder = join(runtime.dataDir, 's3')
    const buckets = new Map(
      runtime.ofType(BUCKET).map((resource) => {
        const { ObjectLockEnabled } = bucketSchema.parse(resource.properties)
        mkdirSync(folder, { recursive: true })
        const objects = openObjects(join(folder, `${resource.ref}.ndjson`), () => runtime.now())
        return [resource.ref, { objects, isLocked: ObjectLockEnabled }]
      }),
    )
    return {
      controlRoutes: s3Routes(buckets),
      async stop() {
        for (const { objects } of buckets.values()) objects.close()
      },
    }
  },
}
