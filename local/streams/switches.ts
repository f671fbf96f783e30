import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import type { ControlResponse, ControlRoute } from '../runtime.ts'
import type { MappingSpec } from './mapping.ts'

/** Which mappings were switched on or off since the template was deployed, on disk. */
export interface Switches {
  isEnabled(spec: MappingSpec): boolean
  set(spec: MappingSpec, isEnabled: boolean): void
}

/** Opens the switches in the store, making their table at the first start. */
export function openSwitches(store: DatabaseSync): Switches {
  store.exec(
    `CREATE TABLE IF NOT EXISTS streams_switches (
       mapping TEXT PRIMARY KEY, enabled INTEGER NOT NULL
     ) WITHOUT ROWID`,
  )
  const get = store.prepare('SELECT enabled FROM streams_switches WHERE mapping = ?')
  const put = store.prepare(
    `INSERT INTO streams_switches VALUES (?, ?)
       ON CONFLICT DO UPDATE SET enabled = excluded.enabled`,
  )
  return {
    isEnabled: (spec) => {
      const row = get.get(spec.id)
      return row === undefined ? spec.enabled : row.enabled === 1
    },
    set: (spec, isEnabled) => void put.run(spec.id, isEnabled ? 1 : 0),
  }
}

/** AWS makes one up; here it is the same at every start. */
export function mappingUuid({ id }: Pick<MappingSpec, 'id'>): string {
  const hex = createHash('sha256').update(id).digest('hex')
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const Update = z.strictObject({ Enabled: z.boolean(), UUID: z.string().optional() })

/** Lambda's List-, Get- and UpdateEventSourceMapping, of which an update can switch on and off. */
export function mappingRoutes(
  specs: readonly MappingSpec[],
  switches: Switches,
  change: (spec: MappingSpec, isEnabled: boolean) => Promise<void>,
): ControlRoute[] {
  const describe = (spec: MappingSpec) => ({
    UUID: mappingUuid(spec),
    EventSourceArn: spec.streamArn,
    FunctionArn: spec.functionArn,
    BatchSize: spec.batchSize,
    State: switches.isEnabled(spec) ? 'Enabled' : 'Disabled',
  })
  const one = /^\/2015-03-31\/event-source-mappings\/([^/]+)\/?$/
  const find = (uuid: string | undefined) => specs.find((spec) => mappingUuid(spec) === uuid)
  return [
    {
      method: 'GET',
      path: /^\/2015-03-31\/event-source-mappings\/?$/,
      async handle({ query }) {
        const name = query.get('FunctionName')
        // A name, a name with its alias, or the whole ARN: what the ARN ends with.
        const wanted = specs.filter(
          (spec) => name === null || `:${spec.functionArn}`.endsWith(`:${name}`),
        )
        return answer(200, { EventSourceMappings: wanted.map(describe) })
      },
    },
    {
      method: 'GET',
      path: one,
      async handle({ params }) {
        const spec = find(params[0])
        return spec ? answer(200, describe(spec)) : notFound(params[0])
      },
    },
    {
      method: 'PUT',
      path: one,
      async handle({ params, body }) {
        const spec = find(params[0])
        if (!spec) return notFound(params[0])
        const update = Update.safeParse(JSON.parse(body.toString('utf8')))
        if (!update.success) {
          const message = 'Only Enabled can be updated here; change the rest in CDK'
          return answer(400, { Type: 'User', message }, 'InvalidParameterValueException')
        }
        await change(spec, update.data.Enabled)
        return answer(202, describe(spec))
      },
    },
  ]
}

function notFound(uuid: string | undefined): ControlResponse {
  const message = `The resource you requested does not exist: ${uuid}`
  return answer(404, { Type: 'User', message }, 'ResourceNotFoundException')
}

function answer(status: number, body: object, errorType?: string): ControlResponse {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...(errorType !== undefined && { 'x-amzn-errortype': errorType }),
    },
    body: JSON.stringify(body),
  }
}
