import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { ControlRequest, ControlResponse, ControlRoute } from '../runtime.ts'
import { type Authority, BadRequest } from './authority.ts'
import { IotError } from './errors.ts'
import type { Jobs } from './jobs/jobs.ts'
import { jobRoutes } from './jobs/routes.ts'
import type { Registry } from './registry.ts'
import { groupRoutes } from './thing-groups.ts'

/** What the control-plane routes need of the running plug-in. */
export interface Control {
  registry: Registry
  authority: Authority
  jobs: Jobs
  /** Names of the template's policies. */
  policyNames: ReadonlySet<string>
  /** Names of the template's thing types. */
  thingTypeNames: ReadonlySet<string>
  /** `arn:aws:iot:<region>:<account>` */
  arn: string
  /** `host:port` of the broker. AWS's own answer has no port, since its port never changes. */
  endpoint: string
  now(): number
  /** Called after a certificate has changed. */
  changed(): void
  /** Data plane: publishes as the service. */
  publish(topic: string, payload: Buffer, qos: 0 | 1, retain: boolean): Promise<void>
  /** Data plane: ends a client's connection. @returns false when there is none */
  disconnect(clientId: string, options: { sendWill: boolean }): boolean
}

const THING_NAME = /^[a-zA-Z0-9:_-]{1,128}$/
const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
const createThing = z.object({
  thingTypeName: z.string().optional(),
  attributePayload: z
    .object({ attributes: z.record(z.string(), z.string()).optional() })
    .optional(),
})
const updateThing = z.object({ thingTypeName: z.string() })
const withCsr = z.object({ certificateSigningRequest: z.string().min(1) })
const withTarget = z.object({ target: z.string().min(1) })
const status = z.enum(['ACTIVE', 'INACTIVE', 'REVOKED'])

/** Makes a route whose errors are AWS's. */
export type Route = (
  method: string,
  path: RegExp,
  handle: (request: ControlRequest, name: string) => unknown,
) => ControlRoute

