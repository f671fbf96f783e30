import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually } from './fixture/probe.ts'
import { temporary } from './fixture/temporary.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'local', 'main.ts')

const run = (...options: string[]) => {
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { text: '' }
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said.text += chunk.toString()
    })
  }
  const ended = once(child, 'close').then(([code]) => Number(code))
  return { child, said, ended }
}

describe('npm start', () => {
  it.each([
    [['--http-port', '70000'], "A port is a whole number from 0 to 65535, not '70000'."],
    [['--mqtt-port', 'x'], "A port is a whole number from 0 to 65535, not 'x'."],
    [['--data-dir', ''], 'A directory name cannot be empty.'],
    [['--native-node', '21'], "A count of nodes is a whole number from 0 to 20, not '21'."],
    [['--colour'], "unknown option '--colour'"],
  ])('refuses %j', async (options, message) => {
    const { said, ended } = run(...options)
    expect(await ended).toBe(1)
    expect(said.text).toContain(message)
  })

  it('runs the whole app until Ctrl-C, starts again at once, and says when a port is taken', async () => {
    const dataDir = temporary()
    const options = ['--http-port', '0', '--mqtt-port', '0', '--data-dir', dataDir, '--no-fleet']
    for (const again of [false, true]) {
      const { child, said, ended } = run(...options)
      // A first start bundles every function.
      await eventually(() => said.text.includes('Ctrl-C stops.') || undefined, 90_000)
      expect(said.text.includes('unchanged since the last start')).toBe(again)
      expect(said.text).toContain(
        `npm run -s autovolt -- token --role viewer --data-dir ${dataDir}`,
      )
      const { http } = JSON.parse(readFileSync(join(dataDir, 'endpoints.json'), 'utf8'))
      expect((await fetch(`${http}/api/power-analytics/health`)).status).toBe(200)
      const database = readFileSync(join(dataDir, 'dynamodb.pid'), 'utf8')
      child.kill('SIGINT')
      expect(await ended).toBe(0)
      expect(existsSync(join(dataDir, 'endpoints.json'))).toBe(false)
      expect(existsSync(`/proc/${database}`)).toBe(false)
    }

    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = String(typeof address === 'object' ? address?.port : '')
    const { said, ended } = run(...options, '--http-port', port)
    expect(await ended).toBe(1)
    expect(said.text).toContain(`127.0.0.1:${port}: the port is in use`)
    taken.close()
  })
})
