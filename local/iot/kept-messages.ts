import type { DatabaseSync } from 'node:sqlite'

/** A message to keep for later subscribers, or to send when its connection is lost. */
export interface KeptMessage {
  topic: string
  payload: Buffer
  qos: 0 | 1
  retain: boolean
}

/** A will of a connection the broker lost by being killed. */
export interface LeftWill extends KeptMessage {
  clientId: string
  certificateId: string
}

/**
 * What AWS keeps for clients and a killed local broker must not lose: retained messages, and the
 * wills of open connections, which are due when the broker starts again.
 */
export class KeptMessages {
  readonly #store: DatabaseSync

  constructor(store: DatabaseSync) {
    this.#store = store
    store.exec(`
      CREATE TABLE IF NOT EXISTS iot_retained (
        topic TEXT PRIMARY KEY, payload BLOB NOT NULL, qos INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS iot_wills (
        connection TEXT PRIMARY KEY, client_id TEXT NOT NULL, certificate TEXT NOT NULL,
        topic TEXT NOT NULL, payload BLOB NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL
      ) STRICT;
    `)
  }

  /** Keeps the newest message of a topic; an empty payload clears it. */
  retain({ topic, payload, qos }: KeptMessage): void {
    if (payload.length === 0) {
      this.#store.prepare('DELETE FROM iot_retained WHERE topic = ?').run(topic)
    } else {
      this.#store
        .prepare('INSERT OR REPLACE INTO iot_retained (topic, payload, qos) VALUES (?, ?, ?)')
        .run(topic, payload, qos)
    }
  }

  retained(): KeptMessage[] {
    return this.#store
      .prepare('SELECT topic, payload, qos FROM iot_retained')
      .all()
      .map((row) => ({
        topic: String(row.topic),
        payload: Buffer.from(row.payload as Uint8Array),
        qos: row.qos === 1 ? 1 : 0,
        retain: true,
      }))
  }

  /** Keeps the will of a connection as long as it is open. `connection` is unique in all runs. */
  addWill(connection: string, will: LeftWill): void {
    this.#store
      .prepare(
        `INSERT INTO iot_wills (connection, client_id, certificate, topic, payload, qos, retain)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        connection,
        will.clientId,
        will.certificateId,
        will.topic,
        will.payload,
        will.qos,
        Number(will.retain),
      )
  }

  removeWill(connection: string): void {
    this.#store.prepare('DELETE FROM iot_wills WHERE connection = ?').run(connection)
  }

  /** The wills of connections that ended with an earlier run. */
  leftWills(): (LeftWill & { connection: string })[] {
    return this.#store
      .prepare('SELECT * FROM iot_wills ORDER BY rowid')
      .all()
      .map((row) => ({
        connection: String(row.connection),
        clientId: String(row.client_id),
        certificateId: String(row.certificate),
        topic: String(row.topic),
        payload: Buffer.from(row.payload as Uint8Array),
        qos: row.qos === 1 ? 1 : 0,
        retain: row.retain === 1,
      }))
  }
}
