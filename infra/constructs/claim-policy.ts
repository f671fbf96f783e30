/** The topics on which a certificate is asked for, and answered. */
export function claimTopics(templateName: string): string[] {
  return [
    '$aws/certificates/create-from-csr/json',
    `$aws/provisioning-templates/${templateName}/provision/json`,
  ]
}

type ArnOf = (resource: string, resourceName: string) => string

/** What the two requests and their answers need; nodes that renew have the same. */
export function claimStatements(arn: ArnOf, topics: readonly string[]): object[] {
  return [
    {
      Sid: 'AskForAnIdentity',
      Effect: 'Allow',
      Action: 'iot:Publish',
      Resource: topics.map((topic) => arn('topic', topic)),
    },
    {
      Sid: 'SubscribeToTheAnswer',
      Effect: 'Allow',
      Action: 'iot:Subscribe',
      Resource: topics.map((topic) => arn('topicfilter', `${topic}/*`)),
    },
    {
      Sid: 'ReceiveTheAnswer',
      Effect: 'Allow',
      Action: 'iot:Receive',
      Resource: topics.map((topic) => arn('topic', `${topic}/*`)),
    },
  ]
}

/**
 * What the claim certificate opens, which every node that waits for its identity shares: two questions
 * and their answers. It belongs to no thing, so it can be nobody.
 */
export function claimPolicy(arn: ArnOf, topics: readonly string[]): object {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'ConnectAsAClaim',
        Effect: 'Allow',
        Action: 'iot:Connect',
        Resource: arn('client', 'claim-*'),
        Condition: {
          // Kept sessions stay closed here too.
          'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] },
        },
      },
      ...claimStatements(arn, topics),
    ],
  }
}
