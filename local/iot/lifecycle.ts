import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'

/** Who a connection belongs to. */
interface Of {
  clientId: string
  certificateId: string
}

/** A connection that was told of. */
export interface Told extends Of {
  session: string
  version: number
}

interface Kept extends Told {
  endedAtMs: number | null
}

/** A message AWS IoT publishes itself when a client comes or goes. */
export interface LifecycleMessage {
  topic: string
  payload: Buffer
  clientId: string
}

/** Why a connection ended, in AWS's words. */
export type DisconnectReason =
  | 'AUTH_ERROR'
  | 'CLIENT_ERROR'
  | 'CLIENT_INITIATED_DISCONNECT'
  | 'CONNECTION_LOST'
  | 'DUPLICATE_CLIENTID'
  | 'MQTT_KEEP_ALIVE_TIMEOUT'
  | 'SERVER_INITIATED_DISCONNECT'

/** A client that was away for this long begins again at version 0. */
const FORGOTTEN_AFTER_MS = 3_600_000
const SAVE_AFTER_MS = 50

/**
 * The presence events of connections. The newest of each client is kept on disk: a broker that was
 * killed tells of the ends of its connections when it starts again, as AWS would have.
 */
export class Lifecycle {
  readonly #store: DatabaseSync
  readonly #now: () => number
  readonly #unsaved = new Map<string, Kept>()
  #timer: NodeJS.Timeout | undefined

  constructor(store: DatabaseSync, now: () => number) {
    this.#store = store
    this.#now = now
    store.exec(`
      CREATE TABLE IF NOT EXISTS iot_connections (
        client_id TEXT PRIMARY KEY, session TEXT NOT NULL, certificate TEXT NOT NULL,
        version INTEGER NOT NULL, ended_at_ms INTEGER
      ) STRICT, WITHOUT ROWID;
    `)
  }

  connected({ clientId, certificateId }: Of): { told: Told; message: LifecycleMessage } {
    const version = this.#nextVersion(clientId)
    const told: Told = { clientId, certificateId, session: randomUUID(), version }
    this.#keep({ ...told, endedAtMs: null })
    return { told, message: this.#message('connected', told, { ipAddress: '127.0.0.1' }) }
  }

  disconnected(told: Told, reason: DisconnectReason): LifecycleMessage {
    // Another connection of the client may be the newest by now.
    if (this.#newest(told.clientId)?.session === told.session) {
      this.#keep({ ...told, endedAtMs: this.#now() })
    }
    return this.#message('disconnected', told, {
      clientInitiatedDisconnect: reason === 'CLIENT_INITIATED_DISCONNECT',
      disconnectReason: reason,
    })
  }

  /** Connections that an earlier run left open. */
  left(): Told[] {
    return this.#store
      .prepare('SELECT * FROM iot_connections WHERE ended_at_ms IS NULL ORDER BY client_id')
      .all()
      .map(fromRow)
  }

  /** Puts on disk what is not there yet. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#unsaved.size === 0) return
    const put = this.#store.prepare('INSERT OR REPLACE INTO iot_connections VALUES (?, ?, ?, ?, ?)')
    this.#store.exec('BEGIN')
    for (const it of this.#unsaved.values()) {
      put.run(it.clientId, it.session, it.certificateId, it.version, it.endedAtMs)
    }
    this.#store.exec('COMMIT')
    this.#unsaved.clear()
  }

  /** A campus that connects at once is one write: nobody waits for these rows. */
  #keep(connection: Kept): void {
    this.#unsaved.set(connection.clientId, connection)
    this.#timer ??= setTimeout(() => this.flush(), SAVE_AFTER_MS)
  }

  #newest(clientId: string): Kept | undefined {
    const unsaved = this.#unsaved.get(clientId)
    if (unsaved) return unsaved
    const row = this.#store
      .prepare('SELECT * FROM iot_connections WHERE client_id = ?')
      .get(clientId)
    if (!row) return undefined
    const endedAtMs = row.ended_at_ms === null ? null : Number(row.ended_at_ms)
    return { ...fromRow(row), endedAtMs }
  }

  #nextVersion(clientId: string): number {
    const last = this.#newest(clientId)
    if (!last) return 0
    const isForgotten =
      last.endedAtMs !== null && this.#now() - last.endedAtMs >= FORGOTTEN_AFTER_MS
    return isForgotten ? 0 : last.version + 1
  }

  #message(eventType: 'connected' | 'disconnected', told: Told, more: object): LifecycleMessage {
    const { clientId, certificateId, session, version } = told
    const event = {
      clientId,
      timestamp: this.#now(),
      eventType,
      sessionIdentifier: session,
      principalIdentifier: certificateId,
      versionNumber: version,
      ...more,
    }
    return {
      topic: `$aws/events/presence/${eventType}/${clientId}`,
      payload: Buffer.from(JSON.stringify(event)),
      clientId,
    }
  }
}

function fromRow(row: Record<string, unknown>): Told {
  return {
    clientId: String(row.client_id),
    certificateId: String(row.certificate),
    session: String(row.session),
    version: Number(row.version),
  }
}
