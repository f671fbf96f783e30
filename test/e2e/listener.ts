import { Stack } from 'aws-cdk-lib'
import { CfnPolicy } from 'aws-cdk-lib/aws-iot'
import { connectAsync } from 'mqtt'
import { expect } from 'vitest'
import { readCredentials, thingDirectory } from '../../cli/provisioning/files.ts'
import { provisionNode } from '../../cli/provisioning/provision.ts'
import { fromEndpoints } from '../../cli/stack/local.ts'
import { buildApp } from '../../infra/app.ts'
import { stageConfig } from '../../infra/stages.ts'
import { temporary } from '../local/fixture/app.ts'
import type { Site } from './site.ts'

const POLICY = 'autovolt-local-listener'
const NAME = 'listener'

/** The project's app and a policy for a client that may hear what every node says. */
export function appWithListener() {
  const app = buildApp(stageConfig('local'), { outdir: temporary() })
  const pipeline = app.node.findChild('Autovolt-local-Pipeline') as Stack
  const arn = (resource: string) =>
    Stack.of(pipeline).formatArn({ service: 'iot', resource, resourceName: 'autovolt/*' })
  new CfnPolicy(pipeline, 'ListenerPolicy', {
    policyName: POLICY,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'iot:Subscribe', Resource: [arn('topicfilter')] },
        { Effect: 'Allow', Action: 'iot:Receive', Resource: [arn('topic')] },
      ],
    },
  })
  return app
}

/** Hears everything nodes say on some topics. */
export interface Listener extends AsyncDisposable {
  /** What came on a topic so far, oldest first. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is each test's own
  on(topic: string): any[]
}

/** Connects a client with the listener's policy to a stack that runs `appWithListener`. */
export async function listen(site: Site, ...filters: string[]): Promise<Listener> {
  const stack = fromEndpoints(site.endpoints, site.dataDir)
  const { certificateArn } = await provisionNode(stack, {
    esp32Name: NAME,
    classroom: 'Listeners',
    channels: [],
    effectiveFromMs: 0,
  })
  const attached = await fetch(`${site.endpoints.control}/target-policies/${POLICY}`, {
    method: 'PUT',
    body: JSON.stringify({ target: certificateArn }),
  })
  expect(attached.status).toBe(200)
  const { certificatePem, keyPem, caPem } = readCredentials(thingDirectory(site.dataDir, NAME))
  const { host, port } = site.endpoints.mqtt
  const client = await connectAsync({
    ...{ protocol: 'mqtts', host, port, clientId: NAME, protocolVersion: 4, clean: true },
    ...{ cert: certificatePem, key: keyPem, ca: caPem, reconnectPeriod: 0 },
  })
  const heard: { topic: string; message: unknown }[] = []
  client.on('message', (topic, payload) => {
    heard.push({ topic, message: JSON.parse(payload.toString()) })
  })
  await client.subscribeAsync(filters, { qos: 1 })
  return {
    on: (topic) => heard.filter((it) => it.topic === topic).map((it) => it.message),
    [Symbol.asyncDispose]: async () => {
      await client.endAsync(true)
    },
  }
}
