import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Resource, Runtime } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { type Message, parseSql, type Statement } from './sql.ts'
import { basicIngest, filterMatches } from './topics.ts'

/** A message a client has published, before any rule saw it. */
export type Publication = Omit<Message, 'traceId' | 'receivedAtMs'>

/** The topic rules of the template. */
export interface Rules {
  /**
   * Runs the rules a message matches. Undefined when there is nothing to wait for; otherwise
   * resolves once every event is on disk with its function, or, where a function could not take it,
   * in the queue of the rule's error action. Rejects when neither could be done.
   */
  dispatch(publication: Publication): Promise<void> | undefined
}

interface Rule {
  name: string
  statement: Statement
  actions: readonly Action[]
  errorQueue?: { arn: string; base64: boolean }
}

/** What a rule does with a message. One that fails leaves the others as they are. */
interface Action {
  /** As AWS calls it in the report of a failure. */
  kind: 'LambdaAction' | 'FirehoseAction'
  resource: string
  /** Resolves once the event is on disk. */
  run(event: Record<string, unknown>, clientId: string): Promise<void>
}

const lambdaAction = z.strictObject({ Lambda: z.strictObject({ FunctionArn: z.string() }) })
const firehoseAction = z.strictObject({
  Firehose: z.strictObject({
    DeliveryStreamName: z.string(),
    RoleArn: z.string(),
    Separator: z.enum(['\n', '\t', '\r\n', ',']).default('\n'),
  }),
})
const sqsAction = z.strictObject({
  Sqs: z.strictObject({
    QueueUrl: z.string(),
    RoleArn: z.string(),
    UseBase64: z.boolean().optional(),
  }),
})
const payloadSchema = z.strictObject({
  Sql: z.string(),
  AwsIotSqlVersion: z.literal('2016-03-23'),
  Description: z.string().optional(),
  RuleDisabled: z.boolean().optional(),
  Actions: z.array(z.union([lambdaAction, firehoseAction])),
  ErrorAction: sqsAction.optional(),
})

type Needs = Pick<Runtime, 'ofType' | 'invokeAsync' | 'putRecord' | 'sendToQueue' | 'log' | 'now'>

/**
 * Reads the topic rules of the template.
 * @throws an Error with the rule's logical id and the piece that cannot be honoured.
 */
export function readRules(runtime: Needs): Rules {
  const rules = runtime
    .ofType('AWS::IoT::TopicRule')
    .flatMap((resource) => readRule(runtime, resource) ?? [])
  const byName = new Map(rules.map((rule) => [rule.name, rule]))
  const byTopic = new Map<string, readonly Rule[]>()

  /** Nodes publish on few topics again and again; the bound keeps inventive clients from growing this. */
  const matching = (topic: string): readonly Rule[] => {
    const known = byTopic.get(topic)
    if (known) return known
    const found = rules.filter(({ statement }) => filterMatches(statement.from, topic))
    if (byTopic.size >= 10_000) byTopic.clear()
    byTopic.set(topic, found)
    return found
  }

  return {
    dispatch(publication) {
      const direct = basicIngest(publication.topic)
      let targets: readonly Rule[]
      if (direct) {
        const rule = byName.get(direct.ruleName)
        if (!rule) {
          runtime.log('iot', 'message to a rule that does not exist is dropped, as AWS does', {
            topic: publication.topic,
            client_id: publication.clientId,
          })
          return undefined
        }
        targets = [rule]
      } else {
        targets = matching(publication.topic)
      }
      if (targets.length === 0) return undefined
      const message: Message = {
        ...publication,
        topic: direct?.topic ?? publication.topic,
        receivedAtMs: runtime.now(),
        traceId: randomUUID(),
      }
      const runs = targets.map((rule) => run(runtime, rule, message))
      return runs.length === 1 ? runs[0] : Promise.all(runs).then(() => undefined)
    },
  }
}

