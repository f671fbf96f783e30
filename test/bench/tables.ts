import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { App, Stack } from 'aws-cdk-lib'
import { Tables } from '../../infra/constructs/tables.ts'
import { stageConfig } from '../../infra/stages.ts'
import { startLocal } from '../../local/boot.ts'
import { type Metered, meteredClient } from './metered.ts'

/** The engine with the app's tables, and nothing else of the app. */
export interface RunningTables extends AsyncDisposable {
  readonly client: DynamoDBDocumentClient
  /** What the client's calls cost and put. */
  readonly metered: Metered
  /** Where the engine listens. */
  readonly endpoint: string
  /** Physical table name by short name. */
  readonly tables: Readonly<Record<string, string>>
  /** The physical name of a table. */
  table(name: string): string
  /** Read and write units used since the start, by the short name of each table that was touched. */
  touched(): Record<string, { read: number; written: number }>
}

export async function startTables(): Promise<RunningTables> {
  const folder = mkdtempSync(join(tmpdir(), 'autovolt-tables-'))
  const app = new App({ outdir: join(folder, 'assembly'), analyticsReporting: false })
  new Tables(new Stack(app, 'Tables-Only'), 'Tables', stageConfig('local'))
  const stack = await startLocal({
    app,
    dataDir: join(folder, 'data'),
    httpPort: 0,
    mqttPort: 0,
    fresh: false,
    fleet: false,
  })
  const { dynamodb, tables } = stack.endpoints
  const metered: Metered = meteredClient(dynamodb)
  return {
    client: metered.client,
    metered,
    endpoint: dynamodb,
    tables,
    table: (name) => tables[name] as string,
    touched() {
      const { read, write } = metered.units
      const units = Object.entries(tables).map(([name, physical]) => {
        const used = { read: read.get(physical) ?? 0, written: write.get(physical) ?? 0 }
        return [name, used] as const
      })
      return Object.fromEntries(units.filter(([, used]) => used.read + used.written > 0))
    },
    async [Symbol.asyncDispose]() {
      metered.close()
      await stack.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
