import { join } from 'node:path'
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { localClient } from '../dynamodb/plugin.ts'
import { openStreamRecords } from '../dynamodb/stream-records.ts'
import type { Plugin } from '../runtime.ts'
import { MAPPING, MAPPING_PROPERTIES, type MappingSpec, mappingSpec } from './mapping.ts'
import { openCheckpoints } from './progress.ts'
import { type Reader, startReader } from './reader.ts'
import { mappingRoutes, openSwitches } from './switches.ts'

const LOOK_BUSY_MS = 10
const LOOK_IDLE_MS = 30
const BUSY_FOR_MS = 2_000
const TRIM_EVERY_MS = 2_000
const TRIM_CHUNK = 500
const RETRY_WAIT_MS = 2_000

/** Event source mappings: table streams delivered to functions, at least once, in order per key. */
export const streams: Plugin = {
  name: 'streams',
  supports: { [MAPPING]: MAPPING_PROPERTIES },

  async start(runtime, options) {
    const specs = runtime.ofType(MAPPING).map((resource) => mappingSpec(resource, runtime))
    const endpoint = runtime.endpoints.dynamodb
    if (specs.length === 0 || endpoint === undefined) return { stop: async () => {} }

    const client = new DynamoDBStreamsClient(localClient(endpoint, runtime.region))
    const tables = new DynamoDBClient(localClient(endpoint, runtime.region))
    const records = openStreamRecords(join(runtime.dataDir, 'dynamodb.sqlite'))
    const checkpoints = openCheckpoints(runtime.store)
    const switches = openSwitches(runtime.store)
    const newest = new Map(records.advanced().map((it) => [it.table, it.newest]))

    // Only the start of the stack can find a database that has lost its last records.
    let isStart = true
    const newestOf = (spec: MappingSpec) =>
      (isStart ? undefined : checkpoints.load(spec.id)) ?? newest.get(spec.table) ?? 0
    const readers = new Map<MappingSpec, Reader>()
    const read = async (spec: MappingSpec) => {
      const described = await tables.send(new DescribeTableCommand({ TableName: spec.table }))
      const partition = described.Table?.KeySchema?.find((key) => key.KeyType === 'HASH')
      readers.set(
        spec,
        await startReader({
          spec,
          client,
          checkpoints,
          sourceArn: described.Table?.LatestStreamArn ?? '',
          partitionKey: partition?.AttributeName ?? '',
          region: runtime.region,
          newest: newestOf(spec),
          // The database stamps records with the machine's clock, so their age is measured by it.
          now: () => Date.now(),
          retryWaitMs: options.streamRetryWaitMs ?? RETRY_WAIT_MS,
          invoke: (batch) => {
            runtime.figures.add({
              namespace: 'AWS/Lambda',
              name: 'IteratorAge',
              dimensions: { FunctionName: spec.functionName },
              // Of the last record, as AWS measures it, and by the clock that stamped it.
              value: Math.max(0, Date.now() - (batch.at(-1)?.createdAtMs ?? Date.now())),
              atMs: runtime.now(),
            })
            return runtime.invoke(spec.functionArn, { Records: batch.map((it) => it.event) })
          },
          sendToQueue: (arn, body) => runtime.sendToQueue(arn, body),
          log: (message, fields) => runtime.log('streams', message, fields),
          fail: (error) => runtime.fail(error),
        }),
      )
    }
    for (const spec of specs) if (switches.isEnabled(spec)) await read(spec)
    isStart = false

    // One after the other: a reader that is starting cannot be stopped.
    let changing = Promise.resolve()
    const change = (spec: MappingSpec, isEnabled: boolean) => {
      const changed = changing.then(async () => {
        switches.set(spec, isEnabled)
        const reader = readers.get(spec)
        if (isEnabled && !reader) await read(spec)
        if (isEnabled || !reader) return
        await reader.stop()
        readers.delete(spec)
      })
      changing = changed.catch(() => {})
      return changed
    }

    let stopped = false
    let timer: NodeJS.Timeout
    let busyUntilMs = 0
    let trimAtMs = 0
    const look = () => {
      if (stopped) return
      const nowMs = performance.now()
      try {
        for (const { table } of records.advanced()) {
          busyUntilMs = nowMs + BUSY_FOR_MS
          for (const reader of readers.values()) if (reader.spec.table === table) reader.wake()
        }
        if (nowMs >= trimAtMs) trimAtMs = nowMs + (trim() ? LOOK_IDLE_MS : TRIM_EVERY_MS)
      } catch (error) {
        // The file can be locked for a moment; the next look finds what this one missed.
        runtime.log('streams', 'could not look', { reason: String(error) })
      }
      timer = setTimeout(look, nowMs < busyUntilMs ? LOOK_BUSY_MS : LOOK_IDLE_MS)
    }
    /** A mapping that is switched off keeps its place, and the records behind it, until it goes on. */
    const throughOf = (spec: MappingSpec) =>
      readers.get(spec)?.through() ?? checkpoints.load(spec.id) ?? 0
    /** Deletes some records all readers have done. True when there may be more. */
    const trim = () => {
      let more = false
      for (const table of new Set(specs.map((it) => it.table))) {
        const through = specs.filter((it) => it.table === table).map(throughOf)
        more = records.trim(table, Math.min(...through), TRIM_CHUNK) === TRIM_CHUNK || more
      }
      return more
    }
    look()

    return {
      controlRoutes: mappingRoutes(specs, switches, change),
      async stop() {
        stopped = true
        clearTimeout(timer)
        await changing
        await Promise.all([...readers.values()].map((reader) => reader.stop()))
        tables.destroy()
        records.close()
        client.destroy()
      },
    }
  },
}
