import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from '../../functions/domain/checks/limits.ts'
import { holesIn } from '../../functions/domain/checks/sequence-gap.ts'
import { WINDOW } from './campus-week.ts'
import { DAY_MS, NAME, registerOf, type Said } from './register.ts'

const day = (days: number, wh: number, seq: number, more: Partial<Said> = {}): Said => ({
  hours: days * 24,
  wh,
  epoch: 7,
  seq,
  ...more,
})
const LOST = { isLost: true }
const untold = ({ hours, wh }: Said, more: Partial<Said> = {}): Said => ({ hours, wh, ...more })

/** Looked at with the chain anchored at its head, and without an anchor: both tell the same. */
async function unbookedIn(said: readonly Said[]) {
  const { look, anchor } = await registerOf(said)
  const ids = async (at: typeof anchor) => (await look(at)).view.unbooked.map(({ id }) => id)
  const found = await ids(anchor)
  expect(await ids(null)).toEqual(found)
  return found
}
const id = (seq: number, epoch = 7) =>
  `s#${String(epoch).padStart(10, '0')}#${String(seq).padStart(12, '0')}`

describe('readings that were never booked are found', () => {
  it('where nothing of their epoch was booked in the window', async () => {
    const said = [day(-20, 1, 1), day(-10, 2, 2), day(-9, 3, 3, LOST), day(6, 4, 4, LOST)]
    expect(await unbookedIn(said)).toEqual([id(3), id(4)])
  })

  it('where they lie between the last one booked before the window and the first one in it', async () => {
    const said = [
      day(-20, 1, 1),
      day(-10, 2, 2),
      day(-9, 3, 3, LOST),
      day(-8, 4, 4, LOST),
      day(6, 5, 5),
    ]
    expect(await unbookedIn(said)).toEqual([id(3), id(4)])
  })

  it('where they are the last of an epoch that ended before the window', async () => {
    const said = [day(-20, 1, 1), day(-10, 2, 2), day(-9, 3, 3, LOST), day(6, 1, 1, { epoch: 8 })]
    expect(await unbookedIn(said)).toEqual([id(3)])
  })

  it('where the node sends no sequence numbers', async () => {
    const said = [day(-20, 1, 1), day(-10, 2, 2), day(-9, 3, 3, LOST), day(6, 4, 4)]
    expect(await unbookedIn(said.map((it) => untold(it, { isLost: it.isLost === true })))).toEqual([
      `t#${WINDOW.fromMs - 9 * DAY_MS}`,
    ])
  })

  it('where the newest entry holds a late one of long before', async () => {
    const said = [day(-20, 1, 1), day(-10, 2, 2), day(-9, 3, 3, LOST), day(-25, 1, 1, { epoch: 6 })]
    expect(await unbookedIn(said)).toEqual([id(3)])
  })

  it('where they came late without a time', async () => {
    expect(await unbookedIn(lateWithoutTime(LOST))).toEqual([id(2)])
  })

  it('where somebody removed the whole journal and left no anchor', async () => {
    const { look, journal } = await registerOf([day(-20, 1, 1), day(-1, 2, 2), day(6, 3, 3)])
    journal.stored.length = 0
    expect(await journal.hasEpoch(NAME, 7)).toBe(true)
    const { view, isProved } = await look(null)
    expect([view.unbooked.map((it) => it.id), isProved]).toEqual([[id(1), id(2), id(3)], true])
  })
})

/** A reading whose place is before the last one from before the window, and its receipt, all the time it has, in it. */
const lateWithoutTime = (more: Partial<Said>) => [
  day(-20, 1, 1),
  day(-19, 3, 3, { receivedHours: 24 }),
  day(1, 2, 2, { isUntimed: true, ...more }),
  day(-10, 4, 4, { receivedHours: 26 }),
  day(2, 5, 5),
  day(6, 6, 6),
]

it.each<[string, Said[]]>([
  ['in one epoch', [day(-20, 1, 1), day(-10, 2, 2), day(6, 3, 3)]],
  ['silent before the window', [day(-20, 1, 1), day(-10, 2, 2)]],
  ['only in the window', [day(1, 1, 1), day(6, 3, 2)]],
  ['with an epoch a week', [-20, -10, 1, 6].map((at) => day(at, 1, 1, { epoch: 30 + at }))],
  [
    'without sequence numbers',
    [day(-20, 1, 1), day(-10, 2, 2), day(6, 3, 3)].map((it) => untold(it)),
  ],
  ['of which one came late without a time', lateWithoutTime({})],
])('nothing is found where all are booked, %s', async (_, said) => {
  expect(await unbookedIn(said)).toEqual([])
})

describe('more raw events than a run can hold', () => {
  const many = (isLost: boolean) =>
    Array.from({ length: 40 }, (_, n) => day(n / 10, n, n + 1, { isLost }))

  it('are looked at as far as it can, where they are unbooked: the next run goes on', async () => {
    const { look } = await registerOf(many(true))
    const { view } = await look(null, { most: 30 })
    expect(view.unbooked).toHaveLength(30)
    expect((await look(null, { most: 40 })).view.unbooked).toHaveLength(40)
  })

  it('fail the look where they are not, so that nobody takes the rest for proved', async () => {
    const { look, anchor } = await registerOf(many(false))
    await expect(look(anchor, { most: 30 })).rejects.toThrow(
      'esp32-a has more than the 30 readings in its window that a run can hold',
    )
    expect((await look(anchor, { most: 40 })).view.unbooked).toEqual([])
  })
})

it('epochs that ended before the last one booked before the window are not read again', async () => {
  const { look, anchor, ranges } = await registerOf([
    day(-30, 1, 1, { epoch: 5 }),
    day(-20, 1, 1, { epoch: 6 }),
    day(-10, 1, 1),
    day(6, 2, 2),
  ])
  await look(anchor)
  expect(ranges.filter((from) => from.startsWith('s#'))).toEqual([id(0)])
})

it('a hole that begins before the window is seen, and bounded by what lies beside it', async () => {
  const { look, anchor } = await registerOf([day(-20, 1, 1), day(-10, 2, 2), day(6, 9, 6)])
  const { view } = await look(anchor)
  const nowMs = WINDOW.fromMs + 8 * DAY_MS
  const holes = holesIn(view, { nowMs, limits: DEFAULT_LIMITS })
  expect(holes.map(({ from, to, before, after }) => [from, to, before.id, after.id])).toEqual([
    [3, 5, id(2), id(6)],
  ])
})
