import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ControlRequest, ControlResponse, Named, Plugin } from '../runtime.ts'

const TOPIC = 'AWS::SNS::Topic'

/**
 * SNS: what functions and alarms publish is written to `<data-dir>/notices.ndjson`, a line a message;
 * nobody is mailed.
 */
export const sns: Plugin = {
  name: 'sns',
  supports: {
    [TOPIC]: ['TopicName', 'DisplayName', 'KmsMasterKeyId', 'Tags'],
    'AWS::SNS::Subscription': { inert: 'Nobody is mailed here; messages lie in notices.ndjson.' },
    'AWS::SNS::TopicPolicy': { inert: 'Topics here are reached from this machine only.' },
  },
  identities: {
    [TOPIC]: (it: Named) => {
      const name = it.text('TopicName') ?? it.logicalId
      const arn = `arn:aws:sns:${it.region}:${it.account}:${name}`
      return { ref: arn, attributes: { TopicArn: arn, TopicName: name } }
    },
  },

  async start(runtime) {
    const topics = new Set(runtime.ofType(TOPIC).map(({ ref }) => ref))
    if (topics.size === 0) return { stop: async () => {} }
    const file = join(runtime.dataDir, 'notices.ndjson')
    const write = (topic: string, subject: string | null, message: string | null) => {
      const id = crypto.randomUUID()
      const at = new Date(runtime.now()).toISOString()
      appendFileSync(file, `${JSON.stringify({ id, at, topic, subject, message })}\n`)
      return id
    }
    const answer = (body: URLSearchParams): ControlResponse => {
      const topic = body.get('TopicArn') ?? ''
      if (body.get('Action') !== 'Publish') {
        return failure('InvalidAction', `SNS here takes Publish only, not ${body.get('Action')}`)
      }
      if (!topics.has(topic)) return failure('NotFound', `There is no topic ${topic}`)
      const id = write(topic, body.get('Subject'), body.get('Message'))
      return xml(
        200,
        `<PublishResponse><PublishResult><MessageId>${id}</MessageId></PublishResult><ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></PublishResponse>`,
      )
    }
    return {
      controlRoutes: [
        {
          method: 'POST',
          path: /^\/$/,
          // The query protocol has no target; its action stands in the form.
          target: /^$/,
          handle: async ({ body }: ControlRequest) =>
            answer(new URLSearchParams(body.toString('utf8'))),
        },
      ],
      provides: {
        publish(topicArn, subject, message) {
          if (!topics.has(topicArn)) throw new Error(`There is no topic '${topicArn}' in the app`)
          write(topicArn, subject, message)
        },
      },
      stop: async () => {},
    }
  },
}

const failure = (code: string, message: string) =>
  xml(
    400,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  )

const xml = (status: number, body: string): ControlResponse => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body,
})
