import {
  AsyncFailure,
  FormerRejected,
  RuleFailure,
  SetAside,
  StreamFailure,
  TimestreamRejected,
} from '../../functions/contract/failures.ts'
import { LifecycleRuleEvent } from '../../functions/contract/lifecycle.ts'
import type { RuleEvent } from '../../functions/contract/rule-event.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** What a message of a failure queue asks for. */
export type Errand =
  /** Raw events the ledger has named itself. */
  | { readonly kind: 'raw'; readonly register: string; readonly ids: readonly string[] }
  /** Raw events whose readings Timestream did not take. */
  | { readonly kind: 'copy'; readonly register: string; readonly ids: readonly string[] }
  /** Stream records that Lambda gave up. */
  | { readonly kind: 'stream'; readonly fn: string; readonly failure: StreamFailure }
  /** An event that a function did not get, or did not get done. */
  | { readonly kind: 'event'; readonly fn: string; readonly event: unknown }
  /** A message that a topic rule could not put into the archive, into its functions, or both. */
  | {
      readonly kind: 'message'
      readonly fns: readonly string[]
      readonly archived: RuleEvent | null
      readonly event: RuleEvent
    }

export interface Understood {
  readonly errand: Errand
  /** What it is about, in a few words. */
  readonly about: string
}

/**
 * Reads a message by its own shape; only a schedule's says nothing but what it starts with, so there
 * the queue names the function. Throws a Failure for what is none of these.
 */
export function understand(
  stack: Stack,
  queue: string,
  message: { body: string; sentAtMs: number },
): Understood {
  const json = parse(message.body)
  const setAside = SetAside.safeParse(json)
  if (setAside.success) {
    const { register, ids, reason } = setAside.data
    const about = `${ids.length} raw events of ${register} (${ids[0]}${ids.length > 1 ? ' …' : ''}): ${reason}`
    return { errand: { kind: 'raw', register, ids }, about }
  }
  const rejected = TimestreamRejected.safeParse(json)
  if (rejected.success) {
    const { register, ids, reason } = rejected.data
    const about = `${ids.length} raw events of ${register} (${ids[0]}) not in Timestream: ${reason}`
    return { errand: { kind: 'copy', register, ids }, about }
  }
  const former = FormerRejected.safeParse(json)
  if (former.success) {
    const { event, reason } = former.data
    const about = `a message of ${event.esp32_name} refused by the former system: ${reason}`
    // It says that it is redriven, and so is told of a refusal instead of putting it aside again.
    const again = { ...event, redriven: true }
    return { errand: { kind: 'event', fn: stack.functionName('bridge'), event: again }, about }
  }
  const stream = StreamFailure.safeParse(json)
  if (stream.success) {
    const { requestContext, DDBStreamBatchInfo: batch } = stream.data
    const fn = ownFunction(stack, requestContext.functionArn)
    const about = `${batch.batchSize} stream records for ${fn}, given up at ${batch.approximateArrivalOfLastRecord}: ${requestContext.condition}`
    return { errand: { kind: 'stream', fn, failure: stream.data }, about }
  }
  const async = AsyncFailure.safeParse(json)
  if (async.success) {
    const { requestContext, requestPayload } = async.data
    const fn = ownFunction(stack, requestContext.functionArn)
    const about = `an event for ${fn}: ${requestContext.condition}`
    return { errand: { kind: 'event', fn, event: requestPayload }, about }
  }
  const rule = RuleFailure.safeParse(json)
  if (rule.success) {
    const told = lifecycleEvent(rule.data, message.sentAtMs)
    if (told !== null) {
      const fn = stack.functionName('presence')
      return { errand: { kind: 'event', fn, event: told }, about: `an event on ${rule.data.topic}` }
    }
    const { fn, event } = ruleEvent(stack, rule.data, message.sentAtMs)
    const why = rule.data.failures[0]?.errorMessage ?? 'no reason given'
    const failed = rule.data.failures.map(({ failedAction }) => failedAction)
    // Who does not know what failed does both: neither minds what it has already.
    const isKnown =
      failed.length > 0 && failed.every((it) => it !== undefined && KNOWN.includes(it))
    const errand = {
      kind: 'message',
      fns: isKnown ? calledBy(stack, rule.data, fn) : [fn],
      archived: isArchived(event) && (!isKnown || failed.includes('FirehoseAction')) ? event : null,
      event,
    } as const
    return { errand, about: `a message on ${rule.data.topic}: ${why}` }
  }
  const scheduled = /^(.+)-schedule-failures$/.exec(queue)?.[1]
  if (scheduled !== undefined) {
    const fn = stack.functionName(scheduled)
    return { errand: { kind: 'event', fn, event: json }, about: `a start of ${fn} on schedule` }
  }
  throw new Failure(`is no message that a part of this system sends: ${message.body.slice(0, 200)}`)
}

