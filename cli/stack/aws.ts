import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { LIVE, physicalName } from '../../infra/names.ts'
import { stageConfig } from '../../infra/stages.ts'
import { Failure, usage } from '../failure.ts'
import type { ClientConfig, MqttTarget, Stack } from './stack.ts'

/** Where AWS IoT Core takes MQTT with client certificates. */
const MQTT_TLS_PORT = 8883

/**
 * A stage on AWS. Every resource has a conventional physical name, so nothing is looked up;
 * credentials come from where the SDK finds them.
 */
export function openAws(stage: string, dataDir: string): Stack {
  const config = known(stage)
  const client: ClientConfig = { region: config.region }
  return {
    kind: 'aws',
    stage,
    dataDir,
    siteTimeZone: config.siteTimeZone,
    devicePolicies: [physicalName(config, 'node'), physicalName(config, 'node-upkeep')],
    claimPolicy: physicalName(config, 'claim'),
    provisioningTemplate: physicalName(config, 'node'),
    thingType: physicalName(config, 'node'),
    archiveStream: physicalName(config, 'archive'),
    imageBucket: physicalName(config, 'firmware'),
    downloadRole: physicalName(config, 'firmware-download'),
    table: (name) => physicalName(config, name),
    functionName: (name) => `${physicalName(config, name)}:${LIVE}`,
    client: () => client,
    mqtt: () => describeEndpoint(client),
  }
}

function known(stage: string) {
  try {
    return stageConfig(stage)
  } catch (cause) {
    throw usage(`--stage: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

async function describeEndpoint(client: ClientConfig): Promise<MqttTarget> {
  const { DescribeEndpointCommand, IoTClient } = await import('@aws-sdk/client-iot')
  const iot = new IoTClient(client)
  const answer = await iot.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }))
  if (answer.endpointAddress === undefined) {
    throw new Failure(`DescribeEndpoint gave no address for iot:Data-ATS in ${client.region}`)
  }
  return { host: answer.endpointAddress, port: MQTT_TLS_PORT, ca: amazonRoot() }
}

/** The root that signs AWS IoT's ATS endpoints; Node carries it among its own trusted roots. */
function amazonRoot(): string {
  const root = rootCertificates.find((pem) =>
    new X509Certificate(pem).subject.includes('CN=Amazon Root CA 1'),
  )
  if (root === undefined) throw new Failure('this Node.js does not carry "Amazon Root CA 1"')
  return `${root}\n`
}
