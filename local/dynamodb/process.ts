import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { CannotRunLocally } from '../template/refuse.ts'

/** A running database. `ended` resolves when it stops, with the reason, asked for or not. */
export interface DatabaseProcess {
  url: string
  file: string
  ended: Promise<string>
  /** Deletes the expired items of all tables. Resolves with their number. */
  sweep(): Promise<number>
  stop(): Promise<void>
}

const PACKAGES: Record<string, string> = { 'linux-x64': '@dynoxide/linux-x64' }
const START_LIMIT_MS = 15_000
const STOP_LIMIT_MS = 5_000

/**
 * Runs the database under a shell that ends it when this process goes, however it goes: the
 * shell reads from a pipe this process holds, and a kill -9 closes the pipe too.
 */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- &
database=$!
echo $database
{ read -r _ <&3; kill $database 2>/dev/null; } &
guard=$!
exec 3<&-
trap 'kill $database 2>/dev/null' TERM INT HUP
wait $database
code=$?
kill $guard 2>/dev/null
exit $code`

/** Starts dynoxide on a free loopback port with its data in `<dataDir>/dynamodb.sqlite`. */
export async function startDatabase(dataDir: string): Promise<DatabaseProcess> {
  const binary = findBinary()
  const file = join(dataDir, 'dynamodb.sqlite')
  const pidFile = join(dataDir, 'dynamodb.pid')
  await awaitPredecessor(pidFile, file)
  const [port, toolPort] = await Promise.all([freePort(), freePort()])
  const token = randomUUID()
  // Detached: a Ctrl-C in the terminal must not stop the database before the functions have ended.
  const child = spawn(
    '/bin/sh',
    ['-c', GUARD, 'guard', binary, ...serveOptions(port, toolPort, file)],
    {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, DYNOXIDE_MCP_AUTH_TOKEN: token },
    },
  )
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2_000)
  }
  child.stderr.on('data', keep)
  child.stdout.on('data', keep)
  child.stdout.once('data', (chunk: Buffer) => {
    const pid = Number.parseInt(chunk.toString(), 10)
    if (pid > 0) writeFileSync(pidFile, String(pid))
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(`exit ${code ?? signal}: ${output.trim()}`))
  })
  await ready(port, ended)
  return {
    url: `http://127.0.0.1:${port}`,
    file,
    ended,
    sweep: () => sweep(toolPort, token),
    stop: () => stop(child, ended),
  }
}

function serveOptions(port: number, toolPort: number, file: string): string[] {
  // Only the tool interface can have expired items deleted; the database never does it by itself.
  const tools = ['--mcp', '--mcp-port', String(toolPort)]
  return ['serve', '--port', String(port), '--db-path', file, ...tools]
}

const sweepAnswer = z.object({
  result: z.object({
    content: z.tuple([z.object({ text: z.string() })]),
    isError: z.literal(false),
  }),
})
const sweepCount = z.object({ items_deleted: z.number() })

async function sweep(toolPort: number, token: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${toolPort}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'sweep_ttl', arguments: {} },
    }),
  })
  const [content] = sweepAnswer.parse(await response.json()).result.content
  return sweepCount.parse(JSON.parse(content.text)).items_deleted
}

function findBinary(): string {
  const platform = `${process.platform}-${process.arch}`
  const name = PACKAGES[platform]
  if (name === undefined) {
    throw new CannotRunLocally(
      `The local database, dynoxide, is installed for ${Object.keys(PACKAGES).join(', ')}; this ` +
        `machine is ${platform}. Start on one of those (a container will do), or add dynoxide's ` +
        'package for this platform to optionalDependencies and to local/dynamodb/process.ts.',
    )
  }
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    const binary = join(manifest, '..', 'dynoxide')
    if (existsSync(binary)) return binary
  } catch {
    // Not installed; said below.
  }
  throw new CannotRunLocally(
    `The local database is not installed: package ${name} is missing. ` +
      'Run npm ci without --omit=optional.',
  )
}

/** After a kill -9 the guard ends the old database within milliseconds; two must never share a file. */
async function awaitPredecessor(pidFile: string, file: string): Promise<void> {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8'))
  const isOurs = () => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(file)
    } catch {
      return false
    }
  }
  const giveUpAtMs = Date.now() + STOP_LIMIT_MS
  while (isOurs()) {
    if (Date.now() > giveUpAtMs) {
      process.kill(pid, 'SIGKILL')
      await delay(100)
      return
    }
    await delay(20)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No free loopback port')
  return address.port
}

async function ready(port: number, ended: Promise<string>): Promise<void> {
  let early: string | undefined
  ended.then((reason) => {
    early = reason
  })
  const giveUpAtMs = Date.now() + START_LIMIT_MS
  while (!(await accepts(port))) {
    if (early !== undefined) throw new Error(`The local database did not start: ${early}`)
    if (Date.now() > giveUpAtMs) {
      throw new Error(`The local database did not answer on port ${port} in ${START_LIMIT_MS} ms`)
    }
    await delay(20)
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.stdin?.end()
  const late = delay(STOP_LIMIT_MS, 'late', { ref: false })
  if ((await Promise.race([ended, late])) === 'late') {
    // The guard's group holds the database too.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    await ended
  }
}
