// Runs autovolt-node against a broker in this process and compares what it published with what its
// simulated loads took. By hand:
//   node firmware/host/linux-node.mjs hour [seconds]   real time, published energy equals the model's
//   node firmware/host/linux-node.mjs week [kills]     seven days offline, kill -9 in a loop, then replay
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aedes } from 'aedes'

const NODE = process.env.AUTOVOLT_NODE ?? new URL('../build/autovolt-node', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'autovolt-node-'))
const broker = await Aedes.createBroker()
const server = createServer(broker.handle)
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const received = new Map()
const problems = []
let messages = 0
broker.on('publish', (packet, client) => {
  if (!client || !packet.topic.endsWith('/telemetry')) return
  const message = JSON.parse(packet.payload.toString())
  messages++
  if (packet.payload.length >= 4096) problems.push(`a message of ${packet.payload.length} bytes`)
  for (const gap of message.gaps ?? []) problems.push(`a gap ${JSON.stringify(gap)}`)
  for (const { sequence_no, energy_wh_total, uptime_seconds } of message.readings ?? [message]) {
    const said = `${energy_wh_total} ${uptime_seconds}`
    const before = received.get(sequence_no)
    if (before !== undefined && before !== said) problems.push(`${sequence_no} said ${before}, then ${said}`)
    received.set(sequence_no, said)
  }
})

/** Starts the node; `told` resolves with its last line of JSON. */
function start(options) {
  const child = spawn(NODE, ['--name', 'esp32-linux-1', '--host', '127.0.0.1', '--port', String(server.address().port),
    '--flash', join(folder, 'flash'), '--quiet', '--with-parent', ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (data) => { text += data })
  const told = once(child, 'close').then(([code]) => ({ code, ...JSON.parse(text.trim().split('\n').at(-1) || '{}') }))
  return { child, told }
}

function compare(truth) {
  const newest = received.get(truth.sequence_no)
  const published = newest === undefined ? undefined : Math.round(Number(newest.split(' ')[0]) * 1000)
  let missing = 0
  for (let i = 1; i <= truth.sequence_no; i++) if (!received.has(i)) missing++
  console.log(JSON.stringify({ readings: received.size, messages, missing, published_mwh: published, counter_mwh: truth.counter_mwh,
    truth_mwh: Math.floor(truth.truth_mws / 3600), lost_mwh: (truth.truth_mws - truth.counter_mws) / 3600, boots: truth.boots, backlog: truth.backlog, problems }))
  return missing === 0 && published === truth.counter_mwh && problems.length === 0 && truth.code === 0
}

const [what = 'hour', count] = process.argv.slice(2)
let well = false
if (what === 'hour') {
  const { told } = start(['--period-ms', '5000', '--for-seconds', count ?? '3600'])
  const truth = await told
  well = compare(truth) && truth.counter_mws === truth.truth_mws
} else {
  const week = ['--backdate-seconds', '604800', '--offline-until-now', '--period-ms', '30000', '--speed']
  for (let kill = 0; kill < Number(count ?? 100); kill++) {
    const { child, told } = start([...week, '6000'])
    await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 700))
    child.kill('SIGKILL')
    await told.catch(() => undefined)
  }
  const { child, told } = start([...week, '100000', '--drain-seconds', '120'])
  let last = -1
  while (last !== received.size || received.size === 0) {
    last = received.size
    await new Promise((resolve) => setTimeout(resolve, 5000))
  }
  child.kill('SIGTERM')
  well = compare(await told)
}
server.close()
await new Promise((resolve) => broker.close(resolve))
rmSync(folder, { recursive: true })
console.log(well ? 'ok' : 'FAILED')
process.exit(well ? 0 : 1)
