import { rmSync } from 'node:fs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { expect } from 'vitest'
import { type LocalOptions, startLocal } from '../../local/boot.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import type { Endpoints } from '../../local/runtime.ts'
import { autovolt, type Called } from '../cli/fixture/call.ts'
import { temporary } from '../local/fixture/app.ts'
import { lendAssembly } from './assembly.ts'

export type Role = 'admin' | 'operator' | 'viewer'

/** An answer of the HTTP API; JSON is parsed. */
export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: the shape is each test's own
  body: any
}

/** A running stack as people and gateways see it. */
export interface Site {
  readonly dataDir: string
  readonly endpoints: Endpoints
  /** Reads the tables, past every function. */
  readonly tables: DynamoDBDocumentClient
  /** Runs `autovolt` with these arguments against this stack. */
  cli(...args: string[]): Promise<Called>
  /** Makes a node known; fails the test when that does not work. */
  provision(esp32Name: string, classroom: string, ...options: string[]): Promise<void>
  /** Runs the rollup function now, as its schedule does. */
  rollup(): Promise<Record<string, unknown>>
  get(path: string, role?: Role): Promise<Answer>
  /** Posts telemetry; a string or bytes go as they are. Without a role, without a token. */
  post(body: unknown, role: Role | null): Promise<Answer>
}

const API = '/api/power-analytics'

/** What a test asks of a stack that runs, in this process or in another. */
export function siteAt(endpoints: Endpoints, dataDir: string): Site & Disposable {
  const plain = new DynamoDBClient(localClient(endpoints.dynamodb, endpoints.region))
  const cli = (...args: string[]) => autovolt(...args, '--data-dir', dataDir)
  const tokens = new Map<Role, string>()
  const tokenOf = async (role: Role) => {
    const known = tokens.get(role) ?? (await cli('token', '--role', role)).out.trim()
    tokens.set(role, known)
    return known
  }
  const call = async (path: string, init: RequestInit, role: Role | null): Promise<Answer> => {
    const headers = new Headers(init.headers)
    if (role !== null) headers.set('authorization', `Bearer ${await tokenOf(role)}`)
    const answer = await fetch(`${endpoints.http}${API}${path}`, { ...init, headers })
    const text = await answer.text()
    const isJson = /json/.test(answer.headers.get('content-type') ?? '')
    return { status: answer.status, body: isJson ? JSON.parse(text) : text }
  }
  return {
    dataDir,
    endpoints,
    tables: DynamoDBDocumentClient.from(plain),
    cli,
    async provision(esp32Name, classroom, ...options) {
      const done = await cli('provision', esp32Name, '--classroom', classroom, ...options)
      expect(done).toMatchObject({ code: 0, err: '' })
    },
    async rollup() {
      const done = await cli('rollup')
      expect(done).toMatchObject({ code: 0, err: '' })
      return JSON.parse(done.out)
    },
    get: (path, role = 'viewer') => call(path, {}, role),
    post: (body, role) => {
      const raw = typeof body === 'string' || body instanceof Uint8Array
      const init = {
        method: 'POST',
        body: raw ? (body as RequestInit['body']) : JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }
      return call('/telemetry', init, role)
    },
    [Symbol.dispose]: () => plain.destroy(),
  }
}

/** Starts the project's app (or another) on free ports in a directory of its own. */
export async function startSite(
  options: Partial<LocalOptions> = {},
): Promise<Site & AsyncDisposable> {
  const dataDir = temporary()
  if (options.app === undefined) lendAssembly(dataDir)
  const stack = await startLocal({
    httpPort: 0,
    mqttPort: 0,
    dataDir,
    fresh: false,
    fleet: false,
    ...options,
  })
  const site = siteAt(stack.endpoints, dataDir)
  return {
    ...site,
    async [Symbol.asyncDispose]() {
      site[Symbol.dispose]()
      await stack.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
