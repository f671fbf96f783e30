import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Endpoints } from '../../local/runtime.ts'
import { lendAssembly } from './assembly.ts'
import { eventually } from './records.ts'

const MAIN = fileURLToPath(new URL('../../local/main.ts', import.meta.url))

/** What `npm start` runs, in a process of its own that a test can kill. */
export interface RunningMain extends AsyncDisposable {
  readonly endpoints: Endpoints
  /** kill -9, and the end of everything the process had started. */
  kill(): Promise<void>
}

/** Starts the stack on a data directory, on free ports; resolves when it is ready. */
export async function startMain(dataDir: string): Promise<RunningMain> {
  if (!existsSync(join(dataDir, 'app'))) lendAssembly(dataDir)
  const options = ['--http-port', '0', '--mqtt-port', '0', '--data-dir', dataDir, '--no-fleet']
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => said.push(text))
  }
  await ready(child, said)
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const database = Number(readFileSync(join(dataDir, 'dynamodb.pid'), 'utf8'))
    child.kill('SIGKILL')
    await once(child, 'exit')
    await eventually(() => {
      if (existsSync(`/proc/${database}`)) throw new Error(`the database ${database} still runs`)
    })
  }
  return {
    endpoints: JSON.parse(readFileSync(join(dataDir, 'endpoints.json'), 'utf8')),
    kill,
    [Symbol.asyncDispose]: kill,
  }
}

async function ready(child: ChildProcess, said: readonly string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.stdout?.on('data', () => {
    if (said.join('').includes('Ready after')) resolve()
  })
  child.once('exit', (code) => reject(new Error(`the stack ended with ${code}: ${said.join('')}`)))
  await promise
}
