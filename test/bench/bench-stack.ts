import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { provisionNode } from '../../cli/provisioning/provision.ts'
import { fromEndpoints } from '../../cli/stack/local.ts'
import { type JournalReader, journalReader } from '../../functions/adapters/journal.ts'
import { startLocal } from '../../local/boot.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import type { Endpoints } from '../../local/runtime.ts'

/** The whole app on free ports, in a directory that goes with it. */
export interface BenchStack extends AsyncDisposable {
  readonly endpoints: Endpoints
  readonly dataDir: string
  readonly journal: JournalReader
  /** Provisions nodes and gives the directories of their certificates. */
  provision(names: readonly string[], classroomOf: (n: number) => string): Promise<string[]>
  token(role: 'operator' | 'viewer'): Promise<string>
  /** Readings the ledger has booked of each register. */
  booked(registers: readonly string[]): Promise<Map<string, number>>
}

export async function startBenchStack(): Promise<BenchStack> {
  const folder = mkdtempSync(join(tmpdir(), 'autovolt-bench-'))
  const options = { httpPort: 0, mqttPort: 0, dataDir: folder, fresh: false, fleet: false }
  const stack = await startLocal(options)
  const { endpoints } = stack
  const plain = new DynamoDBClient(localClient(endpoints.dynamodb, endpoints.region))
  const journal = journalReader(DynamoDBDocumentClient.from(plain), endpoints.tables.ledger ?? '')
  return {
    endpoints,
    dataDir: folder,
    journal,
    async provision(names, classroomOf) {
      const directories: string[] = []
      for (const [n, esp32Name] of names.entries()) {
        const entry = { esp32Name, classroom: classroomOf(n), channels: [], effectiveFromMs: 0 }
        const done = await provisionNode(fromEndpoints(endpoints, folder), entry)
        directories.push(done.directory)
      }
      return directories
    },
    async token(role) {
      const init = { method: 'POST', body: JSON.stringify({ role }) }
      const answer = await fetch(`${endpoints.control}/local/token`, init)
      return ((await answer.json()) as { token: string }).token
    },
    async booked(registers) {
      const counts = new Map<string, number>()
      for (const register of registers) {
        const head = await journal.head(register)
        counts.set(register, head?.state.totals.readings ?? 0)
      }
      return counts
    },
    async [Symbol.asyncDispose]() {
      plain.destroy()
      await stack.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Waits until the ledger has booked `expected` readings of the registers together, or until a
 * minute passes without another one.
 */
export async function untilBooked(
  stack: BenchStack,
  registers: readonly string[],
  expected: number,
): Promise<number> {
  let last = -1
  let movedAt = Date.now()
  for (;;) {
    const counts = await stack.booked(registers)
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    if (total >= expected) return total
    if (total !== last) movedAt = Date.now()
    if (Date.now() - movedAt > 60_000) return total
    last = total
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
