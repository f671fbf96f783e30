import { expect, it } from 'vitest'
import { fromItem, seal, toItem } from '../../functions/adapters/entry-codec.ts'
import type { JournalReader } from '../../functions/adapters/journal.ts'
import { registerOf, type Said } from './register.ts'

const HOURS = 800
/** A month of a reading an hour, by a node without a clock: nothing but receipts. */
const untimed = (more: (n: number) => Partial<Said> = () => ({})): Said[] =>
  Array.from({ length: HOURS }, (_, n) => ({
    hours: n - HOURS + 100,
    wh: n,
    isUntimed: true,
    ...more(n),
  }))

/** The hours by which a look entered the journal from, the earliest first. */
async function looked(said: readonly Said[], spoil: (n: number) => boolean = () => false) {
  const { look, journal, anchor } = await registerOf(said)
  for (const [at, item] of journal.stored.entries()) {
    if (!spoil(at + 1)) continue
    const { n, register, bookedAtMs, prevHash, ...draft } = fromItem(item)
    const lines = draft.lines.map((line) => ({ ...line, energyMwh: line.energyMwh + 1_000 }))
    const { totals } = draft.state
    const state = {
      ...draft.state,
      totals: { ...totals, measuredMwh: totals.measuredMwh + 1_000 },
    }
    journal.stored[at] = toItem(
      seal({ ...draft, lines, state }, { n, register, bookedAtMs, prevHash }),
    )
  }
  let read = 0
  const counting: JournalReader = {
    ...journal,
    async *items(...from) {
      for await (const item of journal.items(...from)) {
        read += 1
        yield item
      }
    },
    async entries(...range) {
      const entries = await journal.entries(...range)
      read += entries.length
      return entries
    },
  }
  const { view } = await look(spoil(HOURS) ? null : anchor, { journal: counting })
  return { view, read }
}

it.each([
  ['without sequence numbers', untimed()],
  ['with them', untimed((n) => ({ epoch: 7, seq: n + 1 }))],
])(
  'a window of a register without a clock is proved without its whole journal, %s',
  async (_, said) => {
    const { view, read } = await looked(said)
    expect([view.lineFaults, view.unbooked, view.chain]).toEqual([[], [], []])
    // The hundred hours of the window, the day before it, and the hour before that.
    expect(read).toBe(125)
  },
)

it('and what is wrong in it is found all the same', async () => {
  const { view } = await looked(untimed(), (n) => n === HOURS)
  expect(view.lineFaults).toContainEqual(
    expect.stringContaining('the journal is not what its readings say, in 2 lines'),
  )
})

it('lines that were taken back when their readings moved into the window are not missed there', async () => {
  const untimedAt = (hours: number, seq: number): Said => ({
    hours,
    wh: seq,
    epoch: 7,
    seq,
    isUntimed: true,
  })
  // The fourth and the fifth come first, and lie behind the receipt of what was made before them.
  const said = [
    untimedAt(-40, 1),
    untimedAt(-27, 4),
    untimedAt(-26, 5),
    untimedAt(-25, 2),
    untimedAt(-20, 3),
    untimedAt(1, 6),
  ]
  const { look, anchor } = await registerOf(said)
  const { view } = await look(anchor)
  expect([view.before?.seq, view.lineFaults, view.unbooked]).toEqual([5, [], []])
})