function readRule(runtime: Needs, resource: Resource): Rule | undefined {
  const name = z.string().parse(resource.properties.RuleName ?? resource.ref)
  const payload = payloadSchema.safeParse(resource.properties.TopicRulePayload)
  if (!payload.success) {
    throw refuse(
      resource,
      'TopicRulePayload',
      z.prettifyError(payload.error),
      'Only Lambda and Firehose actions and an SQS error action run here; local/iot/rules.ts can learn more.',
    )
  }
  const { Sql, Actions, ErrorAction, RuleDisabled } = payload.data
  let statement: Statement
  try {
    statement = parseSql(Sql)
  } catch (cause) {
    throw refuse(
      resource,
      'TopicRulePayload.Sql',
      `rule ${name}: ${(cause as Error).message} is not supported here`,
      'Write the rule without it, or teach it to local/iot/sql.ts.',
    )
  }
  if (RuleDisabled) return undefined
  const actions = Actions.map((action) => readAction(runtime, action))
  if (!ErrorAction) return { name, statement, actions }
  const { QueueUrl, UseBase64 } = ErrorAction.Sqs
  const queue = runtime.ofType('AWS::SQS::Queue').find(({ ref }) => ref === QueueUrl)
  if (!queue) {
    throw refuse(
      resource,
      'TopicRulePayload.ErrorAction.Sqs.QueueUrl',
      `${QueueUrl} is no queue of this app`,
      'Point the error action at a queue of the app.',
    )
  }
  const arn = String(queue.attributes.Arn)
  return {
    name,
    statement,
    actions,
    errorQueue: { arn, base64: UseBase64 ?? false },
  }
}

function readAction(
  runtime: Needs,
  action: z.infer<typeof lambdaAction> | z.infer<typeof firehoseAction>,
): Action {
  if ('Lambda' in action) {
    const arn = action.Lambda.FunctionArn
    return {
      kind: 'LambdaAction',
      resource: arn,
      run: (event, clientId) => runtime.invokeAsync(arn, event, clientId),
    }
  }
  const { DeliveryStreamName: stream, Separator } = action.Firehose
  return {
    kind: 'FirehoseAction',
    resource: stream,
    run: (event) => runtime.putRecord(stream, Buffer.from(JSON.stringify(event) + Separator)),
  }
}

/** Calls of one client must reach `invokeAsync` in the order of its messages, so nothing is awaited before. */
function run(runtime: Needs, rule: Rule, message: Message): Promise<void> {
  let event: Record<string, unknown>
  try {
    event = rule.statement.select(message)
  } catch (cause) {
    // AWS too only logs what its SQL could not read; the error action is for failed actions.
    runtime.log('iot', 'rule SQL failed on a message', {
      rule: rule.name,
      topic: message.topic,
      client_id: message.clientId,
      reason: String(cause),
    })
    return Promise.resolve()
  }
  const runs = rule.actions.map(async (action) => {
    try {
      await action.run(event, message.clientId)
      return undefined
    } catch (cause) {
      return { action, cause }
    }
  })
  return Promise.all(runs).then((results) => {
    const failures = results.filter((result) => result !== undefined)
    if (failures.length > 0) report(runtime, rule, message, failures)
  })
}

/** Hands a message whose actions failed to the error action, in the form AWS documents. */
function report(
  runtime: Needs,
  rule: Rule,
  message: Message,
  failures: readonly { action: Action; cause: unknown }[],
): void {
  const reasons = failures.map(({ action: { kind, resource }, cause }) => {
    const why = cause instanceof Error ? cause.message : cause
    const what =
      kind === 'LambdaAction'
        ? [`Failed to invoke lambda function. ${why}`, `lambda, FunctionArn: ${resource}`]
        : [`Failed to put the record. ${why}`, `firehose, DeliveryStreamName: ${resource}`]
    return {
      failedAction: kind,
      failedResource: resource,
      errorMessage: `${what[0]}. Message arrived on: ${message.topic}, Action: ${what[1]}`,
    }
  })
  runtime.log('iot', 'rule action failed', { rule: rule.name, topic: message.topic, reasons })
  if (!rule.errorQueue) {
    throw new Error(`rule ${rule.name} has no error action`, { cause: failures[0]?.cause })
  }
  const body = JSON.stringify({
    ruleName: rule.name,
    topic: message.topic,
    cloudwatchTraceId: message.traceId,
    clientId: message.clientId,
    base64OriginalPayload: message.payload.toString('base64'),
    failures: reasons,
  })
  const { arn, base64 } = rule.errorQueue
  runtime.sendToQueue(arn, base64 ? Buffer.from(body).toString('base64') : body)
}
