import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { LIVE } from '../../infra/names.ts'
import { Failure } from '../failure.ts'
import type { MqttTarget, Service, Stack } from './stack.ts'

const EndpointsFile = z.object({
  control: z.url(),
  dynamodb: z.url(),
  stage: z.string(),
  region: z.string(),
  siteTimeZone: z.string(),
  devicePolicies: z.array(z.string()),
  thingType: z.string().optional(),
  tables: z.record(z.string(), z.string()),
  functions: z.record(z.string(), z.string()),
  mqtt: z.object({ host: z.string(), port: z.int(), ca: z.string() }).optional(),
})

type Endpoints = z.infer<typeof EndpointsFile>

/**
 * The stack that `npm start` runs, found through `<dataDir>/endpoints.json`.
 * Throws a Failure that names the file when it is missing or not what npm start writes.
 */
export function openLocal(dataDir: string): Stack {
  const file = join(dataDir, 'endpoints.json')
  const endpoints = readEndpoints(file)
  return {
    ...fromEndpoints(endpoints, dataDir),
    mqtt: async () => mqttTarget(readEndpoints(file), file),
  }
}

/** The same from endpoints already at hand (the content of endpoints.json). */
export function fromEndpoints(endpoints: Endpoints, dataDir: string): Stack {
  return {
    kind: 'local',
    stage: endpoints.stage,
    dataDir,
    siteTimeZone: endpoints.siteTimeZone,
    devicePolicies: endpoints.devicePolicies,
    claimPolicy: `autovolt-${endpoints.stage}-claim`,
    provisioningTemplate: `autovolt-${endpoints.stage}-node`,
    ...(endpoints.thingType !== undefined && { thingType: endpoints.thingType }),
    archiveStream: `autovolt-${endpoints.stage}-archive`,
    imageBucket: `autovolt-${endpoints.stage}-firmware`,
    downloadRole: `autovolt-${endpoints.stage}-firmware-download`,
    control: endpoints.control,
    table: (name) => endpoints.tables[name] ?? `autovolt-${endpoints.stage}-${name}`,
    functionName: (name) =>
      endpoints.functions[name] ?? `autovolt-${endpoints.stage}-${name}:${LIVE}`,
    client: (service: Service) => ({
      region: endpoints.region,
      endpoint: service.startsWith('dynamodb') ? endpoints.dynamodb : endpoints.control,
      // The local endpoints check no signature; the SDK insists on having something to sign with.
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      ...(service === 's3' && { forcePathStyle: true }),
    }),
    mqtt: async () => mqttTarget(endpoints, join(dataDir, 'endpoints.json')),
  }
}

function mqttTarget(endpoints: Endpoints, file: string): MqttTarget {
  if (endpoints.mqtt === undefined) {
    throw new Failure(`${file}: mqtt is missing, so the local stack has no broker`)
  }
  const { host, port, ca } = endpoints.mqtt
  return { host, port, ca: pem(ca, file) }
}

/** `ca` is written as a path by npm start; a PEM in place of a path is as good. */
function pem(ca: string, file: string): string {
  if (ca.includes('-----BEGIN CERTIFICATE-----')) return ca
  try {
    return readFileSync(ca, 'utf8')
  } catch (cause) {
    throw new Failure(`${file}: mqtt.ca names "${ca}", which cannot be read`, { cause })
  }
}

function readEndpoints(file: string): Endpoints {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Failure(
      `no local stack: ${file} cannot be read; start one with \`npm start\`, or name its directory with --data-dir`,
      { cause },
    )
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new Failure(`${file} is not JSON; start the stack again with \`npm start\``, { cause })
  }
  const parsed = EndpointsFile.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new Failure(
    `${file}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}; was it written by this version of npm start?`,
  )
}