/** The functions that a rule could not call. One that its report does not name is the channel's own. */
function calledBy(stack: Stack, { failures }: RuleFailure, own: string): string[] {
  const fns = failures
    .filter(({ failedAction }) => failedAction === 'LambdaAction')
    .map(({ failedResource = '' }) => {
      if (failedResource.startsWith('arn:')) return ownFunction(stack, failedResource)
      const isName = failedResource.startsWith(`autovolt-${stack.stage}-`)
      return isName ? ownFunction(stack, `arn:aws:lambda:::function:${failedResource}`) : own
    })
  return [...new Set(fns)]
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw new Failure(`is not JSON: ${body.slice(0, 200)}`, { cause })
  }
}

/**
 * What to call for `arn:…:function:<name>[:<qualifier>]`: what is live now, whichever version failed.
 * Another stage's function is not ours to call.
 */
function ownFunction(stack: Stack, arn: string): string {
  const name = arn.split(':')[6] ?? ''
  if (!name.startsWith(`autovolt-${stack.stage}-`)) {
    throw new Failure(`names ${arn}, which is no function of the stage ${stack.stage}`)
  }
  return stack.functionName(name.slice(`autovolt-${stack.stage}-`.length))
}

/** What AWS IoT said of a connection; null for a message of a node. */
function lifecycleEvent(failure: RuleFailure, sentAtMs: number): LifecycleRuleEvent | null {
  const [, channel, esp32_name] = LIFECYCLE.exec(failure.topic) ?? []
  if (channel === undefined) return null
  const payload = failure.base64OriginalPayload
  return LifecycleRuleEvent.parse({ payload, esp32_name, channel, received_at: sentAtMs })
}

/**
 * The event the rule would have handed over. The rule's own instant of receipt is not in its error
 * report; the queue got that report within moments of it.
 */
function ruleEvent(
  stack: Stack,
  failure: RuleFailure,
  sentAtMs: number,
): { fn: string; event: RuleEvent } {
  const topic = failure.topic.replace(/^\$aws\/rules\/[^/]+\//, '').split('/')
  const [, esp32Name = '', channel = ''] = topic
  if (topic.length !== 3 || !isChannel(channel)) {
    throw new Failure(`came on the topic "${failure.topic}", which belongs to no rule`)
  }
  return {
    fn: stack.functionName(channel === 'telemetry' ? 'ingest' : 'presence'),
    event: {
      payload: failure.base64OriginalPayload,
      esp32_name: esp32Name,
      channel,
      topic: topic.join('/'),
      client_id: failure.clientId,
      principal: '',
      received_at: sentAtMs,
      ...(failure.cloudwatchTraceId !== undefined && { trace_id: failure.cloudwatchTraceId }),
    },
  }
}

/** Actions of the rules, as IoT names them in its report. */
const KNOWN: readonly string[] = ['LambdaAction', 'FirehoseAction']
/** Only what nodes measure is kept; who is present shows in the next heartbeat. */
const isArchived = ({ channel }: RuleEvent) => channel === 'telemetry'
const LIFECYCLE = /^\$aws\/events\/presence\/(connected|disconnected)\/([^/]+)$/

function isChannel(name: string): name is RuleEvent['channel'] {
  return name === 'telemetry' || name === 'status' || name === 'heartbeat'
}
