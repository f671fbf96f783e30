import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openStack } from '../../cli/stack/stack.ts'
import { autovolt } from '../cli/fixture/call.ts'
import { person } from '../e2e/caller.ts'
import { type Broker, connectNode, type Node } from '../e2e/node.ts'
import { type Answer, startSite } from '../e2e/site.ts'

/** The stack under test, by its public sides alone: MQTT, HTTP and the command line. */
export interface Target extends AsyncDisposable {
  /** A node in a classroom of its own, provisioned and connected. Names are new in each run. */
  node(): Promise<{ name: string; classroom: string; session: Node }>
  get(path: string): Promise<Answer>
  post(path: string, body: unknown): Promise<Answer>
  rollup(): Promise<void>
}

interface Ends {
  readonly broker: Broker
  /** Arguments by which `autovolt` finds the stack. */
  readonly where: readonly string[]
  readonly get: Target['get']
  readonly post: Target['post']
  stop(): Promise<void>
}

/** The local stack, or the stage that `run.ts` was told. */
export async function openTarget(): Promise<Target> {
  const stage = process.env.AUTOVOLT_STAGE ?? 'local'
  const ends = stage === 'local' ? await startLocally() : await openStage(stage)
  const run = Date.now().toString(36)
  const sessions: Node[] = []
  const names: string[] = []
  const cli = async (...args: string[]) => {
    const done = await autovolt(...args, ...ends.where)
    expect(done, args.join(' ')).toMatchObject({ code: 0 })
    return done
  }
  return {
    async node() {
      const name = `it-${run}-${names.length + 1}`
      const classroom = `Integration ${run} ${names.length + 1}`
      await cli('provision', name, '--classroom', classroom, '--rating-w', '5000')
      names.push(name)
      const session = await connectNode(ends.broker, name)
      sessions.push(session)
      return { name, classroom, session }
    },
    get: ends.get,
    post: ends.post,
    rollup: async () => void (await cli('rollup')),
    async [Symbol.asyncDispose]() {
      for (const session of sessions) await session[Symbol.asyncDispose]()
      if (stage !== 'local') for (const name of names) await cli('node', 'retire', name)
      await ends.stop()
    },
  }
}

async function startLocally(): Promise<Ends> {
  const site = await startSite()
  const admin = person(site.endpoints, 'admin')
  return {
    broker: site,
    where: ['--data-dir', site.dataDir],
    get: admin.get,
    post: admin.post,
    stop: async () => site[Symbol.asyncDispose](),
  }
}

async function openStage(stage: string): Promise<Ends> {
  const dataDir = mkdtempSync(join(tmpdir(), 'autovolt-integration-'))
  const where = ['--stage', stage, '--data-dir', dataDir]
  const mqtt = await (await openStack({ stage, dataDir })).mqtt()
  const token = process.env.AUTOVOLT_TOKEN ?? (await signedIn(where))
  const base = `${String(process.env.AUTOVOLT_URL).replace(/\/$/, '')}`
  const call = async (path: string, init: RequestInit): Promise<Answer> => {
    const prefix = path.startsWith('/api/') ? '' : '/api/power-analytics'
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${base}${prefix}${path}`, { ...init, headers })
    return { status: answer.status, body: await answer.json() }
  }
  return {
    broker: { endpoints: { mqtt }, dataDir },
    where,
    get: (path) => call(path, {}),
    post: (path, body) => call(path, { method: 'POST', body: JSON.stringify(body) }),
    stop: async () => rmSync(dataDir, { recursive: true, force: true }),
  }
}

async function signedIn(where: readonly string[]): Promise<string> {
  const done = await autovolt('token', ...where)
  if (done.code !== 0) throw new Error(`no token: ${done.err}`)
  return done.out.trim()
}
