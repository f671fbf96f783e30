import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { toItem } from '../../functions/adapters/raw.ts'
import { fromWire } from '../../functions/adapters/wire.ts'
import { TelemetryMessage } from '../../functions/contract/wire.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import type { Reading } from '../../functions/domain/reading.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import { book } from '../../functions/ledger/book.ts'
import { type LookPorts, lookAt } from '../../functions/reconcile/look.ts'
import { arrivals, START_MS } from '../ledger/lives.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'
import { NAME, RECORD } from './register.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 200)
const SEED = Number(process.env.PROPERTY_SEED ?? 20_260_115)
const HOUR_MS = 3_600_000
const ZONE = 'Asia/Kolkata'
/** No day item is looked at. */
const NO_DAY = '9999-12-31'

/** A message of one reading as its node would send it, and what is read of it. */
function messageOf(reading: Reading, isTimed: boolean) {
  const { epoch, seq, atMs, timeSource, energyMwh, powerMw, bootId, uptimeS, channels } = reading
  const text = JSON.stringify({
    ...(epoch !== null && { counter_epoch: epoch, sequence_no: seq }),
    ...(isTimed && timeSource !== 'received' && { measured_at: atMs }),
    ...(energyMwh !== null && { energy_wh_total: energyMwh / 1_000 }),
    ...(powerMw !== null && { power_w: powerMw / 1_000 }),
    ...(bootId !== null && { boot_id: bootId }),
    ...(uptimeS !== null && { uptime_seconds: uptimeS }),
    channels: channels.map(({ deviceId, on }) => ({ device_id: deviceId, on })),
    replayed: reading.replayed,
  })
  const message = TelemetryMessage.parse(JSON.parse(text))
  const [read] = fromWire(message, reading.receivedAtMs) as [Reading]
  return { text, read }
}

type Message = ReturnType<typeof messageOf>

/** The raw events of some messages, each claim to an identity beside the others. */
function rawOf(messages: readonly Message[]) {
  const items = new Map<string, { id: string }>()
  for (const { text, read } of messages) {
    const { id, hash, receivedAtMs } = read
    const key = items.has(id) ? `${id}~${hash}~${receivedAtMs}` : id
    const raw = { register: NAME, count: 1, text, receivedAtMs, via: 'mqtt' as const }
    items.set(key, toItem(raw, key, 730))
  }
  return [...items.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

const looks = fc.array(
  fc.record({
    fromHour: fc.integer({ min: -30, max: 150 }),
    /** How far the chain was when it was anchored; null before that. */
    anchored: fc.option(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
  }),
  { minLength: 3, maxLength: 3 },
)
/** The reading from which on the node has no clock; none of half of them. */
const clocks = fc.integer({ min: -30, max: 120 })

test('whatever a register went through, no look at what was rightly booked finds anything wrong', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, looks, clocks, async (arrived, windows, untimedFrom) => {
      const { readings, arrival, shuffled, cuts } = arrived
      const messages = new Map(
        readings.map((it, at) => [it, messageOf(it, untimedFrom < 0 || at < untimedFrom)]),
      )
      const raw = rawOf([...messages.values()])
      const journal = memoryJournal()
      const ports = { journal, facts: async () => NO_FACTS, now: () => START_MS }
      const queue = (shuffled ? arrival : readings).map((it) => (messages.get(it) as Message).read)
      for (let batch = 0; queue.length > 0; batch++) {
        await book(NAME, queue.splice(0, cuts[batch % cuts.length]), ports)
      }
      const lookPorts: LookPorts = {
        journal,
        async *rawRange(_, { from, to, limit }) {
          yield* raw.filter(({ id }) => id >= from && id <= to).slice(0, limit)
        },
        rollups: { day: async () => null },
        pricer: pricer({ versions: [], repricings: [] }, ZONE),
        siteTimeZone: ZONE,
      }
      const entries = journal.stored.map(fromItem)
      for (const { fromHour, anchored } of windows) {
        const window = { fromMs: START_MS + fromHour * HOUR_MS, fromDate: NO_DAY }
        const head = anchored === null ? undefined : entries[Math.floor(anchored * entries.length)]
        const anchor = head === undefined ? null : { register: NAME, n: head.n, hash: head.hash }
        const { view } = await lookAt(RECORD, NAME, window, anchor, lookPorts)
        const { chain, lineFaults, unbooked, unreadable } = view
        expect({ chain, lineFaults, unbooked, unreadable }).toEqual({
          chain: [],
          lineFaults: [],
          unbooked: [],
          unreadable: [],
        })
      }
    }),
    { numRuns: RUNS, seed: SEED },
  )
}, 3_600_000)
