import { Stack } from 'aws-cdk-lib'
import { CfnPolicy } from 'aws-cdk-lib/aws-iot'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { physicalName } from '../names.ts'
import { claimStatements, claimTopics } from './claim-policy.ts'
import { RULE_CHANNELS, topicRuleName } from './topic-rule.ts'

/** The connected thing's own name; AWS IoT fills it in at each request. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of AWS IoT, not of JavaScript.
const THING = '${iot:Connection.Thing.ThingName}'

/** What a node receives: commands for its relays, and requests to send readings again. */
const INBOX = ['commands', 'resend']

/**
 * The two policies all certificates of nodes share: what a node does all day, and its upkeep (jobs, and
 * the renewal of its certificate), apart because a document holds 2,048 characters. They speak of "the thing this certificate belongs to", so
 * a stolen certificate opens one node's topics only, and a new node needs no new policy.
 */
export class DevicePolicy extends Construct {
  /** What a node does all day. */
  readonly policyName: string
  /** Both, as they are attached. */
  readonly policyNames: readonly string[]

  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id)
    this.policyName = physicalName(config, 'node')
    this.policyNames = [this.policyName, physicalName(config, 'node-upkeep')]
    const arn = (resource: string, resourceName: string) =>
      Stack.of(this).formatArn({ service: 'iot', resource, resourceName })
    const topic = (name: string) => arn('topic', name)
    const own = (channel: string) => `autovolt/${THING}/${channel}`

    new CfnPolicy(this, 'Policy', {
      policyName: this.policyName,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'ConnectAsItself',
            Effect: 'Allow',
            Action: 'iot:Connect',
            Resource: arn('client', THING),
            Condition: {
              Bool: { 'iot:Connection.Thing.IsAttached': ['true'] },
              // A will tells us when a node drops. Persistent sessions stay closed: they would
              // deliver a relay command up to an hour late.
              'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] },
            },
          },
          {
            Sid: 'PublishItsOwn',
            Effect: 'Allow',
            Action: 'iot:Publish',
            Resource: [
              ...RULE_CHANNELS.map((channel) => topic(own(channel))),
              topic(own('reply')),
              ...RULE_CHANNELS.map((channel) =>
                topic(`$aws/rules/${topicRuleName(config, channel)}/${own(channel)}`),
              ),
            ],
          },
          {
            Sid: 'RetainItsStatus',
            Effect: 'Allow',
            Action: 'iot:RetainPublish',
            Resource: topic(own('status')),
          },
          {
            Sid: 'SubscribeToItsInbox',
            Effect: 'Allow',
            Action: 'iot:Subscribe',
            Resource: INBOX.map((channel) => arn('topicfilter', own(channel))),
          },
          {
            Sid: 'ReceiveItsInbox',
            Effect: 'Allow',
            Action: 'iot:Receive',
            Resource: INBOX.map((channel) => topic(own(channel))),
          },
        ],
      },
    })

    const jobs = `$aws/things/${THING}/jobs`
    new CfnPolicy(this, 'Upkeep', {
      policyName: physicalName(config, 'node-upkeep'),
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'HearOfItsJobs',
            Effect: 'Allow',
            Action: 'iot:Subscribe',
            Resource: arn('topicfilter', `${jobs}/notify-next`),
          },
          {
            // The answers come without a subscription; they name the job.
            Sid: 'ReceiveItsJobs',
            Effect: 'Allow',
            Action: 'iot:Receive',
            Resource: topic(`${jobs}/*`),
          },
          {
            Sid: 'WorkOnItsJobs',
            Effect: 'Allow',
            Action: 'iot:Publish',
            Resource: [topic(`${jobs}/start-next`), topic(`${jobs}/*/update`)],
          },
          ...claimStatements(arn, claimTopics(this.policyName)),
        ],
      },
    })
  }
}
