import { describe, expect, it } from 'vitest'
import { GENESIS, seal } from '../../functions/adapters/entry-codec.ts'
import { toItem } from '../../functions/adapters/raw.ts'
import { fromWire } from '../../functions/adapters/wire.ts'
import { append } from '../../functions/domain/append.ts'
import { NOTHING_TOLD } from '../../functions/domain/decisions.ts'
import type { Entry } from '../../functions/domain/journal.ts'
import type { Line } from '../../functions/domain/line.ts'
import { compareWithRaw, readRaw } from '../../functions/verify/raw.ts'
import { signProblems } from '../../functions/verify/signs.ts'

const TEN = Date.parse('2026-01-15T10:00:00Z')
const DAY_MS = 86_400_000
const message = (sequence_no: number, energy_wh_total = sequence_no) => ({
  counter_epoch: 7,
  sequence_no,
  measured_at: TEN + sequence_no * 30_000,
  energy_wh_total,
})
const receivedAtMs = (n: number) => TEN + n * 30_000
const rawItem = (n: number, wh = n) => {
  const text = JSON.stringify(message(n, wh))
  const raw = { register: 'a', count: 1, text, receivedAtMs: receivedAtMs(n), via: 'mqtt' } as const
  return toItem(raw, `s#${n}`, 30)
}
/** The journal of these readings, one entry each. */
function journalOf(...numbers: number[]): Entry[] {
  const entries: Entry[] = []
  for (const n of numbers) {
    const last = entries.at(-1)
    const readings = fromWire(message(n), receivedAtMs(n))
    const { draft } = append(last?.state ?? null, readings, NOTHING_TOLD)
    if (draft === null) throw new Error('nothing to append')
    const prevHash = last?.hash ?? GENESIS
    entries.push(seal(draft, { register: 'a', n: entries.length + 1, bookedAtMs: TEN, prevHash }))
  }
  return entries
}
async function compare(items: object[], entries: Entry[], nowMs = TEN + DAY_MS) {
  const ports = {
    items: async function* () {
      yield* items as Record<string, unknown>[]
    },
    retentionDays: 30,
    now: () => nowMs,
  }
  return compareWithRaw(await readRaw('a', ports), entries, NOTHING_TOLD)
}

describe('the ledger made anew from the raw events', () => {
  it('is the journal', async () => {
    const items = [rawItem(1), rawItem(2), rawItem(3)]
    expect(await compare(items, journalOf(1, 2, 3))).toEqual({
      problems: [],
      notes: ['3 readings in 3 raw events, 0 not booked'],
    })
  })

  it('names a reading that is not booked, and the first line that is wrong for it', async () => {
    const { problems } = await compare([rawItem(1), rawItem(2), rawItem(3)], journalOf(1, 3))
    expect(problems).toEqual([
      'raw reading s#0000000007#000000000002, received 2026-01-15T10:01:00.000Z, is not booked',
      'the journal is not what the raw events say, in 3 lines; first at entry 2, line 1: ' +
        'it has measured 2000 mWh from 2026-01-15T10:00:30.000Z to 2026-01-15T10:01:30.000Z (high), ' +
        'the raw events say measured 1000 mWh from 2026-01-15T10:00:30.000Z to 2026-01-15T10:01:00.000Z (high)',
    ])
  })

  it('names a line that is missing behind all others', async () => {
    const { problems } = await compare([rawItem(1), rawItem(2), rawItem(3)], journalOf(1, 2))
    expect(problems[1]).toBe(
      'the journal is not what the raw events say, in 1 lines; first missing, which no entry reaches: ' +
        'measured 1000 mWh from 2026-01-15T10:01:00.000Z to 2026-01-15T10:01:30.000Z (high)',
    )
  })

  it('finds a reading whose content was changed in the journal', async () => {
    const { problems } = await compare([rawItem(1), rawItem(2, 5)], journalOf(1, 2))
    expect(problems).toEqual([
      expect.stringContaining(
        'first at entry 2, line 1: it has measured 1000 mWh from 2026-01-15T10:00:30.000Z to 2026-01-15T10:01:00.000Z (high), the raw events say',
      ),
    ])
  })

  it('takes what is older than the raw events kept from the ledger, and says so', async () => {
    const later = receivedAtMs(3) + 30 * DAY_MS
    expect(await compare([rawItem(3)], journalOf(1, 2, 3), later)).toEqual({
      problems: [],
      notes: [
        '1 readings in 1 raw events, 0 not booked',
        '2 booked readings are older than the raw events kept, and taken from the ledger',
      ],
    })
  })

  it('misses a raw event that should be kept still', async () => {
    const { problems } = await compare([rawItem(1), rawItem(3)], journalOf(1, 2, 3))
    expect(problems).toEqual([
      '1 booked readings have no raw event, though it should be kept still: s#0000000007#000000000002',
    ])
  })

  it('names an event that cannot be read', async () => {
    const torn = { ...rawItem(2), payload: Buffer.from('torn') }
    const { problems } = await compare([rawItem(1), torn], journalOf(1, 2))
    expect(problems).toEqual([expect.stringMatching(/^raw event a s#2 cannot be read: /)])
  })
})

describe('signs', () => {
  const [, second] = journalOf(1, 2)
  const [line] = second?.lines ?? []
  const entry = (lines: Line[]) => ({ ...(second as Entry), lines })
  const posted = line as Line
  const taken = { ...posted, energyMwh: -1000, reverses: true }

  it('a line that is taken back is no problem', () => {
    expect(signProblems([entry([posted]), entry([taken])])).toEqual([])
  })

  it('a negative line that reverses nothing is one, though a later line makes up for it', () => {
    const negative = { ...posted, energyMwh: -1000 }
    expect(signProblems([entry([negative])])).toEqual([
      'entry 2, line 1 (measured, -1000 mWh) is negative and reverses nothing',
    ])
  })

  it('neither may a reversal be positive, nor take back what does not stand', () => {
    expect(signProblems([entry([posted]), entry([taken, taken])])).toEqual([
      'entry 2, line 2 (measured, -1000 mWh) takes back a line that does not stand',
    ])
    const wrong = { ...posted, reverses: true }
    expect(signProblems([entry([wrong])])).toEqual([
      'entry 2, line 1 (measured, 1000 mWh) reverses and is not negative',
      'entry 2, line 1 (measured, 1000 mWh) takes back a line that does not stand',
    ])
  })
})
