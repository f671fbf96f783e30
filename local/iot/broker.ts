import { randomUUID } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes'
import { listenOnLoopback } from '../loopback.ts'
import type { Runtime } from '../runtime.ts'
import { type Authority, certificateId } from './authority.ts'
import { answerJobs } from './jobs/topics.ts'
import type { LeftWill } from './kept-messages.ts'
import type { DisconnectReason, LifecycleMessage, Told } from './lifecycle.ts'
import { Mqtt5Stream, protocolLevel, REASON, Violation } from './mqtt5.ts'
import { type Gate, type Incoming, Session } from './sessions.ts'
import { filterMatches, keepAliveSeconds } from './topics.ts'

/** A running MQTT broker. */
export interface Broker {
  port: number
  /** Publishes as the service itself, e.g. a command to a node; no policy applies, rules do. */
  publish(message: Incoming): Promise<void>
  /** Closes connections whose certificate is no longer active. Call it after a certificate has changed. */
  recheck(): void
  /** Ends the connection of a client. @returns false when it has none */
  disconnect(clientId: string, options: { sendWill: boolean }): boolean
  /** Ends all connections, sending their wills, and waits until what they published is on disk. */
  stop(): Promise<void>
}

interface Connection {
  key: string
  session: Session
  /** The will as aedes holds it: aedes hands the same object over when it is due. */
  will?: object
  /** True once the will was taken for sending. */
  willTaken: boolean
  /** Topic filters it has subscribed to. */
  filters: Set<string>
  /** What presence events call it, once it is open. */
  told?: Told
  /** Why the broker ends it. */
  ends?: DisconnectReason
}

const CONNECT_TIMEOUT_MS = 30_000

/**
 * Starts the broker on loopback: TLS 1.2 or later, client certificates of our authority only, MQTT
 * 3.1.1 and 5. A PUBACK goes out when the rules' events are on disk.
 */
