import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { physicalName, RELEASE_IMAGES } from '../names.ts'

/**
 * Where the images of releases lie, and the role by which AWS IoT Jobs signs the address a node fetches one
 * from. The jobs themselves are made by `autovolt firmware release`: a release is an event, not a resource.
 */
export class FirmwareReleases extends Construct {
  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id)
    const stack = Stack.of(this)
    const bucket = new Bucket(this, 'Bucket', {
      // Names of buckets are shared by all accounts.
      bucketName: `${physicalName(config, 'firmware')}-${stack.account}`,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      versioned: true,
      removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      lifecycleRules: [
        {
          id: 'uploads',
          abortIncompleteMultipartUploadAfter: Duration.days(1),
          // A released image stays, a megabyte each: a node may be asked to go back to it.
          noncurrentVersionExpiration: Duration.days(90),
        },
      ],
    })
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Each job tells which node was given which image and what came of it; a log of requests would say less.',
    })

    const role = new Role(this, 'Role', {
      // The command line names it, and has nothing to look it up in.
      roleName: physicalName(config, 'firmware-download'),
      assumedBy: new ServicePrincipal('iot.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnLike: {
            // The form AWS documents for roles that AWS IoT takes; for jobs it names no narrower one.
            'aws:SourceArn': stack.formatArn({ service: 'iot', resource: '*' }),
          },
        },
      }),
      description: 'Signs the addresses from which nodes download the image of a release',
    })
    role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [bucket.arnForObjects(`${RELEASE_IMAGES}*`)],
      }),
    )
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${stack.getLogicalId(bucket.node.defaultChild as never)}.Arn>/${RELEASE_IMAGES}*]`,
      reason: 'An image for each version there will ever be; nothing else lies under this prefix.',
    })

    new CfnOutput(stack, 'FirmwareBucketName', { value: bucket.bucketName })
    new CfnOutput(stack, 'FirmwareDownloadRoleArn', { value: role.roleArn })
  }
}
