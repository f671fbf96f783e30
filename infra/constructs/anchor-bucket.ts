import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { physicalName } from '../names.ts'

/** How long nobody, whoever he is, can change or remove what was anchored. */
const LOCKED = Duration.days(400)

/**
 * Where the heads of all chains are kept every night. Object Lock makes each object unchangeable for its
 * time, so who rewrites a chain in the database cannot rewrite what it was. Exports of the former system lie
 * beside them, under `legacy/`: people put them there with rights of their own, no function does.
 */
export class AnchorBucket extends Construct {
  readonly bucket: Bucket

  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id)
    this.bucket = new Bucket(this, 'Bucket', {
      // Names of buckets are shared by all accounts.
      bucketName: `${physicalName(config, 'anchors')}-${Stack.of(this).account}`,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: config.protectData
        ? ObjectLockRetention.compliance(LOCKED)
        : ObjectLockRetention.governance(Duration.days(1)),
      removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      lifecycleRules: [
        { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
        // A little after the lock, which would refuse it. Exports of the former system stay.
        ...['anchors', 'manifests'].map((folder) => ({
          id: `expire-${folder}`,
          prefix: `${folder}/`,
          expiration: LOCKED.plus(Duration.days(30)),
          noncurrentVersionExpiration: Duration.days(30),
        })),
      ],
    })
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'One function writes it once a night, and each object names its run; a log of requests would be larger than what it tells of.',
    })
  }
}
