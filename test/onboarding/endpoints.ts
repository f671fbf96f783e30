import { mkdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fromEndpoints } from '../../cli/stack/local.ts'
import type { Stack } from '../../cli/stack/stack.ts'
import { nodeStore } from '../../functions/adapters/nodes.ts'
import { connectionTold } from '../../functions/domain/connection.ts'
import { startControl } from '../../local/control/server.ts'
import { openAuthority } from '../../local/iot/authority.ts'
import { controlRoutes } from '../../local/iot/control.ts'
import { openJobs } from '../../local/iot/jobs/jobs.ts'
import { Registry } from '../../local/iot/registry.ts'
import { type Engine, startEngine } from '../../simulate/cloud/engine.ts'
import { temporary } from '../local/fixture/temporary.ts'

const ARN = 'arn:aws:iot:ap-south-1:000000000000'

/** The local control plane of AWS IoT and the tables, without broker and functions. */
export interface LocalEndpoints extends AsyncDisposable {
  readonly stack: Stack
  /** What the control plane holds. */
  readonly iot: Registry
  readonly engine: Engine
  /** Called when a connection is to be cut; says whether there was one. */
  onCut(cut: (clientId: string) => boolean): void
  /** A certificate of the node, attached and active, as fleet provisioning leaves it. */
  attach(esp32Name: string, id: string): void
  /** The broker tells of a connection. */
  connected(esp32Name: string, certificateId: string, version: number, atMs: number): Promise<void>
}

export async function startEndpoints(): Promise<LocalEndpoints> {
  const dataDir = temporary()
  mkdirSync(dataDir, { recursive: true })
  const engine = await startEngine()
  const authority = await openAuthority(dataDir, new Date())
  const store = new DatabaseSync(':memory:')
  const iot = new Registry(store)
  const policies = ['autovolt-local-node', 'autovolt-local-node-upkeep', 'autovolt-local-claim']
  let cut: (clientId: string) => boolean = () => false
  const control = await startControl(() => {})
  control.add(
    controlRoutes({
      registry: iot,
      authority,
      jobs: openJobs({
        store,
        registry: iot,
        arn: ARN,
        now: Date.now,
        presign: () => '',
        publish: () => {},
      }),
      policyNames: new Set(policies),
      thingTypeNames: new Set(['autovolt-local-node']),
      arn: ARN,
      endpoint: 'localhost:8883',
      now: Date.now,
      changed: () => {},
      publish: async () => {},
      disconnect: (clientId) => cut(clientId),
    }),
  )
  // Nothing is rolled up here, so no day has to follow a move.
  control.add([
    {
      method: 'POST',
      path: /^\/2015-03-31\/functions\/[^/]+-rollup(?::|%3A)live\/invocations$/,
      handle: async () => ({ status: 200, body: '{"days_written":0,"is_done":true}' }),
    },
  ])
  const stack = fromEndpoints(
    {
      control: control.url,
      dynamodb: engine.url,
      stage: 'local',
      region: 'ap-south-1',
      siteTimeZone: 'Asia/Kolkata',
      devicePolicies: policies.slice(0, 2),
      thingType: 'autovolt-local-node',
      tables: { ...engine.tables },
      functions: {},
      mqtt: { host: 'localhost', port: 8883, ca: authority.caFile },
    },
    dataDir,
  )
  const nodes = nodeStore(engine.client, stack.table('nodes'), stack.table('control'))
  return {
    stack,
    iot,
    engine,
    onCut(other) {
      cut = other
    },
    attach(esp32Name, id) {
      iot.addCertificate(id, 'pem', 'ACTIVE', Date.now())
      for (const policy of policies.slice(0, 2)) iot.attachPolicy(policy, id)
      iot.attachPrincipal(esp32Name, id)
    },
    async connected(esp32Name, certificateId, version, atMs) {
      const known = await nodes.presence(esp32Name)
      const says = 'connected' as const
      const session = { sessionId: `s${version}`, version, certificateId, reason: null }
      const next = connectionTold(known, { esp32Name, says, atMs, happenedAtMs: atMs, ...session })
      if (next !== null) await nodes.changePresence(next, known)
    },
    async [Symbol.asyncDispose]() {
      await control.stop()
      store.close()
      await engine[Symbol.asyncDispose]()
    },
  }
}