export async function startBroker(
  runtime: Pick<Runtime, 'log'>,
  authority: Authority,
  gate: Gate,
  port: number,
): Promise<Broker> {
  const certificates = new WeakMap<object, string>()
  const connections = new WeakMap<Client, Connection>()
  const open = new Map<string, Client>()
  const pending = new Set<Promise<void>>()

  const track = (promise: Promise<void>) => {
    pending.add(promise)
    const drop = () => void pending.delete(promise)
    promise.then(drop, drop)
    return promise
  }
  /** aedes reports what we refused once more when it closes the connection. */
  const told = new WeakSet<object>()
  const refused = (what: string, client: Client | null, reason: unknown, more: object = {}) => {
    if (reason instanceof Error) {
      if (told.has(reason)) return
      told.add(reason)
    }
    runtime.log('iot', what, {
      client_id: client?.id,
      certificate: client ? connections.get(client)?.session.identity.certificateId : undefined,
      reason: reason instanceof Error ? reason.message : String(reason),
      ...more,
    })
  }

  const end = (client: Client, reason: DisconnectReason) => {
    const connection = connections.get(client)
    if (connection) connection.ends ??= reason
  }

  const aedes = await Aedes.createBroker({
    connectTimeout: CONNECT_TIMEOUT_MS,
    queueLimit: 1000,
    concurrency: 1000,

    preConnect(client, packet, done) {
      const { clientId, will, clean } = packet
      packet.keepalive = keepAliveSeconds(packet.keepalive ?? 0)
      const connectAttributes = [
        ...(will ? ['LastWill'] : []),
        ...(clean === false ? ['PersistentConnect'] : []),
      ]
      const id = certificates.get(client.conn) ?? ''
      connections.set(client, {
        key: randomUUID(),
        session: new Session({ clientId, certificateId: id, connectAttributes }, gate),
        ...(will ? { will } : {}),
        willTaken: false,
        filters: new Set(),
      })
      done(null, true)
    },

    authenticate(client, _username, _password, done) {
      const session = connections.get(client)?.session
      try {
        if (!session) throw new Error('the connection is unknown')
        session.connect()
      } catch (reason) {
        refused('connect refused', client, reason)
        const notAuthorized = 5
        done(
          Object.assign(reason as Error, { returnCode: notAuthorized }) as AuthenticateError,
          null,
        )
        return
      }
      const older = open.get(client.id)
      if (older) {
        end(older, 'DUPLICATE_CLIENTID')
        refused('disconnected', older, 'DUPLICATE_CLIENTID')
      }
      done(null, true)
    },

    authorizePublish(client, packet, done) {
      const connection = client && connections.get(client)
      if (!connection) return done(new Error('publish without a connection'))
      const isWill = connection.will === packet
      if (isWill) connection.willTaken = true
      const over = (error?: unknown) => {
        if (isWill) gate.kept.removeWill(connection.key)
        if (error)
          refused(isWill ? 'will refused' : 'publish refused', client, error, packetFacts(packet))
        done(error ? (error as Error) : null)
      }
      try {
        const kept = connection.session.publish(incoming(packet))
        reply(client, connection, incoming(packet))
        if (!kept) return over()
        track(kept).then(() => over(), over)
      } catch (violation) {
        over(violation)
      }
    },

    authorizeSubscribe(client, subscription, done) {
      const { topic, qos } = subscription
      try {
        const decision = connections.get(client)?.session.subscribe(topic, qos)
        if (decision?.allowed) {
          connections.get(client)?.filters.add(topic)
          return done(null, subscription)
        }
        refused('subscribe refused', client, decision?.reason, { topic })
        done(null, null)
      } catch (violation) {
        refused('subscribe refused', client, violation, { topic })
        done(violation as Error)
      }
    },

    authorizeForward(client, packet) {
      return connections.get(client)?.session.receives(packet.topic) ? packet : null
    },
  })

  // An 'error' event nobody hears would end the process.
  const emitter: EventEmitter = aedes
  emitter.on('error', (error) => refused('broker error', null, error))
  aedes.on('client', (client) => {
    // aedes ends the older connection itself, but loses sight of one that replaced a third in the same moment.
    const older = open.get(client.id)
    if (older && older !== client) older.close()
    open.set(client.id, client)
    const connection = connections.get(client)
    if (connection) {
      const { told, message } = gate.lifecycle.connected(connection.session.identity)
      connection.told = told
      announce(message)
    }
    if (!connection?.will) return
    const { clientId, certificateId } = connection.session.identity
    gate.kept.addWill(connection.key, {
      ...incoming(connection.will as PublishPacket),
      clientId,
      certificateId,
    } as LeftWill)
  })
  aedes.on('clientDisconnect', (client) => {
    if (open.get(client.id) === client) open.delete(client.id)
    const connection = connections.get(client)
    if (connection && !connection.willTaken) gate.kept.removeWill(connection.key)
    if (connection?.told === undefined) return
    // aedes marks a client that has sent a DISCONNECT, in a field its types do not name.
    const isClean = (client as { _disconnected?: boolean })._disconnected === true
    const reason = isClean ? 'CLIENT_INITIATED_DISCONNECT' : (connection.ends ?? 'CONNECTION_LOST')
    announce(gate.lifecycle.disconnected(connection.told, reason))
  })
  aedes.on('keepaliveTimeout', (client) => {
    end(client, 'MQTT_KEEP_ALIVE_TIMEOUT')
    refused('disconnected', client, 'keep alive timeout')
  })
  aedes.on('clientError', (client, error) => {
    if (error instanceof Violation) {
      end(client, error.reasonCode === REASON.notAuthorized ? 'AUTH_ERROR' : 'CLIENT_ERROR')
    }
    refused('disconnected', client, error)
  })
  aedes.on('connectionError', (client, error) => refused('disconnected', client, error))

  const publish = (message: Incoming) =>
    new Promise<void>((resolve, reject) => {
      const { topic, payload, qos, retain } = message
      aedes.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  /** Tells rules and subscribers that a client came or went; nobody waits for it. */
  function announce({ topic, payload, clientId }: LifecycleMessage): void {
    const told = async () => {
      await gate.rules.dispatch({ topic, payload, clientId, principal: 'n/a' })
      if (!aedes.closed) await publish({ topic, payload, qos: 0, retain: false })
    }
    track(
      told().catch((reason) => refused('presence event not delivered', null, reason, { topic })),
    )
  }
  /** AWS answers the client that asked, on its own connection. */
  function reply(client: Client, { session, filters }: Connection, asked: Incoming): void {
    const answering =
      gate.fleet.answer(asked.topic, asked.payload, session.identity) ??
      answerJobs(gate.jobs, gate.now(), asked.topic, asked.payload)
    if (!answering) return
    const told = async () => {
      const { topic, payload, isUnasked } = await answering
      const hears = isUnasked
        ? session.receives(topic)
        : [...filters].some((filter) => filterMatches(filter, topic))
      if (!hears) return
      const packet = { cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false } as const
      await new Promise<void>((done, fail) => {
        client.publish(packet, (error) => (error ? fail(error) : done()))
      })
    }
    track(told().catch((reason) => refused('answer not delivered', client, reason)))
  }
  for (const message of gate.kept.retained()) await publish(message)
  for (const will of gate.kept.leftWills()) {
    const session = new Session({ ...will, connectAttributes: ['LastWill'] }, gate)
    try {
      await session.publish(will)
      await publish(will)
    } catch (reason) {
      refused('will of an earlier run refused', null, reason, packetFacts(will))
    }
    gate.kept.removeWill(will.connection)
  }
  for (const left of gate.lifecycle.left()) {
    announce(gate.lifecycle.disconnected(left, 'CONNECTION_LOST'))
  }

  const sockets = new Set<Socket>()
  const accept = (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy())
    const der = socket.getPeerCertificate().raw as Buffer | undefined
    const id = der ? certificateId(der) : undefined
    const status = id ? gate.registry.certificate(id)?.status : undefined
    if (!id || status !== 'ACTIVE') {
      const reason = `the certificate is ${status ? `${status}, not ACTIVE` : 'not registered'}`
      refused('connect refused', null, reason, { certificate: id })
      socket.destroy()
      return
    }
    socket.setNoDelay(true)
    whenLevelIsKnown(socket, (level) => {
      const stream = level === 5 ? new Mqtt5Stream(socket) : socket
      certificates.set(stream, id)
      aedes.handle(stream)
    })
  }

  const { port: taken, servers } = await listenOnLoopback(
    () => {
      const server = createServer(
        {
          key: authority.brokerKeyPem,
          cert: authority.brokerPem,
          ca: authority.caPem,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: 'TLSv1.2',
          handshakeTimeout: CONNECT_TIMEOUT_MS,
        },
        accept,
      )
      server.on('connection', (socket) => {
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket))
      })
      server.on('tlsClientError', (error) => refused('TLS refused', null, error))
      return server
    },
    port,
    'The MQTT broker (--mqtt-port)',
  )

  return {
    port: taken,
    async publish(message) {
      const { topic, payload, retain } = message
      await gate.rules.dispatch({ topic, payload, clientId: 'n/a', principal: 'n/a' })
      if (retain) gate.kept.retain({ ...message, qos: message.qos === 0 ? 0 : 1 })
      await publish(message)
    },
    recheck() {
      for (const client of open.values()) {
        const id = connections.get(client)?.session.identity.certificateId ?? ''
        if (gate.registry.certificate(id)?.status === 'ACTIVE') continue
        end(client, 'AUTH_ERROR')
        refused('disconnected', client, 'the certificate is no longer active')
        client.close()
      }
    },
    disconnect(clientId, { sendWill }) {
      const client = open.get(clientId)
      if (!client) return false
      end(client, 'SERVER_INITIATED_DISCONNECT')
      refused('disconnected', client, 'DeleteConnection')
      // A client without a will has none to send; aedes keeps it in a field its types do not name.
      if (!sendWill) Object.assign(client, { will: null })
      client.close()
      return true
    },
    async stop() {
      for (const server of servers) server.close()
      for (const client of open.values()) end(client, 'SERVER_INITIATED_DISCONNECT')
      await new Promise<void>((resolve) => aedes.close(resolve))
      await Promise.allSettled(pending)
      gate.lifecycle.flush()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function incoming(packet: Pick<PublishPacket, 'topic' | 'payload' | 'qos' | 'retain'>): Incoming {
  const { topic, payload, qos, retain } = packet
  return {
    topic,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos,
    retain: retain === true,
  }
}

function packetFacts({ topic, payload, qos }: { topic: string; payload: unknown; qos: number }) {
  return { topic, bytes: (payload as { length: number }).length, qos }
}

/** Looks at the first bytes of a connection without taking them from the stream. */
function whenLevelIsKnown(socket: TLSSocket, then: (level: number) => void): void {
  let seen: Buffer = Buffer.alloc(0)
  const timeout = setTimeout(() => socket.destroy(), CONNECT_TIMEOUT_MS)
  const look = () => {
    const chunk = socket.read() as Buffer | null
    if (!chunk) return
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const level = protocolLevel(seen)
    if (level === undefined) return
    clearTimeout(timeout)
    socket.off('readable', look)
    socket.off('close', stop)
    socket.unshift(seen)
    then(level)
  }
  const stop = () => clearTimeout(timeout)
  socket.on('readable', look)
  socket.on('close', stop)
}