/** The part of the AWS IoT REST API that provisioning and releases use, for the ordinary SDK client. */
export function controlRoutes(control: Control): ControlRoute[] {
  const { registry, authority, arn } = control
  const route: Route = (method, path, handle) => ({
    method,
    path,
    async handle(request) {
      try {
        return answer(200, await handle(request, request.params[0] ?? ''))
      } catch (error) {
        if (error instanceof IotError) return failure(error)
        if (error instanceof z.ZodError || error instanceof BadRequest) {
          const message = error instanceof z.ZodError ? z.prettifyError(error) : error.message
          return failure(new IotError(400, 'InvalidRequestException', message))
        }
        throw error
      }
    },
  })
  const certificateOf = (principal: string | undefined): string => {
    const id = /:cert\/([0-9a-f]{64})$/.exec(principal ?? '')?.[1]
    if (id) return id
    throw new IotError(
      400,
      'InvalidRequestException',
      `${principal} is no certificate ARN (${arn}:cert/<id>)`,
    )
  }
  const principalHeader = ({ headers }: ControlRequest) =>
    certificateOf(headers['x-amzn-principal'])
  const policy = (name: string) => {
    if (control.policyNames.has(name)) return name
    throw new IotError(404, 'ResourceNotFoundException', `Policy ${name} not found`)
  }
  const needType = (name: string) => {
    if (control.thingTypeNames.has(name)) return
    throw new IotError(404, 'ResourceNotFoundException', `Thing type ${name} not found`)
  }
  const thingAnswer = (name: string) => {
    const thing = registry.needThing(name)
    return {
      defaultClientId: name,
      thingName: name,
      thingId: thing.id,
      thingArn: `${arn}:thing/${name}`,
      thingTypeName: thing.typeName ?? undefined,
      attributes: thing.attributes,
      version: thing.version,
    }
  }

  return [
    route('GET', /^\/endpoint$/, ({ query }) => {
      const type = query.get('endpointType') ?? 'iot:Data-ATS'
      if (type === 'iot:Data-ATS') return { endpointAddress: control.endpoint }
      throw new IotError(400, 'InvalidRequestException', `endpointType ${type}: only iot:Data-ATS`)
    }),
    route('GET', /^\/things$/, () => ({
      things: registry.things().map(({ name }) => {
        const { thingName, thingArn, thingTypeName, attributes, version } = thingAnswer(name)
        return { thingName, thingArn, thingTypeName, attributes, version }
      }),
    })),
    route('POST', /^\/things\/([^/]+)$/, ({ body }, name) => {
      if (!THING_NAME.test(name)) {
        throw new IotError(400, 'InvalidRequestException', `thing name ${name}: ${THING_NAME}`)
      }
      const { thingTypeName, attributePayload } = createThing.parse(json(body))
      if (thingTypeName !== undefined) needType(thingTypeName)
      const { id } = registry.createThing({
        name,
        id: randomUUID(),
        typeName: thingTypeName ?? null,
        attributes: attributePayload?.attributes ?? {},
      })
      return { thingName: name, thingArn: `${arn}:thing/${name}`, thingId: id }
    }),
    route('GET', /^\/things\/([^/]+)$/, (_, name) => thingAnswer(name)),
    route('PATCH', /^\/things\/([^/]+)$/, ({ body }, name) => {
      const { thingTypeName } = updateThing.parse(json(body))
      needType(thingTypeName)
      registry.setThingType(name, thingTypeName)
    }),
    ...groupRoutes(control, route),
    ...jobRoutes(control.jobs, arn, route),
    route('DELETE', /^\/things\/([^/]+)$/, (_, name) => registry.deleteThing(name)),
    route('GET', /^\/things\/([^/]+)\/principals$/, (_, name) => {
      registry.needThing(name)
      return { principals: registry.principalsOf(name).map((id) => `${arn}:cert/${id}`) }
    }),
    route('PUT', /^\/things\/([^/]+)\/principals$/, (request, name) =>
      registry.attachPrincipal(name, principalHeader(request)),
    ),
    route('DELETE', /^\/things\/([^/]+)\/principals$/, (request, name) =>
      registry.detachPrincipal(name, principalHeader(request)),
    ),
    route('GET', /^\/principals\/things$/, (request) => ({
      things: registry.thingsOf(principalHeader(request)),
    })),
    route('POST', /^\/certificates$/, async ({ body, query }) => {
      const { certificateSigningRequest } = withCsr.parse(json(body))
      const active = flag.parse(query.get('setAsActive') ?? 'false')
      const { id, pem } = await authority.sign(certificateSigningRequest)
      registry.addCertificate(id, pem, active ? 'ACTIVE' : 'INACTIVE', control.now())
      return { certificateArn: `${arn}:cert/${id}`, certificateId: id, certificatePem: pem }
    }),
    route('GET', /^\/certificates\/([^/]+)$/, (_, id) => {
      const certificate = registry.needCertificate(id)
      return {
        certificateDescription: {
          certificateArn: `${arn}:cert/${id}`,
          certificateId: id,
          status: certificate.status,
          certificatePem: certificate.pem,
          creationDate: certificate.createdAtMs / 1000,
          lastModifiedDate: certificate.modifiedAtMs / 1000,
        },
      }
    }),
    route('PUT', /^\/certificates\/([^/]+)$/, ({ query }, id) => {
      registry.setStatus(id, status.parse(query.get('newStatus')), control.now())
      control.changed()
    }),
    route('PUT', /^\/target-policies\/([^/]+)$/, ({ body }, name) =>
      registry.attachPolicy(policy(name), certificateOf(withTarget.parse(json(body)).target)),
    ),
    route('POST', /^\/target-policies\/([^/]+)$/, ({ body }, name) =>
      registry.detachPolicy(policy(name), certificateOf(withTarget.parse(json(body)).target)),
    ),
    route('POST', /^\/attached-policies\/(.+)$/, (_, target) => ({
      policies: registry
        .policiesOf(certificateOf(target))
        .map((name) => ({ policyName: name, policyArn: `${arn}:policy/${name}` })),
    })),
    route('POST', /^\/policy-targets\/([^/]+)$/, (_, name) => ({
      targets: registry.targetsOf(policy(name)).map((id) => `${arn}:cert/${id}`),
    })),
    route('DELETE', /^\/connections\/([^/]+)$/, ({ query }, clientId) => {
      const sendWill = query.get('preventWillMessage') !== 'true'
      if (control.disconnect(clientId, { sendWill })) return
      throw new IotError(404, 'ResourceNotFoundException', `Client ${clientId} is not connected`)
    }),
    route('POST', /^\/topics\/(.+)$/, async ({ body, query }, topic) => {
      const qos = z.enum(['0', '1']).parse(query.get('qos') ?? '0')
      const retain = flag.parse(query.get('retain') ?? 'false')
      await control.publish(topic, body, qos === '1' ? 1 : 0, retain)
    }),
  ]
}

export function json(body: Buffer): unknown {
  if (body.length === 0) return {}
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new IotError(400, 'InvalidRequestException', 'The body is not JSON')
  }
}

function answer(status: number, body: unknown): ControlResponse {
  const headers = { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID() }
  return { status, headers, body: JSON.stringify(body ?? {}) }
}

function failure({ status, type, message }: IotError): ControlResponse {
  const response = answer(status, { message })
  return { ...response, headers: { ...response.headers, 'x-amzn-errortype': type } }
}
