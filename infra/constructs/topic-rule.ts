import { Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot'
import { CfnPermission } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import type { ArchiveStream } from './archive-stream.ts'
import type { FailureQueue } from './failure-queue.ts'
import type { ServiceFunction } from './function.ts'

/** What nodes publish about themselves, each on `autovolt/<esp32_name>/<channel>`. */
export const RULE_CHANNELS = ['telemetry', 'status', 'heartbeat'] as const
export type RuleChannel = (typeof RULE_CHANNELS)[number]

/** The name of a rule; nodes put it into Basic Ingest topics, so it is part of the wire contract. */
export function topicRuleName(
  config: StageConfig,
  channel: RuleChannel | typeof LIFECYCLE,
): string {
  return `autovolt_${config.stage}_${channel}`
}

/** What AWS IoT itself publishes when any client connects or disconnects, as a channel of a rule. */
export const LIFECYCLE = 'lifecycle'

export interface TopicRuleProps {
  readonly config: StageConfig
  readonly channel: RuleChannel | typeof LIFECYCLE
  readonly target: ServiceFunction
  /** Takes messages the rule could not hand over. Failures of the function itself do not come here. */
  readonly failures: FailureQueue
  /**
   * Keeps every message as well. An action of its own: the function may fail as it likes. Not a rule of
   * its own, since Basic Ingest reaches just the rule it names.
   * @default - messages are not archived
   */
  readonly archive?: ArchiveStream
  /**
   * Another function that gets every message, for the same reasons an action of its own.
   * @default - none
   */
  readonly also?: ServiceFunction
}

/**
 * Hands every message on `autovolt/+/<channel>` to a function, asynchronously. Basic Ingest
 * (`$aws/rules/<rule>/autovolt/<esp32_name>/<channel>`) reaches the same rule, and `topic(n)`
 * skips its prefix there. The lifecycle rule hears `$aws/events/presence/<what>/<client id>` instead.
 */
export class TopicRule extends Construct {
  constructor(scope: Construct, id: string, props: TopicRuleProps) {
    super(scope, id)
    const { config, channel, target, failures, archive, also } = props
    const stack = Stack.of(this)
    const ruleName = topicRuleName(config, channel)
    // Written out instead of read from the rule, so that the permissions exist before the rule does.
    const ruleArn = stack.formatArn({ service: 'iot', resource: 'rule', resourceName: ruleName })

    const permission = (permissionId: string, callee: ServiceFunction) =>
      new CfnPermission(this, permissionId, {
        action: 'lambda:InvokeFunction',
        functionName: callee.live.functionArn,
        principal: 'iot.amazonaws.com',
        sourceArn: ruleArn,
        sourceAccount: stack.account,
      })
    const permissions = [permission('Permission', target)]

    const assumedBy = new ServicePrincipal('iot.amazonaws.com', {
      conditions: {
        ArnEquals: { 'aws:SourceArn': ruleArn },
        StringEquals: { 'aws:SourceAccount': stack.account },
      },
    })
    const errorRole = new Role(this, 'ErrorRole', {
      assumedBy,
      description: `Sends what ${ruleName} could not hand over to its failure queue`,
    })
    errorRole.addToPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failures.queue.queueArn] }),
    )

    const actions: CfnTopicRule.ActionProperty[] = [
      { lambda: { functionArn: target.live.functionArn } },
    ]
    if (archive !== undefined) {
      const role = new Role(this, 'ArchiveRole', {
        assumedBy,
        description: `Puts what ${ruleName} receives into the raw archive`,
      })
      archive.letPut(role)
      actions.push({
        firehose: {
          deliveryStreamName: archive.name,
          roleArn: role.roleArn,
          // One message a line.
          separator: '\n',
        },
      })
    }

    if (also !== undefined) {
      permissions.push(permission('AlsoPermission', also))
      actions.push({ lambda: { functionArn: also.live.functionArn } })
    }

    const rule = new CfnTopicRule(this, 'Rule', {
      ruleName,
      topicRulePayload: {
        description: `${channel} of all ${channel === LIFECYCLE ? 'clients' : 'nodes'} to ${target.serviceName}`,
        awsIotSqlVersion: '2016-03-23',
        ruleDisabled: false,
        // The payload goes on as bytes: one that is not JSON must reach quarantine, not vanish in
        // the rule. Who sent it comes from the connection, never from the payload.
        sql: channel === LIFECYCLE ? LIFECYCLE_SQL : channelSql(channel),
        actions,
        errorAction: {
          sqs: {
            queueUrl: failures.queue.queueUrl,
            roleArn: errorRole.roleArn,
            useBase64: false,
          },
        },
      },
    })
    for (const given of permissions) rule.addResourceDependency(given)
  }
}

function channelSql(channel: RuleChannel): string {
  return [
    "SELECT encode(*, 'base64') AS payload",
    'topic(2) AS esp32_name',
    'topic(3) AS channel',
    'topic() AS topic',
    'clientid() AS client_id',
    'principal() AS principal',
    'timestamp() AS received_at',
    `traceid() AS trace_id FROM 'autovolt/+/${channel}'`,
  ].join(', ')
}

/** No client has sent these, so who did is not asked. */
const LIFECYCLE_SQL = [
  "SELECT encode(*, 'base64') AS payload",
  'topic(5) AS esp32_name',
  'topic(4) AS channel',
  'timestamp() AS received_at',
  "traceid() AS trace_id FROM '$aws/events/presence/+/+'",
].join(', ')
