import type { Runtime } from '../runtime.ts'
import { LOCAL_ACCOUNT } from '../runtime.ts'
import type { FleetProvisioning } from './fleet-provisioning.ts'
import type { Jobs } from './jobs/jobs.ts'
import type { KeptMessage, KeptMessages } from './kept-messages.ts'
import type { Lifecycle } from './lifecycle.ts'
import { REASON, Violation } from './mqtt5.ts'
import { compile, type Decide, type Decision, type Policy } from './policy.ts'
import type { Registry } from './registry.ts'
import type { Rules } from './rules.ts'
import { basicIngest, LIMITS, publishViolation, topicViolation } from './topics.ts'

/** Who a connection is. */
export interface Identity {
  clientId: string
  certificateId: string
  connectAttributes: readonly string[]
}

/** A message as a client sends it; `qos` 2 is refused. */
export interface Incoming {
  topic: string
  payload: Buffer
  qos: 0 | 1 | 2
  retain: boolean
}

/**
 * What AWS IoT Core decides about one connection and its messages. Every refusal is a Violation,
 * which ends the connection, except of a subscription.
 */
export class Session {
  readonly #identity: Identity
  readonly #gate: Gate
  #decide: Decide | undefined
  #version = -1

  constructor(identity: Identity, gate: Gate) {
    this.#identity = identity
    this.#gate = gate
  }

  get identity(): Identity {
    return this.#identity
  }

  /** Policies are read again when anything in the registry has changed. */
  #allowed(action: string, resource: string): Decision {
    const { registry, policies, arn } = this.#gate
    if (!this.#decide || this.#version !== registry.version) {
      const { clientId, certificateId, connectAttributes } = this.#identity
      const attached = registry
        .policiesOf(certificateId)
        .flatMap((name) => policies.get(name) ?? [])
      this.#decide = compile(attached, registry.facts(clientId, certificateId, connectAttributes))
      this.#version = registry.version
    }
    return this.#decide(action, `${arn}:${resource}`)
  }

  #need(action: string, resource: string): void {
    const { allowed, reason } = this.#allowed(action, resource)
    if (!allowed) throw new Violation(reason, REASON.notAuthorized)
  }

  /** Whether the connection may be opened. @throws {Violation} */
  connect(): void {
    const { clientId } = this.#identity
    const bytes = Buffer.byteLength(clientId)
    if (bytes > LIMITS.clientIdBytes) {
      throw new Violation(
        `client id has ${bytes} bytes, the limit is ${LIMITS.clientIdBytes}`,
        REASON.notAuthorized,
      )
    }
    this.#need('iot:Connect', `client/${clientId}`)
  }

  /**
   * Takes a message of this connection: checks it, runs the topic rules, keeps it when retained.
   * Calls the rules before it returns, so that messages keep their order; undefined when there is
   * nothing to wait for.
   * @throws {Violation} when AWS would end the connection over it.
   */
  publish(message: Incoming): Promise<void> | undefined {
    const wrong = publishViolation(message)
    if (wrong) {
      const tooLarge = message.payload.length > LIMITS.payloadBytes
      const code = tooLarge ? REASON.packetTooLarge : REASON.topicNameInvalid
      throw new Violation(wrong, message.qos > 1 ? REASON.qosNotSupported : code)
    }
    const { topic, payload } = message
    this.#need('iot:Publish', `topic/${topic}`)
    // Basic Ingest goes past the message broker, so nothing can be retained there.
    const retain = message.retain && !basicIngest(topic)
    if (retain) this.#need('iot:RetainPublish', `topic/${topic}`)
    const { clientId, certificateId } = this.#identity
    const { rules, kept } = this.#gate
    const ran = rules.dispatch({ topic, payload, clientId, principal: certificateId })
    if (!retain) return ran
    const keep = () => kept.retain(message as KeptMessage)
    if (ran) return ran.then(keep)
    keep()
    return undefined
  }

  /** Whether messages of this topic may be delivered to the client. */
  receives(topic: string): boolean {
    return !basicIngest(topic) && this.#allowed('iot:Receive', `topic/${topic}`).allowed
  }

  /**
   * Whether a topic filter may be subscribed to; a refusal answers 0x80 in the SUBACK.
   * @throws {Violation} when AWS would end the connection over it.
   */
  subscribe(filter: string, qos: number): Decision {
    if (qos > 1) {
      throw new Violation('QoS 2 is not supported, only 0 and 1', REASON.qosNotSupported)
    }
    const wrong = topicViolation(filter)
    if (wrong) throw new Violation(wrong, REASON.topicNameInvalid)
    return this.#allowed('iot:Subscribe', `topicfilter/${filter}`)
  }
}

/** What sessions are decided with. */
export interface Gate {
  registry: Registry
  policies: ReadonlyMap<string, Policy>
  rules: Rules
  kept: KeptMessages
  lifecycle: Lifecycle
  fleet: FleetProvisioning
  jobs: Jobs
  /** Epoch milliseconds. */
  now(): number
  /** Beginning of every ARN of this account: `arn:aws:iot:<region>:<account>`. */
  arn: string
}

/** The ARN prefix of AWS IoT resources here. */
export function iotArn(runtime: Pick<Runtime, 'region'>): string {
  return `arn:aws:iot:${runtime.region}:${LOCAL_ACCOUNT}`
}
