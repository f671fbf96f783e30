import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'

/** A message to the people who see to the system. */
export interface Notice {
  readonly subject: string
  readonly message: string
}

/** SNS takes a subject of at most so many characters, of ASCII. */
const MAX_SUBJECT = 99

/** @param topicArn undefined where nobody is to be told */
export function notifier(topicArn: string | undefined): (notice: Notice) => Promise<void> {
  return async ({ subject, message }) => {
    if (topicArn === undefined) return
    const client = new SNSClient({})
    const Subject = subject.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_SUBJECT)
    await client.send(new PublishCommand({ TopicArn: topicArn, Subject, Message: message }))
    client.destroy()
  }
}
