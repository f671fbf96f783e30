import { join } from 'node:path'
import { connect, type MqttClient } from 'mqtt'
import * as z from 'zod'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { claimDirectory, readCredentials, thingDirectory } from './files.ts'
import { makeIdentity } from './identity.ts'

const CREATE = '$aws/certificates/create-from-csr/json'
const ANSWER_MS = 30_000

const Created = z.object({
  certificateOwnershipToken: z.string(),
  certificateId: z.string(),
  certificatePem: z.string(),
})
const Registered = z.object({ thingName: z.string() })
const Rejected = z.object({ errorCode: z.string(), errorMessage: z.string() })

/**
 * Does on this machine what a new node does when it is switched on: makes a key, connects with the claim
 * certificate, and asks for its own. To try the way without an ESP32.
 *
 * @returns who it is now, and where its files are
 */
export async function enrol(
  stack: Stack,
  serial: string,
  options: { claim?: string } = {},
): Promise<{ esp32Name: string; directory: string }> {
  const { certificatePem, keyPem } = readCredentials(
    options.claim ?? claimDirectory(stack.dataDir),
    'make the claim certificate with `autovolt claim`, or name its directory with --claim',
  )
  const { host, port, ca } = await stack.mqtt()
  const register = `$aws/provisioning-templates/${stack.provisioningTemplate}/provision/json`
  const client = connect({
    protocol: 'mqtts',
    host,
    port,
    ca,
    cert: certificatePem,
    key: keyPem,
    clientId: `claim-${serial}`,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: ANSWER_MS,
  })
  try {
    await opened(client)
    const answers = [CREATE, register].flatMap((it) => [`${it}/accepted`, `${it}/rejected`])
    await client.subscribeAsync(answers, { qos: 1 })
    const ask = (topic: string, request: object) => asked(client, topic, request)
    // Where it lies is known only when the answer says who it is.
    const directory = join(stack.dataDir, 'enrolment', serial)
    let token = ''
    let esp32Name = ''
    await makeIdentity(
      directory,
      serial,
      ca,
      {
        sign: async (certificateSigningRequest) => {
          const made = Created.parse(await ask(CREATE, { certificateSigningRequest }))
          token = made.certificateOwnershipToken
          return { id: made.certificateId, arn: made.certificateId, pem: made.certificatePem }
        },
        install: async () => {
          const said = await ask(register, {
            certificateOwnershipToken: token,
            parameters: { SerialNumber: serial },
          })
          esp32Name = Registered.parse(said).thingName
        },
      },
      { nowMs: Date.now(), isOneGo: true, into: () => thingDirectory(stack.dataDir, esp32Name) },
    )
    return { esp32Name, directory: thingDirectory(stack.dataDir, esp32Name) }
  } finally {
    await client.endAsync(true)
  }
}

async function opened(client: MqttClient): Promise<void> {
  await new Promise<void>((done, fail) => {
    client.once('connect', () => done())
    client.once('error', fail)
    client.once('close', () =>
      fail(new Failure('the broker refused the claim certificate; `autovolt claim` makes one')),
    )
  })
}

/** Publishes a request and waits for its answer. Throws a Failure with the reason of a refusal. */
async function asked(client: MqttClient, topic: string, request: object): Promise<unknown> {
  const answer = new Promise<unknown>((done, fail) => {
    const timeout = setTimeout(
      () => fail(new Failure(`no answer on ${topic} within ${ANSWER_MS / 1000} s`)),
      ANSWER_MS,
    )
    const hear = (from: string, payload: Buffer) => {
      if (from !== `${topic}/accepted` && from !== `${topic}/rejected`) return
      clearTimeout(timeout)
      client.off('message', hear)
      const said: unknown = JSON.parse(payload.toString('utf8'))
      if (from.endsWith('/accepted')) return done(said)
      const { errorCode, errorMessage } = Rejected.parse(said)
      fail(new Failure(`refused: ${errorCode}, ${errorMessage}`))
    }
    client.on('message', hear)
    client.once('close', () => fail(new Failure('the broker closed the connection')))
  })
  await client.publishAsync(topic, JSON.stringify(request), { qos: 1 })
  return answer
}
