import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import mqtt, { type IConnackPacket, type Packet } from 'mqtt-packet'
import { keepAliveSeconds, LIMITS } from './topics.ts'

/** Why a connection is closed, with the MQTT 5 reason code that tells a version 5 client. */
export class Violation extends Error {
  readonly reasonCode: number

  constructor(message: string, reasonCode: number) {
    super(message)
    this.reasonCode = reasonCode
  }
}

/** MQTT 5 reason codes this broker gives. */
export const REASON = {
  notAuthorized: 0x87,
  topicNameInvalid: 0x90,
  packetTooLarge: 0x95,
  qosNotSupported: 0x9b,
} as const

const CONNACK_REASONS: Readonly<Record<number, number>> = {
  0: 0,
  1: 0x84,
  2: 0x85,
  3: 0x88,
  4: 0x86,
  5: REASON.notAuthorized,
}
const DISCONNECT_WITH_WILL = 0x04
const V5 = { protocolVersion: 5 }
const V4 = { protocolVersion: 4 }

/**
 * The protocol level in the first bytes of a connection, or undefined while they are too few.
 * Anything that is no MQTT CONNECT counts as level 0; the broker's own parser will refuse it.
 */
export function protocolLevel(bytes: Buffer): number | undefined {
  if (bytes.length > 0 && bytes[0] !== 0x10) return 0
  let at = 1
  while (at < 5 && ((bytes[at] ?? 0) & 0x80) !== 0) at += 1
  const nameLength = at + 1
  if (bytes.length < nameLength + 2) return undefined
  const level = nameLength + 2 + bytes.readUInt16BE(nameLength)
  if (level > 16) return 0
  return bytes.length > level ? bytes[level] : undefined
}

/**
 * Lets an MQTT 5 client talk to aedes, which speaks 3.1.1 only: a stream that gives aedes 3.1.1
 * packets and the client version 5 ones with reason codes and the limits of AWS. Properties of messages,
 * will delay and the subscription options of version 5 are not carried over. A session with an expiry
 * counts as persistent, and is resumed even when a clean start is asked for.
 */
export class Mqtt5Stream extends Duplex {
  readonly #socket: TLSSocket
  readonly #unsubscribed = new Map<number, number>()
  readonly #fromBroker = mqtt.parser(V4)
  #connected = false
  #ended = false
  #asked = { keepAlive: 0, sessionExpiry: 0 }

  constructor(socket: TLSSocket) {
    super()
    this.#socket = socket
    const fromClient = mqtt.parser()
    fromClient.on('packet', (packet) => this.#toBroker(packet))
    fromClient.on('error', (error) => this.destroy(error))
    this.#fromBroker.on('packet', (packet) => this.#send(this.#translateOut(packet)))
    this.#fromBroker.on('error', (error) => this.destroy(error))
    socket.on('data', (chunk: Buffer) => void fromClient.parse(chunk))
    socket.on('end', () => this.push(null))
    socket.on('close', () => this.destroy())
    socket.on('error', (error) => this.destroy(error))
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#fromBroker.parse(chunk)
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', done)
    else done()
  }

  /** Says why before closing, where the broker gave a reason and the client has not left by itself. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#socket.destroyed) {
      done(error)
      return
    }
    if (error instanceof Violation && this.#connected && !this.#ended) {
      this.#send({ cmd: 'disconnect', reasonCode: error.reasonCode })
    }
    this.#socket.destroySoon()
    done(error)
  }

  #send(packet: Packet): void {
    if (this.#socket.writable) this.#socket.write(mqtt.generate(packet, V5))
  }

  #toBroker(packet: Packet): void {
    const translated = this.#translateIn(packet)
    if (translated && !this.push(mqtt.generate(translated, V4))) this.#socket.pause()
  }

  #translateIn(packet: Packet): Packet | undefined {
    switch (packet.cmd) {
      case 'connect': {
        const { properties, will, ...connect } = packet
        const sessionExpiry = properties?.sessionExpiryInterval ?? 0
        this.#asked = { keepAlive: packet.keepalive ?? 0, sessionExpiry }
        if (properties?.authenticationMethod) {
          this.destroy(new Error('enhanced authentication is not supported'))
          return undefined
        }
        const { properties: _, ...plainWill } = will ?? { topic: '', payload: '' }
        return {
          ...connect,
          protocolVersion: 4,
          clean: sessionExpiry === 0,
          ...(will ? { will: plainWill } : {}),
        }
      }
      case 'unsubscribe':
        this.#unsubscribed.set(packet.messageId ?? 0, packet.unsubscriptions.length)
        return packet
      case 'disconnect':
        this.#ended = true
        if (packet.reasonCode !== DISCONNECT_WITH_WILL) return { cmd: 'disconnect' }
        this.destroy()
        return undefined
      case 'auth':
        this.destroy(new Error('enhanced authentication is not supported'))
        return undefined
      case 'publish':
        if (packet.topic === '') {
          this.destroy(new Violation('topic aliases are not supported', REASON.topicNameInvalid))
          return undefined
        }
        return packet
      default:
        return packet
    }
  }

  #translateOut(packet: Packet): Packet {
    switch (packet.cmd) {
      case 'connack':
        return this.#connack(packet)
      case 'suback': {
        const codes = packet.granted as number[]
        return { ...packet, granted: codes.map((it) => (it === 0x80 ? REASON.notAuthorized : it)) }
      }
      case 'unsuback': {
        const messageId = packet.messageId ?? 0
        const count = this.#unsubscribed.get(messageId) ?? 1
        this.#unsubscribed.delete(messageId)
        return { cmd: 'unsuback', messageId, granted: new Array(count).fill(0) }
      }
      case 'puback':
        return { cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 }
      default:
        return packet
    }
  }

  #connack({ returnCode = 0, sessionPresent }: IConnackPacket): Packet {
    const reasonCode = CONNACK_REASONS[returnCode] ?? 0x80
    if (reasonCode !== 0) return { cmd: 'connack', reasonCode, sessionPresent: false }
    this.#connected = true
    const serverKeepAlive = keepAliveSeconds(this.#asked.keepAlive)
    return {
      cmd: 'connack',
      reasonCode,
      sessionPresent,
      properties: {
        maximumQoS: 1,
        retainAvailable: true,
        maximumPacketSize: LIMITS.payloadBytes + 1024,
        topicAliasMaximum: 0,
        sharedSubscriptionAvailable: false,
        subscriptionIdentifiersAvailable: false,
        sessionExpiryInterval: this.#asked.sessionExpiry,
        ...(serverKeepAlive === this.#asked.keepAlive ? {} : { serverKeepAlive }),
      },
    }
  }
}
