import { describe, expect, test } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { fromWire } from '../../functions/adapters/wire.ts'
import { TelemetryMessage } from '../../functions/contract/wire.ts'
import { UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import { book } from '../../functions/ledger/book.ts'
import { memoryJournal } from './memory-journal.ts'
import { orders } from './vectors.ts'

const START_MS = Date.parse('2026-01-15T06:00:00Z')
const YEAR_S = 365 * 86_400

/** A message and when it was received, in seconds after the start. */
interface Sent {
  readonly at: number
  readonly says: Record<string, unknown>
}
/** A line as these vectors write it: `from` and `to` in seconds, Wh, and Wh by channel. */
type Wanted = [from: number, to: number, kind: Line['kind'], wh: number, shares?: Shares]
type Shares = Record<string, number>

const time = (s: number) => new Date(START_MS + s * 1000).toISOString()
const atOnce = (s: number, says: Record<string, unknown>): Sent => ({ at: s + 1, says })

/** Cases that begin before a reading has a time or channels: in the messages of a node. */
const VECTORS: { name: string; sent: Sent[]; lines: Wanted[]; flags?: string[] }[] = [
  {
    name: 'a clock a year ahead and then a year behind, inside one boot: its uptime places the readings',
    sent: [0, 60, 120, 180, 240].map((s, index) =>
      atOnce(s, {
        measured_at: time(s + (index === 1 ? YEAR_S : index === 3 ? -YEAR_S : 0)),
        counter_epoch: 9,
        sequence_no: index,
        boot_id: 'b1',
        uptime_seconds: 3_600 + s,
        energy_wh_total: 100 + index,
        power_w: 60,
      }),
    ),
    lines: [
      // Without a time of its own a reading lies where its receipt and the uptimes put it.
      [0, 61, 'measured', 1],
      [61, 120, 'measured', 1],
      [120, 180, 'measured', 1],
      [180, 240, 'measured', 1],
    ],
    flags: ['clock'],
  },
  {
    name: 'a node without a clock until an hour after its boot sends that hour as a backlog',
    sent: [
      {
        at: 3_600,
        says: {
          counter_epoch: 9,
          boot_id: 'b1',
          sent_uptime_seconds: 3_600,
          readings: [0, 1_800, 3_540].map((s, index) => ({
            sequence_no: index,
            uptime_seconds: s,
            energy_wh_total: s / 6,
            power_w: 600,
          })),
        },
      },
      ...[3_660, 3_720].map((s, index) =>
        atOnce(s, {
          measured_at: time(s),
          counter_epoch: 9,
          sequence_no: 3 + index,
          boot_id: 'b1',
          uptime_seconds: s,
          energy_wh_total: s / 6,
          power_w: 600,
        }),
      ),
    ],
    lines: [
      [0, 1_800, 'measured', 300],
      [1_800, 3_540, 'measured', 290],
      [3_540, 3_660, 'measured', 20],
      [3_660, 3_720, 'measured', 10],
    ],
  },
  {
    name: 'sequence numbers without an epoch that begin again at each boot are no contradiction',
    sent: [0, 60, 120, 180].map((s, index) =>
      atOnce(s, {
        measured_at: time(s),
        sequence_no: index % 2,
        boot_id: index < 2 ? 'b1' : 'b2',
        uptime_seconds: index < 2 ? 500 + s : s - 90,
        energy_wh_total: 100 + index,
        power_w: 60,
      }),
    ),
    lines: [
      [0, 60, 'measured', 1],
      [60, 120, 'measured', 1],
      [120, 180, 'measured', 1],
    ],
  },
  {
    name: 'the same from a node without a clock: what tells its readings apart is their receipt',
    sent: [0, 60, 120, 180].map((s, index) =>
      atOnce(s - 1, {
        sequence_no: index % 2,
        boot_id: index < 2 ? 'b1' : 'b2',
        uptime_seconds: index < 2 ? 500 + s : s - 90,
        energy_wh_total: 100 + index,
        power_w: 60,
      }),
    ),
    lines: [
      [0, 60, 'measured', 1],
      [60, 120, 'measured', 1],
      [120, 180, 'measured', 1],
    ],
  },
  {
    name: 'a channel added later gets what no other counted at first, and then what it counts itself',
    sent: [
      { total: 100, fan: 50, light: null },
      { total: 110, fan: 60, light: null },
      { total: 130, fan: 70, light: 5 },
      { total: 150, fan: 80, light: 15 },
    ].map(({ total, fan, light }, index) =>
      atOnce(index * 600, {
        measured_at: time(index * 600),
        counter_epoch: 9,
        sequence_no: index,
        uptime_seconds: 3_600 + index * 600,
        energy_wh_total: total,
        power_w: 120,
        channels: [
          { device_id: 'fan', energy_wh_total: fan, on: true },
          ...(light === null ? [] : [{ device_id: 'light', energy_wh_total: light, on: true }]),
        ],
      }),
    ),
    lines: [
      [0, 600, 'measured', 10, { fan: 10 }],
      [600, 1_200, 'measured', 20, { fan: 10, light: 10 }],
      [1_200, 1_800, 'measured', 20, { fan: 10, light: 10 }],
    ],
  },
  {
    name: 'channels that count less than the node leave the rest to nobody; more is scaled to the node',
    sent: [
      { total: 100, fan: 10, light: 0 },
      { total: 120, fan: 15, light: 10 },
      { total: 140, fan: 45, light: 20 },
    ].map(({ total, fan, light }, index) =>
      atOnce(index * 600, {
        measured_at: time(index * 600),
        counter_epoch: 9,
        sequence_no: index,
        uptime_seconds: 3_600 + index * 600,
        energy_wh_total: total,
        power_w: 120,
        channels: [
          { device_id: 'fan', energy_wh_total: fan, on: true },
          { device_id: 'light', energy_wh_total: light, on: true },
        ],
      }),
    ),
    lines: [
      [0, 600, 'measured', 20, { fan: 5, light: 10 }],
      // 30 and 10 of 20: three to one.
      [600, 1_200, 'measured', 20, { fan: 15, light: 5 }],
    ],
  },
]

async function booked(messages: readonly Sent[]) {
  const journal = memoryJournal()
  let conflicts = 0
  for (const { at, says } of messages) {
    const readings = fromWire(TelemetryMessage.parse(says), START_MS + at * 1000)
    const ports = { journal, facts: async () => [UNKNOWN_FACTS], now: () => START_MS }
    conflicts += (await book('node', readings, ports)).conflicts.length
  }
  const { lines } = fold(journal.stored.map(fromItem))
  return { conflicts, lines: lines.toSorted((a, b) => a.fromMs - b.fromMs) }
}

describe('in the messages of a node, in every order of arrival', () => {
  test.each(VECTORS)(
    '$name',
    async ({ sent, lines: wanted, flags = [] }) => {
      const first = await booked(sent)
      const got = first.lines.map(({ fromMs, toMs, kind, energyMwh, channels }) => [
        (fromMs - START_MS) / 1000,
        (toMs - START_MS) / 1000,
        kind,
        energyMwh / 1000,
        Object.fromEntries(channels.map((share) => [share.deviceId, share.energyMwh / 1000])),
      ])
      expect(got).toEqual(wanted.map((line) => [...line.slice(0, 4), line[4] ?? {}]))
      expect(first.conflicts).toBe(0)
      for (const flag of flags) expect(first.lines.flatMap((line) => line.flags)).toContain(flag)
      const effective = first.lines.map(lineIdentity)
      for (const arrival of orders(sent)) {
        const again = await booked([...arrival, ...arrival.slice(0, 2)])
        expect(again.lines.map(lineIdentity)).toEqual(effective)
      }
    },
    120_000,
  )
})
