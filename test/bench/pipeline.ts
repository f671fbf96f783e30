import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { accept } from '../../functions/ingest/accept.ts'
import { bookBatch } from '../../functions/ledger/batch.ts'
import { see } from '../../functions/presence/see.ts'
import { run } from '../../functions/rollup/run.ts'
import { tally } from '../../functions/tally/tally.ts'
import { portsOver } from '../../simulate/cloud/ports.ts'
import type { Units } from './metered.ts'
import { startTables } from './tables.ts'

const STREAM_BATCH = 100

/** The use cases of the functions over the real tables, in one process and in time of our own. */
export interface Pipeline extends AsyncDisposable {
  readonly units: Units
  /** Where the engine listens. */
  readonly endpoint: string
  /** Physical table name by short name. */
  readonly tables: Readonly<Record<string, string>>
  setClock(nowMs: number): void
  register(esp32Name: string, classroom: string): Promise<void>
  telemetry(esp32Name: string, message: object): Promise<void>
  heartbeat(esp32Name: string, message: object): Promise<void>
  /** Gives the ledger what came into the Telemetry stream since the last call. @returns records */
  deliver(): Promise<number>
  /** Gives the tally what came into both streams since its last call. */
  count(): Promise<void>
  rollup(): Promise<void>
}

/** Starts the engine with the app's tables, and nothing else of the app. */
export async function startPipeline(): Promise<Pipeline> {
  const running = await startTables()
  const { client, metered, table, tables, endpoint } = running
  let nowMs = 0
  const now = () => nowMs
  const failed = (register: string, error: unknown) => {
    throw new Error(`${register} was not booked or rolled up`, { cause: error })
  }
  const { nodes, control, quarantine, raw, booking, rolling } = portsOver(client, table, {
    now,
    failed,
    rememberMs: 60_000,
  })
  const uncounted = { telemetry: [], ledger: [] } as Record<
    'telemetry' | 'ledger',
    ReturnType<typeof metered.takeInserts>
  >
  const noteInserts = () => {
    uncounted.ledger.push(...metered.takeInserts(table('ledger')))
  }
  return {
    units: metered.units,
    endpoint,
    tables,
    setClock: (ms) => {
      nowMs = ms
    },
    async register(esp32Name, classroom) {
      const node = { esp32_name: esp32Name, kind: 'node', created_at_ms: nowMs }
      const assignment = {
        esp32_name: esp32Name,
        kind: 'assignment#0000',
        classroom,
        from_at_ms: 0,
        recorded_at_ms: nowMs,
        recorded_by: 'bench',
      }
      for (const Item of [node, assignment]) {
        await client.send(new PutCommand({ TableName: table('nodes'), Item }))
      }
    },
    async telemetry(esp32Name, message) {
      const payload = Buffer.from(JSON.stringify(message))
      const arrival = { esp32Name, payload, receivedAtMs: nowMs, via: 'mqtt' as const }
      const done = await accept(arrival, { raw, quarantine })
      if (done.quarantined) throw new Error(`quarantined: ${done.quarantined.reason}`)
    },
    async heartbeat(esp32Name, message) {
      const event = {
        payload: Buffer.from(JSON.stringify(message)).toString('base64'),
        esp32_name: esp32Name,
        channel: 'heartbeat' as const,
        client_id: esp32Name,
        principal: 'bench',
        received_at: nowMs,
      }
      await see(event, { nodes, quarantine })
    },
    async deliver() {
      const records = metered.takeInserts(table('telemetry'))
      uncounted.telemetry.push(...records)
      for (let at = 0; at < records.length; at += STREAM_BATCH) {
        await bookBatch(records.slice(at, at + STREAM_BATCH), booking)
      }
      noteInserts()
      return records.length
    },
    async count() {
      for (const source of ['telemetry', 'ledger'] as const) {
        const records = uncounted[source].splice(0)
        if (records.length === 0) continue
        const { add } = tally(records)
        const guard = `${source}#${records[0]?.eventID}#${records.length}`
        if (Object.values(add).some((it) => it > 0)) await control.countOnce(guard, add, nowMs)
      }
    },
    async rollup() {
      const done = await run(`bench#${nowMs}`, rolling)
      if (done.failures > 0) throw new Error(`${done.failures} registers were not rolled up`)
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}
