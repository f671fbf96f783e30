import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { Failure } from '../failure.ts'
import type { Credentials } from '../provisioning/files.ts'

/** A message of a node. */
export interface Outgoing {
  topic: string
  payload: string
  retain?: boolean
}

/** How a session is opened. */
export interface SessionOptions {
  host: string
  port: number
  clientId: string
  credentials: Credentials
  will?: Outgoing
  /** @default 10 s */
  connectTimeoutMs?: number
}

/**
 * One MQTT connection from CONNECT to its end. It does not come back: who needs another opens one
 * and decides what is sent again. (The client's own reconnect loses the callbacks of what was in
 * flight and its order; MQTT.js issues 360, 1974 and 2015.)
 */
export interface Session {
  /** Settles with the PUBACK (QoS 1); rejects when the connection ends before it. */
  publish(message: Outgoing): Promise<void>
  /** Settles when the broker took the subscription (QoS 1); rejects when it refuses or the connection ends. */
  subscribe(topic: string, heard: (payload: Buffer) => void): Promise<void>
  /** Hears what the broker sends without a subscription: answers on topics of AWS IoT. */
  hear(topic: string, heard: (payload: Buffer) => void): void
  /** Settles when the connection has ended, for whatever reason. */
  readonly ended: Promise<void>
  readonly isOpen: boolean
  /** Says goodbye: the broker discards the will. */
  end(): Promise<void>
  /** Cuts the line, as a power cut does: the broker publishes the will. */
  cut(): void
}

/** Opens a session over TLS with the node's certificate. Rejects when the broker is not there or refuses. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { host, port, clientId, credentials, will, connectTimeoutMs = 10_000 } = options
  const settings: IClientOptions = {
    protocol: 'mqtts',
    protocolVersion: 4,
    host,
    port,
    clientId,
    clean: true,
    keepalive: 30,
    reconnectPeriod: 0,
    connectTimeout: connectTimeoutMs,
    ca: credentials.caPem,
    cert: credentials.certificatePem,
    key: credentials.keyPem,
    rejectUnauthorized: true,
    ...(will === undefined
      ? {}
      : { will: { ...will, payload: Buffer.from(will.payload), qos: 1, retain: will.retain } }),
  }
  const client = connect(settings)
  const session = wrap(client)
  await established(client, session)
  return session
}

/** A refused connection ends by `close`; what went before it as `error` says why. */
async function established(client: MqttClient, session: Session): Promise<void> {
  let why: Error | undefined
  client.on('error', (error) => {
    why ??= error
  })
  const connected = new Promise<true>((done) => client.once('connect', () => done(true)))
  const result = await Promise.race([connected, session.ended])
  if (result === true) return
  client.end(true)
  throw why ?? new Failure('the broker closed the connection before accepting it')
}

function wrap(client: MqttClient): Session {
  const waiting = new Set<(error: Error) => void>()
  let isOpen = true
  let why: Error | undefined
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  client.on('error', (error) => {
    why = error
  })
  client.on('close', () => {
    isOpen = false
    const error = new Failure('the broker closed the connection', { cause: why })
    for (const reject of waiting) reject(error)
    waiting.clear()
    resolve()
  })
  const hear: Session['hear'] = (topic, heard) => {
    client.on('message', (to, payload) => {
      if (to === topic) heard(payload)
    })
  }
  return {
    ended,
    hear,
    get isOpen() {
      return isOpen
    },
    publish: ({ topic, payload, retain = false }) =>
      new Promise((done, reject) => {
        if (!isOpen) return reject(new Failure('the connection has ended'))
        waiting.add(reject)
        client.publish(topic, payload, { qos: 1, retain }, (error) => {
          waiting.delete(reject)
          if (error) reject(error)
          else done()
        })
      }),
    subscribe: (topic, heard) =>
      new Promise((done, reject) => {
        if (!isOpen) return reject(new Failure('the connection has ended'))
        waiting.add(reject)
        hear(topic, heard)
        client.subscribe(topic, { qos: 1 }, (error, granted) => {
          waiting.delete(reject)
          const isRefused = granted?.some(({ qos }) => qos > 1) ?? false
          if (error || isRefused) reject(error ?? new Failure(`the broker refused ${topic}`))
          else done()
        })
      }),
    end: async () => {
      if (isOpen) await client.endAsync()
    },
    cut: () => {
      client.stream.destroy()
      client.end(true)
    },
  }
}
