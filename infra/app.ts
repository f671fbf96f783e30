import { App, DefaultStackSynthesizer } from 'aws-cdk-lib'
import recommended from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' }
import type { StageConfig, StageInput } from './config.ts'
import { ApiStack } from './stacks/api.ts'
import { MonitoringStack } from './stacks/monitoring.ts'
import { PipelineStack } from './stacks/pipeline.ts'
import { ReplicaStack } from './stacks/replica.ts'
import { StatefulStack } from './stacks/stateful.ts'
import { stageConfig } from './stages.ts'

export interface BuildOptions {
  /**
   * `skip` leaves the functions' code unbundled, for who only looks at the templates.
   * @default 'esbuild'
   */
  readonly bundling?: 'esbuild' | 'skip'
  /**
   * Where the assembly is written.
   * @default - what the CDK command line says, else a new temporary folder
   */
  readonly outdir?: string
  /**
   * Checks the templates against the schemas of CloudFormation, which takes about a second.
   * @default false
   */
  readonly schemaValidation?: boolean
}

/**
 * Behaviour of CDK itself: what it recommends for a new app, at its pinned version. Here and not
 * in cdk.json, which only its command line reads.
 */
const behaviour = {
  ...recommended,
  '@aws-cdk/core:target-partitions': ['aws'],
  // A deployment that would take a table away from a function that reads it fails early.
  '@aws-cdk/core:defaultCrossStackReferences': 'strong',
  // Paths of constructs and assets in the templates, by which other tools find their way back.
  'aws:cdk:enable-path-metadata': true,
  'aws:cdk:enable-asset-metadata': true,
}

/**
 * The whole system as one CDK app: five stacks for one stage. The CDK command line deploys it,
 * and the local stack runs what its templates say.
 */
export function buildApp(
  config: StageConfig = stageConfig('local'),
  options: BuildOptions = {},
): App {
  const app = new App({
    outdir: options.outdir,
    analyticsReporting: false,
    treeMetadata: false,
    builtinCloudFormationValidation: options.schemaValidation ?? false,
    postCliContext: {
      ...behaviour,
      ...(options.bundling === 'skip' ? { 'aws:cdk:bundling-stacks': [] } : {}),
    },
  })
  const name = (part: string) => `Autovolt-${config.stage}-${part}`
  const props = (description: string) => ({
    description: `AutoVolt ${config.stage}: ${description}`,
    env: { account: config.account, region: config.region },
    terminationProtection: config.protectData,
    // CloudFormation hands these on to every resource of the stack.
    tags: { application: 'autovolt', stage: config.stage },
    synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
  })

  const replica = new ReplicaStack(app, name('Replica'), config, {
    ...props('copy of the raw archive'),
    env: { account: config.account, region: config.archive.replicaRegion },
  })
  const stateful = new StatefulStack(
    app,
    name('Stateful'),
    config,
    props('tables, archive, users, alarms'),
  )
  // S3 takes a rule of replication only when the other bucket is there.
  stateful.addStackDependency(replica)
  const { tables, people, alarms, archive } = stateful
  const context = { config, tables, alarms, people, archive }
  const { reconcile, ledger } = new PipelineStack(
    app,
    name('Pipeline'),
    context,
    props('from a node to the ledger'),
  )
  const { apiId } = new ApiStack(
    app,
    name('Api'),
    { ...context, reconcile, ledger },
    props('HTTP API'),
  )
  // Last, since it looks over all that was made before.
  new MonitoringStack(
    app,
    name('Monitoring'),
    { ...context, apiId },
    props('is anything lost, late or wrong'),
  )
  return app
}

/** Settings that may be given on the command line, `-c name=value`; a list is parted by commas. */
function commandLineSettings(): { stage: unknown; overrides: Partial<StageInput> } {
  const { node } = new App({ autoSynth: false })
  const text = (key: string): string | undefined => node.tryGetContext(key)
  return {
    stage: text('stage') ?? 'dev',
    overrides: {
      account: text('account') ?? process.env.CDK_DEFAULT_ACCOUNT,
      region: text('region'),
      siteTimeZone: text('siteTimeZone'),
      currency: text('currency'),
      alarmEmail: text('alarmEmail'),
      onCallEmail: text('onCallEmail'),
      escalationEmail: text('escalationEmail'),
      // What is none of the ways of the configuration is refused there, with its name.
      rollout: text('rollout') as StageInput['rollout'],
      corsOrigins: text('corsOrigins')?.split(','),
    },
  }
}

if (import.meta.main) {
  const { stage, overrides } = commandLineSettings()
  const app = buildApp(stageConfig(stage, overrides), { schemaValidation: true })
  // Loaded here only, since the local stack has no use for it.
  const { addNag } = await import('./nag.ts')
  addNag(app)
  app.synth()
}
