import type { Plugin } from './runtime.ts'

const supports = {
  'AWS::Athena::NamedQuery': { inert: 'No engine for queries is here; the objects are in S3.' },
  'AWS::Athena::WorkGroup': { inert: 'No engine for queries is here; the objects are in S3.' },
  'AWS::CDK::Metadata': { inert: 'Tells AWS which CDK version made the stack.' },
  'AWS::CloudFormation::WaitCondition': { inert: 'Deployment order only.' },
  'AWS::CloudFormation::WaitConditionHandle': { inert: 'Deployment order only.' },
  'AWS::CodeDeploy::Application': { inert: 'It only names a set of deployment groups.' },
  'AWS::CodeDeploy::DeploymentGroup': {
    inert: 'A start is a whole deployment: no older version runs here to move calls away from.',
  },
  'AWS::Glue::Database': { inert: 'Describes objects to an engine for queries; none is here.' },
  'AWS::Glue::Table': { inert: 'Describes objects to an engine for queries; none is here.' },
  'AWS::IAM::ManagedPolicy': { inert: 'Functions reach a local database without permissions.' },
  'AWS::IAM::Policy': { inert: 'Functions reach a local database without permissions.' },
  'AWS::IAM::Role': { inert: 'Functions reach a local database without permissions.' },
  'AWS::KMS::Alias': { inert: 'The data directory is not encrypted.' },
  'AWS::KMS::Key': { inert: 'The data directory is not encrypted.' },
  'AWS::Lambda::Permission': {
    inert: 'Every caller on this machine is one the template connects.',
  },
  'AWS::Logs::LogGroup': { inert: 'Logs go to <data-dir>/logs, kept by size instead of age.' },
  'AWS::Logs::LogStream': { inert: 'Logs go to <data-dir>/logs, a file for each source.' },
  'AWS::Logs::MetricFilter': { inert: 'Only what functions log as metrics is counted here.' },
  'AWS::Logs::QueryDefinition': { inert: 'Saved searches of the AWS console.' },
  'AWS::Logs::ResourcePolicy': { inert: 'Nobody else writes the local logs.' },
  'AWS::Scheduler::ScheduleGroup': { inert: 'Groups only name schedules.' },
  'AWS::SQS::QueuePolicy': { inert: 'Queues here are reached from this machine only.' },
} satisfies Plugin['supports']

/** The resource types that have no effect on one machine, each with the reason. */
export const inert: Plugin = {
  name: 'inert',
  supports,
  async start() {
    return { stop: async () => {} }
  },
}
