import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  IoTClient,
} from '@aws-sdk/client-iot'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import type { Resource } from '../../local/runtime.ts'
import { type Edge, resource } from './edge.ts'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

export const INGEST = 'arn:aws:lambda:ap-south-1:000000000000:function:autovolt-local-ingest'
export const FAILURES = 'arn:aws:sqs:ap-south-1:000000000000:rule-failures'
export const POLICY = 'autovolt-local-node'
const QUEUE_URL = 'http://127.0.0.1:1/000000000000/rule-failures'

/** A topic rule as the template writes it. */
export function rule(channel: string, changes: Record<string, unknown> = {}): Resource {
  return resource('AWS::IoT::TopicRule', `${channel}Rule`, {
    RuleName: `autovolt_local_${channel}`,
    TopicRulePayload: {
      AwsIotSqlVersion: '2016-03-23',
      Sql: `SELECT encode(*, 'base64') AS payload, topic(2) AS esp32_name, topic(3) AS channel, clientid() AS client_id, principal() AS principal, timestamp() AS received_at, traceid() AS trace_id FROM 'autovolt/+/${channel}'`,
      Actions: [{ Lambda: { FunctionArn: INGEST } }],
      ErrorAction: { Sqs: { QueueUrl: QUEUE_URL, RoleArn: 'arn:aws:iam::0:role/r' } },
      RuleDisabled: false,
      ...changes,
    },
  })
}

const own = (prefix: string, channel: string) =>
  `arn:aws:iot:ap-south-1:000000000000:${prefix}/autovolt/\${iot:Connection.Thing.ThingName}/${channel}`
const direct = (channel: string) =>
  `arn:aws:iot:ap-south-1:000000000000:topic/$aws/rules/autovolt_local_${channel}/autovolt/\${iot:Connection.Thing.ThingName}/${channel}`

/** The device policy as the template writes it. */
export const POLICY_DOCUMENT = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'ConnectAsItself',
      Effect: 'Allow',
      Action: 'iot:Connect',
      Resource: `arn:aws:iot:ap-south-1:000000000000:client/\${iot:Connection.Thing.ThingName}`,
      Condition: {
        Bool: { 'iot:Connection.Thing.IsAttached': ['true'] },
        'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] },
      },
    },
    {
      Effect: 'Allow',
      Action: 'iot:Publish',
      Resource: [
        ...['telemetry', 'status', 'heartbeat', 'reply'].map((it) => own('topic', it)),
        ...['telemetry', 'status', 'heartbeat'].map(direct),
      ],
    },
    { Effect: 'Allow', Action: 'iot:RetainPublish', Resource: own('topic', 'status') },
    {
      Effect: 'Allow',
      Action: 'iot:Subscribe',
      Resource: ['commands', 'resend'].map((it) => own('topicfilter', it)),
    },
    {
      Effect: 'Allow',
      Action: 'iot:Receive',
      Resource: ['commands', 'resend'].map((it) => own('topic', it)),
    },
  ],
}

/** Everything of AWS IoT in the template. */
export function iotResources(): Resource[] {
  return [
    rule('telemetry'),
    rule('status'),
    rule('heartbeat'),
    resource('AWS::IoT::Policy', 'Policy', { PolicyName: POLICY, PolicyDocument: POLICY_DOCUMENT }),
    resource('AWS::SQS::Queue', 'Failures', {}, QUEUE_URL, { Arn: FAILURES }),
  ]
}

export function iotClient(edge: Pick<Edge, 'control'>): IoTClient {
  return new IoTClient({
    endpoint: edge.control,
    region: 'ap-south-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  })
}

/** What a node holds. PEM. */
export interface NodeKeys {
  key: string
  cert: string
  certificateArn: string
  certificateId: string
}

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A key and a request for it, as a node makes them. */
export async function makeCsr(
  name: string,
  algorithm: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams = EC,
): Promise<{ key: string; csr: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys: keys as never,
    signingAlgorithm: algorithm as never,
  })
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { key: x509.PemConverter.encode(der, 'PRIVATE KEY'), csr: request.toString('pem') }
}

/** Registers a node the way the command-line tool does. */
export async function provision(
  edge: Pick<Edge, 'control'>,
  name: string,
  { attach = true, active = true, policy = true } = {},
): Promise<NodeKeys> {
  const client = iotClient(edge)
  const { key, csr } = await makeCsr(name)
  await client.send(new CreateThingCommand({ thingName: name }))
  const made = await client.send(
    new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr, setAsActive: active }),
  )
  const certificateArn = made.certificateArn ?? ''
  if (policy) {
    await client.send(new AttachPolicyCommand({ policyName: POLICY, target: certificateArn }))
  }
  if (attach) {
    await client.send(
      new AttachThingPrincipalCommand({ thingName: name, principal: certificateArn }),
    )
  }
  return {
    key,
    cert: made.certificatePem ?? '',
    certificateArn,
    certificateId: made.certificateId ?? '',
  }
}

/** Opens a connection; rejects when it is refused. Nothing reconnects by itself. */
export async function connect(
  edge: Pick<Edge, 'started'>,
  clientId: string,
  keys: Partial<Pick<NodeKeys, 'key' | 'cert'>>,
  options: IClientOptions &
    Pick<SecureContextOptions, 'minVersion' | 'maxVersion' | 'ciphers'> = {},
): Promise<MqttClient> {
  const endpoint = edge.started.endpoints?.mqtt
  if (!endpoint) throw new Error('the broker is not running')
  const client = mqtt.connect({
    protocol: 'mqtts',
    host: endpoint.host,
    port: endpoint.port,
    ca: readFileSync(endpoint.ca),
    clientId,
    key: keys.key,
    cert: keys.cert,
    reconnectPeriod: 0,
    connectTimeout: 5000,
    ...options,
  })
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client))
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed before it was connected')))
  })
}
