import { join } from 'node:path'
import type { Named, Plugin } from '../runtime.ts'
import { openBuckets } from './buckets.ts'
import { makePresigner } from './presigned.ts'
import { s3Routes } from './routes.ts'

const BUCKET = 'AWS::S3::Bucket'

/**
 * S3: buckets as append-only files. An object that is put again gets another version, and nothing that was
 * written is ever changed; a bucket with Object Lock refuses to delete, as AWS does while the lock holds.
 * What a rule of replication names is put into the other bucket at once.
 */
export const s3: Plugin = {
  name: 's3',
  supports: {
    [BUCKET]: [
      'BucketName',
      'ObjectLockEnabled',
      'VersioningConfiguration',
      'ReplicationConfiguration',
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
    const buckets = openBuckets(runtime.ofType(BUCKET), join(runtime.dataDir, 's3'), () =>
      runtime.now(),
    )
    const presigner = makePresigner(runtime.controlUrl, () => runtime.now())
    return {
      controlRoutes: s3Routes(buckets, presigner),
      provides: {
        presign: presigner.sign,
        putObject(name, key, body, type) {
          const bucket = buckets.get(name)
          if (bucket === undefined) throw new Error(`There is no bucket '${name}' in the app`)
          bucket.put(key, body, type)
        },
      },
      async stop() {
        for (const { objects } of buckets.values()) objects.close()
      },
    }
  },
}
