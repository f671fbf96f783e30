/**
 * What a nightly look at a node costs: a week of readings every 30 seconds in messages of 25, on the use
 * cases in this process over tables in memory, so the figures are the worker's own time. A node-week is
 * made once and looked at as often as a site would have nodes. Read units are those of consistent queries
 * over the stored bytes.
 *
 * Run: `node test/bench/reconcile.bench.ts`
 */
import { reconcileNode } from '../../functions/reconcile/node.ts'
import { CAMPUS, type NodeSpec } from '../../local/fleet/model/campus.ts'
import { seeded, WINDOW } from '../reconcile/campus-week.ts'

const PERIOD_MS = 30_000
const MESSAGE_MS = 25 * PERIOD_MS
const UNIT_BYTES = 4_096
/** Beside the packed content: keys, hashes, names of attributes. */
const ENTRY_BYTES = 150
const RAW_BYTES = 120

const spec = CAMPUS[3] as NodeSpec
const { ports, readings, messages, bytes } = await seeded(spec, 7, PERIOD_MS, MESSAGE_MS)
const entries = messages

async function look(nodes: number): Promise<number> {
  const start = process.cpuUsage()
  for (let node = 0; node < nodes; node++) {
    const { proof } = await reconcileNode(spec.esp32_name, WINDOW, new Map(), ports)
    if (proof.readings_booked !== readings) throw new Error('not all readings were found')
  }
  // Time of the processor: what else runs on the machine does not count.
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000
}

await look(2)
const units = (content: number, items: number, each: number) =>
  Math.ceil((content + items * each) / UNIT_BYTES)
const readUnits = units(bytes.journal, entries, ENTRY_BYTES) + units(bytes.raw, messages, RAW_BYTES)
for (const nodes of [25, 50]) {
  const ms = await look(nodes)
  const perSecond = Math.round((nodes * readings * 1_000) / ms)
  const heapMb = Math.round(process.memoryUsage().heapUsed / 1_048_576)
  console.log(
    `${nodes} node-weeks: ${nodes * readings} readings in ${Math.round(ms)} ms, ${perSecond} readings a second, ${Math.round(ms / nodes)} ms and ${readUnits} read units a node, ${heapMb} MB heap`,
  )
}
