import { between, chance } from './chance.ts'
import { remembered } from './remembered.ts'

/** Something goes wrong in a room: the mains fail, or the nodes lose the network. */
export interface Incident {
  readonly classroom: string
  readonly kind: 'power cut' | 'offline'
  readonly fromMs: number
  /** First instant at which all is well again. */
  readonly toMs: number
}

/** What goes wrong when; always the same answer to the same question. */
export interface Incidents {
  /** Those that touch `[fromMs, toMs]`, in order of time. */
  touching(classroom: string, fromMs: number, toMs: number): readonly Incident[]
}

const WINDOW_MS = 10 * 60_000
const CUT_PERMILLE = 60
const OFFLINE_PERMILLE = 160

/** Incidents that a seed gives: in each window of ten minutes a room has one at most. */
export function seededIncidents(seed: number, more: readonly Incident[] = []): Incidents {
  const ofWindow = (classroom: string, n: number): Incident[] => {
    const given = more.filter((i) => i.classroom === classroom && isIn(i.fromMs, n))
    const drawn = inWindow(seed, classroom, n)
    const isFree =
      drawn !== undefined && !more.some((i) => i.classroom === classroom && overlap(i, drawn))
    return (isFree ? [...given, drawn] : given).sort((a, b) => a.fromMs - b.fromMs)
  }
  // A node asks at every reading, and almost always about the same ten minutes.
  const windows = remembered(ofWindow, (classroom, n) => `${n} ${classroom}`)
  const longest = Math.max(WINDOW_MS, ...more.map((i) => i.toMs - i.fromMs))
  return {
    touching: (classroom, fromMs, toMs) => {
      const found: Incident[] = []
      const first = Math.floor((fromMs - (more.length === 0 ? 0 : longest)) / WINDOW_MS)
      for (let n = first; n * WINDOW_MS <= toMs; n += 1) {
        for (const i of windows(classroom, n)) {
          if (i.fromMs <= toMs && i.toMs >= fromMs) found.push(i)
        }
      }
      return found
    },
  }
}

function isIn(atMs: number, n: number): boolean {
  return Math.floor(atMs / WINDOW_MS) === n
}

/** A written list, for tests and scripted scenes. */
export function scriptedIncidents(list: readonly Incident[]): Incidents {
  return {
    touching: (classroom, fromMs, toMs) =>
      list.filter((i) => i.classroom === classroom && i.fromMs <= toMs && i.toMs >= fromMs),
  }
}

function inWindow(seed: number, classroom: string, n: number): Incident | undefined {
  const drawn = chance(seed, classroom, 'incident', n) % 1000
  if (drawn >= CUT_PERMILLE + OFFLINE_PERMILLE) return undefined
  const kind = drawn < CUT_PERMILLE ? 'power cut' : 'offline'
  const seconds =
    kind === 'power cut'
      ? between(15, 90, seed, classroom, 'long', n)
      : between(40, 240, seed, classroom, 'long', n)
  const latestS = WINDOW_MS / 1000 - seconds - 1
  const fromMs = n * WINDOW_MS + between(0, latestS, seed, classroom, 'start', n) * 1000
  return { classroom, kind, fromMs, toMs: fromMs + seconds * 1000 }
}

function overlap(a: Incident, b: Incident): boolean {
  return a.fromMs <= b.toMs && b.fromMs <= a.toMs
}
