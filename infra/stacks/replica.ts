import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { archiveBucketProps, unlogged } from '../constructs/raw-archive.ts'

/** The copy of the raw archive, in the region a site falls back to when its own is lost. */
export class ReplicaStack extends Stack {
  constructor(scope: Construct, id: string, config: StageConfig, props: StackProps) {
    super(scope, id, props)
    const bucket = new Bucket(this, 'Archive', archiveBucketProps(config, this.account, true))
    unlogged(bucket)
    new CfnOutput(this, 'ArchiveReplicaName', { value: bucket.bucketName })
  }
}
