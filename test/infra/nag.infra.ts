import { type App, Stack, Validations } from 'aws-cdk-lib'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, it } from 'vitest'
import { buildApp } from '../../infra/app.ts'
import { stageConfig } from '../../infra/stages.ts'

/** Every optional part is on, so that its findings show too. */
const build = (stage: string) =>
  buildApp(stageConfig(stage, { alarmEmail: 'ops@example.org' }), {
    bundling: 'skip',
    schemaValidation: true,
  })

/** Findings as `rule construct-path`; with `all`, the acknowledged ones too. */
function findings(app: App, all = false): string[] {
  const pack = new AwsSolutionsChecks(app)
  if (all) Object.assign(pack, { isAcknowledged: () => false })
  return pack
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
    )
}

/** What was acknowledged where, and why. */
function acknowledged(app: App): { rule: string; path: string; reason: string }[] {
  return app.node.findAll().flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) =>
        Object.entries(data as Record<string, string>).map(([rule, reason]) => ({
          rule: rule.replace(/^annotation::/i, ''),
          path: node.path,
          reason,
        })),
      ),
  )
}

describe.each(['local', 'dev', 'staging', 'prod'])('cdk-nag on %s', (stage) => {
  const app = build(stage)

  it('finds nothing that is not acknowledged', () => {
    expect(findings(app)).toEqual([])
  })

  it('finds something behind every acknowledgement, so none is left over', () => {
    const all = findings(app, true)
    for (const { rule, path } of acknowledged(app)) {
      const behind = all.filter((finding) => finding.startsWith(`${rule} ${path}`))
      expect(behind, `${rule} at ${path}`).not.toEqual([])
    }
  })

  it('agrees with the schemas of CloudFormation', () => {
    expect(() => app.synth()).not.toThrow()
  })
})

describe('acknowledgements', () => {
  it('are these, each with a reason one can weigh', () => {
    const list = acknowledged(build('prod'))
    expect([...new Set(list.map(({ rule }) => rule))].sort()).toEqual([
      'AwsSolutions-APIG4',
      'AwsSolutions-COG8',
      'AwsSolutions-IAM5[Resource::*]',
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::<ArchiveBucket.*>\/\*\]$/),
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::<ArchiveBucket.*>\/error\/\*\]$/),
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::<ArchiveBucket.*>\/raw\/\*\]$/),
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::<ArchiveBucket.*>\/registry\/\*\]$/),
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::<Firmware.*>\/images\/\*\]$/),
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::<.*Anchors.*>\/anchors\/\*\]$/),
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::<.*Anchors.*>\/manifests\/\*\]$/),
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::.*:cert\/\*\]$/),
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::.*:thing\/\*\]$/),
      expect.stringMatching(
        /^AwsSolutions-IAM5\[Resource::.*:thinggroup\/autovolt-prod-room-\*\]$/,
      ),
      expect.stringMatching(/^AwsSolutions-IAM5\[Resource::.*topic\/autovolt\/\*\/resend\]$/),
      expect.stringMatching(
        /^AwsSolutions-IAM5\[Resource::arn:aws:s3:::autovolt-prod-archive-replica-.*\]$/,
      ),
      'AwsSolutions-S1',
      'AwsSolutions-SQS3',
    ])
    for (const { reason } of list) expect(reason.length).toBeGreaterThan(50)
  })
})

describe('the check itself', () => {
  it('sees a queue that anyone may read in plain', () => {
    const app = build('prod')
    new Queue(new Stack(app, 'Careless'), 'Open')
    expect(findings(app)).toContain('AwsSolutions-SQS4 Careless/Open/Resource')
  })
})
