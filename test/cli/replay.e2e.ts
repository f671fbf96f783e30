import { type ChildProcess, fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TelemetryMessage } from '../../functions/contract/wire.ts'
import { startLocal } from '../../local/boot.ts'
import { temporary } from '../local/fixture/app.ts'
import { type Probe, startProbe } from '../local/fixture/probe.ts'
import { wayIn } from './fixture/app.ts'
import { autovolt } from './fixture/call.ts'

const SERVE = join(import.meta.dirname, 'fixture/serve.ts')

/** A trace at 3,600 W, a row a second: each second adds 1 Wh. */
function long(folder: string, readings: number): string {
  const file = join(folder, 'long.csv')
  const rows = Array.from({ length: readings }, (_, s) => {
    const [h, m, sec] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60]
    const time = [h, m, sec].map((n) => String(n).padStart(2, '0')).join(':')
    return `18/01/2012 ${time};3600;3600`
  })
  writeFileSync(file, `${rows.join('\n')}\n`)
  return file
}

const heard = (probe: Probe) =>
  probe.told.map((event) => ({
    esp32_name: event.esp32_name,
    ...TelemetryMessage.parse(JSON.parse(Buffer.from(event.payload, 'base64').toString())),
  }))

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function serve(dataDir: string, probe: Probe, port: number): Promise<ChildProcess> {
  const child = fork(SERVE, [dataDir, probe.url, String(port)], { stdio: 'inherit' })
  await new Promise<void>((ready, fail) => {
    child.once('message', () => ready())
    child.once('exit', (code) => fail(new Error(`the stack ended with ${code}`)))
  })
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGKILL')
  await gone
}

/** Kills the stack once it has heard a reading. @returns how many of all it had heard when it was gone */
async function killedOnce(hours: 1 | 4): Promise<{ heard: number; of: number }> {
  const { readings, wh } =
    hours === 1 ? { readings: 3_601, wh: 3_600 } : { readings: 14_401, wh: 14_400 }
  await using probe = await startProbe()
  const dataDir = temporary()
  const port = await freePort()
  let child = await serve(dataDir, probe, port)
  try {
    await autovolt('provision', 'esp32-a', '--classroom', 'B2-101', '--data-dir', dataDir)
    const file = long(dataDir, readings)
    const args = ['--node', 'esp32-a', '--day', '2026-01-15', '--period', '1']
    const replaying = autovolt('replay', file, ...args, '--data-dir', dataDir)
    await probe.until((told) => told.length > 0)
    await kill(child)
    const payloads = new Set<string>(probe.told.map(({ payload }) => payload))
    const before = payloads.size
    child = await serve(dataDir, probe, port)
    const called = await replaying
    expect(called.err.split('\n').filter((line) => line.startsWith('autovolt:'))).toEqual([])
    expect(called.code).toBe(0)
    expect(called.out).toContain(`${readings} acknowledged`)
    // All were acknowledged before the end came.
    if (!called.out.includes('sent again')) return { heard: readings, of: readings }
    expect(called.out).toMatch(/sent again over 2 connections/)
    let seen = 0
    await probe.until((told) => {
      for (; seen < told.length; seen += 1) payloads.add(told[seen].payload)
      return payloads.size === readings
    }, 60_000)
    expect(heard(probe).findLast((m) => m.sequence_no === readings)?.energy_wh_total).toBe(wh)
    return { heard: before, of: readings }
  } finally {
    await kill(child)
  }
}

describe('autovolt replay', () => {
  it('publishes a trace as the node, in order, over TLS with its certificate', async () => {
    await using probe = await startProbe()
    const dataDir = temporary()
    const options = { dataDir, httpPort: 0, mqttPort: 0, fresh: true, fleet: false }
    await using stack = await startLocal({ app: wayIn(probe.url), ...options })
    expect(stack.endpoints.mqtt.host).toBe('localhost')
    await autovolt('provision', 'esp32-a', '--classroom', 'B2-101', '--data-dir', dataDir)
    const small = join(dataDir, 'small.csv')
    writeFileSync(
      small,
      '18/01/2012 00:00:10;3600;0\n18/01/2012 00:00:20;7200;0\n18/01/2012 00:01:00;0;0\n',
    )
    const args = ['--node', 'esp32-a', '--day', '2026-01-31', '--data-dir', dataDir]
    const called = await autovolt('replay', small, small, ...args)
    expect(called.code).toBe(0)
    expect(called.out).toContain('esp32-a: 6 readings sent, 6 acknowledged\n')
    expect(called.out).toContain('2026-02-01: 3 readings, 90 Wh')
    await probe.until((told) => told.length === 6)
    expect(
      heard(probe).map((m) => [m.counter_epoch, m.sequence_no, m.energy_wh_total, m.power_w]),
    ).toEqual([
      [20_260_131, 11, 0, 3600],
      [20_260_131, 41, 50, 7200],
      [20_260_131, 61, 90, 0],
      [20_260_201, 11, 0, 3600],
      [20_260_201, 41, 50, 7200],
      [20_260_201, 61, 90, 0],
    ])
  })

  it('goes on after kill -9 of the stack in the middle; nothing is missing', async () => {
    let before = { heard: 0, of: 0 }
    // A machine that is through before it can be killed gets more to do.
    for (const hours of [1, 4] as const) {
      before = await killedOnce(hours)
      if (before.heard < before.of) break
    }
    expect(before.heard).toBeGreaterThan(0)
    expect(before.heard).toBeLessThan(before.of)
  })

  it('says what is missing: a certificate, a file, a broker', async () => {
    await using probe = await startProbe()
    const dataDir = temporary()
    const options = { dataDir, httpPort: 0, mqttPort: 0, fresh: true, fleet: false }
    await using stack = await startLocal({ app: wayIn(probe.url), ...options })
    const args = ['--day', '2026-01-15', '--data-dir', dataDir]
    const unknown = await autovolt('replay', 'x.csv', '--node', 'esp32-z', ...args)
    expect(unknown.err).toContain('device.crt cannot be read; make the node')
    await autovolt('provision', 'esp32-a', '--classroom', 'B2-101', '--data-dir', dataDir)
    const absent = await autovolt('replay', 'x.csv', '--node', 'esp32-a', ...args)
    expect(absent.err).toMatch(/^autovolt: x\.csv cannot be read: ENOENT/)
    // Another node's certificate: the broker refuses the client id, and waiting would not help.
    await autovolt('provision', 'esp32-b', '--classroom', 'B2-101', '--data-dir', dataDir)
    const file = join(dataDir, 'one.csv')
    writeFileSync(file, '18/01/2012 00:00:10;1;0\n')
    const certs = join(dataDir, 'things', 'esp32-b')
    const foreign = await autovolt('replay', file, '--node', 'esp32-a', '--certs', certs, ...args)
    expect(foreign).toMatchObject({ code: 1, out: '' })
    expect(foreign.err).toContain('nothing got through to the broker: ')
    await stack.stop()
    const gone = await autovolt('replay', file, '--node', 'esp32-a', ...args)
    expect(gone.err).toContain('no local stack')
  })
})
