import { readFileSync } from 'node:fs'
import { type Outgoing, openSession } from '../../cli/mqtt/session.ts'
import { readCredentials, thingDirectory } from '../../cli/provisioning/files.ts'
import type { Site } from './site.ts'

/** Where a node connects, and where its certificate lies. */
export interface Broker {
  readonly endpoints: Pick<Site['endpoints'], 'mqtt'>
  readonly dataDir: string
}

/** A golden wire message, with some fields changed. */
export function golden(kind: string, changes: object = {}): Record<string, unknown> {
  const file = new URL(`../fixtures/wire/${kind}.json`, import.meta.url)
  return { ...JSON.parse(readFileSync(file, 'utf8')), ...changes }
}

/** A node's connection: TLS, its own certificate, QoS 1. Calls settle with the PUBACK. */
export interface Node extends AsyncDisposable {
  telemetry(message: unknown): Promise<void>
  status(message: unknown): Promise<void>
  heartbeat(message: unknown): Promise<void>
  publish(message: Outgoing): Promise<void>
  /** Settles when the connection has ended, for whatever reason. */
  readonly ended: Promise<void>
  /** Cuts the line as a power cut does: the broker sends the will. */
  cut(): void
}

/** Connects a provisioned node. A string or bytes are published as they are. */
export async function connectNode(
  site: Broker,
  esp32Name: string,
  options: { will?: object; credentialsOf?: string } = {},
): Promise<Node> {
  const { host, port } = site.endpoints.mqtt
  const owner = options.credentialsOf ?? esp32Name
  const topic = (channel: string) => `autovolt/${esp32Name}/${channel}`
  const text = (message: unknown) =>
    typeof message === 'string' || Buffer.isBuffer(message)
      ? (message as string)
      : JSON.stringify(message)
  const session = await openSession({
    host,
    port,
    clientId: esp32Name,
    credentials: readCredentials(thingDirectory(site.dataDir, owner)),
    ...(options.will && {
      will: { topic: topic('status'), payload: text(options.will), retain: true },
    }),
  })
  const publish = (channel: string) => (message: unknown) =>
    session.publish({ topic: topic(channel), payload: text(message) })
  return {
    telemetry: publish('telemetry'),
    status: publish('status'),
    heartbeat: publish('heartbeat'),
    publish: (message) => session.publish(message),
    ended: session.ended,
    cut: () => session.cut(),
    [Symbol.asyncDispose]: () => session.end(),
  }
}
