import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import type { Runtime } from '../runtime.ts'
import { type Authority, BadRequest } from './authority.ts'
import { IotError } from './errors.ts'
import type { ProvisioningTemplate } from './provisioning-template.ts'
import type { Registry } from './registry.ts'

/** A message for the one client that asked. */
export interface Answer {
  topic: string
  payload: Buffer
  /** True where AWS sends it also to a client that has not subscribed to the topic. @default false */
  isUnasked?: boolean
}

/** Fleet provisioning: what AWS IoT answers on its reserved topics. */
export interface FleetProvisioning {
  /** Undefined for a message that is no request of it. Never rejects. */
  answer(
    topic: string,
    payload: Buffer,
    from: { clientId: string; certificateId: string },
  ): Promise<Answer> | undefined
}

export interface FleetParts {
  store: DatabaseSync
  registry: Registry
  authority: Authority
  templates: ReadonlyMap<string, ProvisioningTemplate>
  policyNames: ReadonlySet<string>
  invoke: Runtime['invoke']
  log: Runtime['log']
  now(): number
}

const CREATE = '$aws/certificates/create-from-csr/json'
const REGISTER = /^\$aws\/provisioning-templates\/([0-9A-Za-z_-]{1,36})\/provision\/json$/
/** AWS deletes a certificate that nobody registered by then. */
const TOKEN_LIVES_MS = 3_600_000

const createRequest = z.object({ certificateSigningRequest: z.string().min(1) })
const registerRequest = z.object({
  certificateOwnershipToken: z.string().min(1),
  parameters: z.record(z.string(), z.string()).default({}),
})
const hookAnswer = z.object({
  allowProvisioning: z.boolean(),
  parameterOverrides: z.record(z.string(), z.string()).default({}),
})

/** Tokens are kept on disk: a node may register after a restart of the broker. */
export function fleetProvisioning(parts: FleetParts): FleetProvisioning {
  const { store, registry, authority, now } = parts
  store.exec(`
    CREATE TABLE IF NOT EXISTS iot_ownership_tokens (
      token TEXT PRIMARY KEY, certificate TEXT NOT NULL, expires_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `)

  const create = async (payload: Buffer) => {
    const { certificateSigningRequest } = createRequest.parse(json(payload))
    forgetUnclaimed()
    const { id, pem } = await authority.sign(certificateSigningRequest)
    const token = randomBytes(32).toString('base64url')
    registry.addCertificate(id, pem, 'PENDING_ACTIVATION', now())
    store
      .prepare('INSERT INTO iot_ownership_tokens VALUES (?, ?, ?)')
      .run(token, id, now() + TOKEN_LIVES_MS)
    return { certificateOwnershipToken: token, certificateId: id, certificatePem: pem }
  }

  const forgetUnclaimed = () => {
    const expired = store
      .prepare('SELECT token, certificate FROM iot_ownership_tokens WHERE expires_at_ms <= ?')
      .all(now())
    for (const { token, certificate } of expired) {
      registry.removeUnused(String(certificate))
      store.prepare('DELETE FROM iot_ownership_tokens WHERE token = ?').run(String(token))
    }
  }

  const register = async (
    name: string,
    payload: Buffer,
    from: { clientId: string; certificateId: string },
  ) => {
    const { certificateOwnershipToken, parameters } = registerRequest.parse(json(payload))
    const template = parts.templates.get(name)
    if (!template?.enabled) {
      throw new IotError(404, 'ResourceNotFound', `Provisioning template ${name} not found`)
    }
    const owned = store
      .prepare('SELECT certificate FROM iot_ownership_tokens WHERE token = ? AND expires_at_ms > ?')
      .get(certificateOwnershipToken, now())
    if (!owned) {
      throw new IotError(400, 'InvalidCertificateOwnershipToken', 'Invalid ownership token')
    }
    const certificateId = String(owned.certificate)
    const overrides = await ask(template, { from, certificateId, parameters })
    const made = template.make({
      ...parameters,
      ...overrides,
      'AWS::IoT::Certificate::Id': certificateId,
    })
    const policies = made.policyNames.filter((policy) => !parts.policyNames.has(policy))
    if (policies.length > 0) throw new IotError(404, 'ResourceNotFound', `Policy ${policies[0]}`)
    // All of it or nothing, as far as a kill is concerned.
    store.exec('BEGIN')
    try {
      registry.registerThing(made, now())
      store
        .prepare('DELETE FROM iot_ownership_tokens WHERE token = ?')
        .run(certificateOwnershipToken)
      store.exec('COMMIT')
    } catch (error) {
      store.exec('ROLLBACK')
      throw error
    }
    return { deviceConfiguration: {}, thingName: made.thingName }
  }

  const ask = async (
    template: ProvisioningTemplate,
    request: {
      from: { clientId: string; certificateId: string }
      certificateId: string
      parameters: Record<string, string>
    },
  ): Promise<Record<string, string>> => {
    if (template.hookArn === undefined) return {}
    const { from, certificateId, parameters } = request
    const event = {
      claimCertificateId: from.certificateId,
      certificateId,
      certificatePem: registry.needCertificate(certificateId).pem,
      templateArn: template.arn,
      clientId: from.clientId,
      parameters,
    }
    const { payload, functionError } = await parts.invoke(template.hookArn, event)
    const said = hookAnswer.safeParse(payload)
    if (functionError !== undefined || !said.success) {
      throw new IotError(500, 'InternalError', 'The pre-provisioning hook failed')
    }
    if (!said.data.allowProvisioning) {
      throw new IotError(403, 'AccessDenied', 'The pre-provisioning hook did not allow it')
    }
    return said.data.parameterOverrides
  }

  const respond = async (
    topic: string,
    clientId: string,
    work: () => Promise<object>,
  ): Promise<Answer> => {
    try {
      return { topic: `${topic}/accepted`, payload: bytes(await work()) }
    } catch (error) {
      const { status, type, message } = refusal(error)
      parts.log('iot', 'provisioning refused', { client_id: clientId, topic, reason: message })
      const said = { statusCode: status, errorCode: type, errorMessage: message }
      return { topic: `${topic}/rejected`, payload: bytes(said) }
    }
  }

  return {
    answer(topic, payload, from) {
      if (topic === CREATE) return respond(topic, from.clientId, () => create(payload))
      const name = REGISTER.exec(topic)?.[1]
      if (name === undefined) return undefined
      return respond(topic, from.clientId, () => register(name, payload, from))
    },
  }
}

const bytes = (value: object) => Buffer.from(JSON.stringify(value))

function refusal(error: unknown): IotError {
  if (error instanceof IotError) return error
  const isTheirs = error instanceof z.ZodError || error instanceof BadRequest
  const message = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
  return isTheirs
    ? new IotError(400, 'InvalidPayload', message)
    : new IotError(500, 'InternalError', message)
}

function json(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    throw new IotError(400, 'InvalidPayload', 'The payload is not JSON')
  }
}
