import type { NodeRecord } from '../../functions/adapters/nodes.ts'
import { toItem } from '../../functions/adapters/raw.ts'
import { fromWire } from '../../functions/adapters/wire.ts'
import { TelemetryMessage } from '../../functions/contract/wire.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import { book } from '../../functions/ledger/book.ts'
import { type Anchor, type LookPorts, lookAt } from '../../functions/reconcile/look.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'
import { WINDOW } from './campus-week.ts'

const ZONE = 'Asia/Kolkata'
export const NAME = 'esp32-a'
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** A message of one reading, some hours after (or before) the window begins. */
export interface Said {
  readonly hours: number
  readonly wh: number
  readonly epoch?: number
  readonly seq?: number
  /** The node has no clock: the receipt is all the time there is. */
  readonly isUntimed?: boolean
  /** The event is stored, and the ledger was never given it. */
  readonly isLost?: boolean
  /** The same, and nobody can open it. */
  readonly isDamaged?: boolean
  /** When it was received, in hours like the others. @default - when it was measured */
  readonly receivedHours?: number
}

export const RECORD: NodeRecord = {
  esp32Name: NAME,
  registered: true,
  createdAtMs: 0,
  assignments: [{ classroom: 'B2-101', fromMs: 0 }],
  assignedAtMs: 0,
  followed: null,
  presence: null,
  facts: [],
  watermarks: new Map([[NAME, 0]]),
}

/** The raw events of a register, and the journal of those that were booked, each by itself. */
export async function registerOf(said: readonly Said[]) {
  const journal = memoryJournal()
  const raw: (Record<string, unknown> & { id: string })[] = []
  for (const it of said) {
    const { hours, wh, epoch, seq, isLost, isUntimed, isDamaged, receivedHours = hours } = it
    const atMs = WINDOW.fromMs + hours * HOUR_MS
    const receivedAtMs = WINDOW.fromMs + receivedHours * HOUR_MS
    const text = JSON.stringify({
      ...(epoch !== undefined && { counter_epoch: epoch, sequence_no: seq }),
      ...(!isUntimed && { measured_at: atMs }),
      energy_wh_total: wh,
    })
    const readings = fromWire(TelemetryMessage.parse(JSON.parse(text)), receivedAtMs)
    const stored = { register: NAME, count: 1, text, receivedAtMs, via: 'mqtt' as const }
    const item = toItem(stored, readings[0]?.id ?? '', 730)
    raw.push(isDamaged ? { ...item, payload: Buffer.from('damaged') } : item)
    if (!isLost && !isDamaged)
      await book(NAME, readings, { journal, facts: async () => NO_FACTS, now: () => atMs })
  }
  raw.sort((a, b) => (a.id < b.id ? -1 : 1))
  const ranges: string[] = []
  const ports: LookPorts = {
    journal,
    async *rawRange(_register, { from, to, limit }) {
      if (limit === undefined) ranges.push(from)
      const found = raw.filter(({ id }) => id >= from && id <= to)
      yield* found.slice(0, limit)
    },
    rollups: { day: async () => null },
    pricer: pricer({ versions: [], repricings: [] }, ZONE),
    siteTimeZone: ZONE,
  }
  const head = await journal.head(NAME)
  const anchor: Anchor | null = head && { register: NAME, n: head.n, hash: head.hash }
  return {
    journal,
    anchor,
    /** Where the ranges of raw events began that were read. */
    ranges,
    look: (at: Anchor | null, more: Partial<LookPorts> = {}) =>
      lookAt(RECORD, NAME, WINDOW, at, { ...ports, ...more }),
  }
}
