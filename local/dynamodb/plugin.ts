import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Plugin } from '../runtime.ts'
import { startDatabase } from './process.ts'
import { indexStreamRecords } from './stream-records.ts'
import { ensureTable, TABLE, TABLE_PROPERTIES, tableShape } from './tables.ts'

// A sweep looks at every item of a table that expires: 4 ms a thousand.
const SWEEP_EVERY_MS = 3_600_000

/** DynamoDB: dynoxide as a child process, with the tables of the template. */
export const dynamodb: Plugin = {
  name: 'dynamodb',
  supports: { [TABLE]: TABLE_PROPERTIES },

  async start(runtime) {
    const shapes = runtime.ofType(TABLE).map(tableShape)
    const database = await startDatabase(runtime.dataDir)
    const client = new DynamoDBClient(localClient(database.url, runtime.region))
    try {
      indexStreamRecords(database.file)
      for (const shape of shapes) await ensureTable(client, shape)
    } catch (error) {
      await database.stop()
      throw error
    } finally {
      client.destroy()
    }
    const expires = shapes.some((it) => it.expiry !== undefined)
    const sweep = async () => {
      const deleted = await database.sweep()
      if (deleted > 0) runtime.log('dynamodb', 'expired items deleted', { deleted })
      return deleted
    }
    const sweepQuietly = () => {
      sweep().catch((error) => runtime.log('dynamodb', 'could not sweep', { error: String(error) }))
    }
    const timer = expires ? setInterval(sweepQuietly, SWEEP_EVERY_MS) : undefined

    let stopping = false
    database.ended.then((reason) => {
      if (!stopping) runtime.fail(new Error(`The local database ended by itself (${reason})`))
    })
    return {
      controlRoutes: [
        {
          // AWS deletes expired items within days; who cannot wait asks for it.
          method: 'POST',
          path: /^\/local\/expire$/,
          handle: async () => ({ status: 200, body: JSON.stringify({ deleted: await sweep() }) }),
        },
      ],
      endpoints: {
        dynamodb: database.url,
        tables: Object.fromEntries(
          shapes.map((it) => [shortName(it.create.TableName), it.create.TableName]),
        ),
      },
      async stop() {
        stopping = true
        clearInterval(timer)
        await database.stop()
      },
    }
  },
}

/** Settings of an SDK client that talks to a part of this stack; any credentials do. */
export function localClient(endpoint: string, region: string) {
  return {
    endpoint,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 3,
  }
}

/** `autovolt-local-telemetry` → `telemetry`; a name of another form stays as it is. */
export function shortName(physical: string): string {
  return physical.replace(/^autovolt-[a-z]+-/, '')
}
