import {
  addTotals,
  type Entry,
  type EntryDraft,
  HOUR_MS,
  hourOf,
  hoursOf,
  MAX_HOURS,
  MAX_LINES,
  NO_TOTALS,
  type Owed,
} from './journal.ts'
import type { Line } from './line.ts'
import type { PlacedReading } from './reading.ts'

/** A draft of any size, and what cutting it needs to know. */
export interface Change {
  readonly draft: EntryDraft
  /** Where the draft's moved readings lay before, in its order. */
  readonly movedFrom: readonly number[]
  /** What is not yet as it should be between the pieces. @default the hours of the draft */
  readonly owed?: Owed
  /** What is left to do after the last piece. @default nothing */
  readonly left?: Owed | null
}

/** What one entry holds at most. */
export interface Limits {
  /** Lines and, apart from them, moved readings. */
  readonly lines: number
  readonly hours: number
}

export const LIMITS: Limits = { lines: MAX_LINES, hours: MAX_HOURS }

interface Piece {
  readonly moved: PlacedReading[]
  readonly lines: Line[]
  readonly hours: Set<number>
}

/**
 * Cuts a change into entries that are appended one after another: usually it is one. The first books
 * the readings and knows the state after the whole change; each but the last says what is still owed,
 * so that whoever comes next completes it before anything else, should the writer end in between.
 */
export function pieces(change: Change, head: Entry | null, limits = LIMITS): EntryDraft[] {
  const { draft, owed = reach(draft), left = null } = change
  const found = cut(change, limits)
  const isFollowed = head !== null && head.state.owed !== null
  const before = isFollowed ? head.part : 0
  let totals = addTotals(head?.state.totals ?? NO_TOTALS, draft.readings.length, [])
  return found.map(({ moved, lines, hours }, index) => {
    totals = addTotals(totals, 0, lines)
    const isLast = index === found.length - 1
    const isWhole = isLast && index === 0 && !isFollowed && left === null
    return {
      ...draft,
      readings: index === 0 ? draft.readings : [],
      moved,
      lines,
      hours: [...hours].sort((a, b) => a - b),
      part: isWhole ? 0 : before + index + 1,
      state: { ...draft.state, totals, owed: isLast ? left : owed },
    }
  })
}

function cut({ draft, movedFrom }: Change, limits: Limits): Piece[] {
  const { readings, moved, lines } = draft
  const isSmall = lines.length <= limits.lines && moved.length <= limits.lines
  if (isSmall && draft.hours.length <= limits.hours) {
    return [{ moved: [...moved], lines: [...lines], hours: new Set(draft.hours) }]
  }
  const found: Piece[] = [{ moved: [], lines: [], hours: new Set(hoursOf([], readings)) }]
  /** The piece that takes what lies in these hours: the last one, as long as it has room. */
  const place = (hours: readonly number[]): Piece => {
    const last = found.at(-1) as Piece
    const more = hours.filter((hour) => !last.hours.has(hour)).length
    const isFull = last.lines.length >= limits.lines || last.moved.length >= limits.lines
    const piece =
      isFull || (last.hours.size > 0 && last.hours.size + more > limits.hours)
        ? { moved: [], lines: [], hours: new Set<number>() }
        : last
    if (piece !== last) found.push(piece)
    for (const hour of hours) piece.hours.add(hour)
    return piece
  }
  moved.forEach((reading, index) => {
    const hours = [hourOf(reading.tMs), hourOf(movedFrom[index] ?? reading.tMs)]
    place([...new Set(hours)]).moved.push(reading)
  })
  for (const line of byTime(lines)) place([hourOf(line.toMs)]).lines.push(line)
  return found
}

/** What is taken back goes with what stands in its place, so that each piece changes sums but little. */
function byTime(lines: readonly Line[]): Line[] {
  return [...lines].sort(
    (a, b) => a.fromMs - b.fromMs || Number(b.reverses) - Number(a.reverses) || a.toMs - b.toMs,
  )
}

function reach({ hours }: EntryDraft): Owed {
  return {
    fromMs: Math.min(...hours) * HOUR_MS,
    toMs: (Math.max(...hours) + 1) * HOUR_MS,
  }
}
