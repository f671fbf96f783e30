import { fromItem, type StoredMessage, whyUnreadable } from '../adapters/raw.ts'
import type { Told } from '../domain/decisions.ts'
import { intervals } from '../domain/intervals.ts'
import { type Entry, fold } from '../domain/journal.ts'
import { type Line, lineIdentity } from '../domain/line.ts'
import { distinct } from '../domain/order.ts'
import { earlierReceived, type Reading } from '../domain/reading.ts'

export interface RawPorts {
  /** The register's raw events as they lie in the table. */
  readonly items: (register: string) => AsyncGenerator<Record<string, unknown>>
  readonly retentionDays: number
  /** What the archive says of a register from before the raw events are kept; absent without one. */
  readonly archived?: (register: string) => readonly Reading[]
  readonly now: () => number
}

/** What the raw events of a register still say. */
export interface RawReadings {
  readonly messages: number
  /** One for each identity: of those that conflict the one received first. */
  readonly readings: readonly Reading[]
  /** How many of them only the archive still has; null without one. */
  readonly archived: number | null
  /** Why some events could not be read. */
  readonly unreadable: readonly string[]
  /** Events received before this instant may be gone. */
  readonly keptFromMs: number
}

const DAY_MS = 86_400_000
/** Unbooked readings named one by one; the rest is a number. */
const NAMED = 5

/** Reads all raw events of a register. An event that cannot be read is a finding, not a failure. */
export async function readRaw(register: string, ports: RawPorts): Promise<RawReadings> {
  const keptFromMs = ports.now() - ports.retentionDays * DAY_MS
  const readings: Reading[] = []
  const unreadable: string[] = []
  let messages = 0
  for await (const item of ports.items(register)) {
    messages += 1
    const stored = readable(item, unreadable)
    if (stored !== null) readings.push(...stored.readings)
  }
  const here = distinct(readings)
  const archived = ports.archived?.(register)
  const all = archived === undefined ? here : distinct([...here, ...archived])
  return {
    messages,
    readings: all,
    archived: archived === undefined ? null : all.length - here.length,
    unreadable,
    keptFromMs,
  }
}

function readable(item: Record<string, unknown>, unreadable: string[]): StoredMessage | null {
  try {
    return fromItem(item)
  } catch (error) {
    unreadable.push(`raw event ${item.register} ${item.id} cannot be read: ${whyUnreadable(error)}`)
    return null
  }
}

/**
 * Makes the ledger anew from the raw events, by the specification alone, and compares it with what
 * stands in the journal. What neither the raw events nor the archive hold is taken from the journal.
 */
export function compareWithRaw(
  raw: RawReadings,
  entries: readonly Entry[],
  told: Told,
): { problems: string[]; notes: string[] } {
  const problems = [...raw.unreadable]
  const { readings: booked } = fold(entries)
  const bookedIds = new Set(booked.map(({ id }) => id))
  const unbooked = raw.readings.filter(({ id }) => !bookedIds.has(id))
  problems.push(...unbookedProblems(unbooked))

  const rawIds = new Set(raw.readings.map(({ id }) => id))
  const gone = booked.filter(({ id }) => !rawIds.has(id))
  const lost = gone.filter(({ receivedAtMs }) => receivedAtMs >= raw.keptFromMs)
  if (lost.length > 0 && raw.unreadable.length === 0) {
    const named = lost.slice(0, NAMED).map(({ id }) => id)
    problems.push(
      `${lost.length} booked readings have no raw event, though it should be kept still: ${listed(named, lost.length)}`,
    )
  }
  const set = together(raw, booked, gone)
  const difference = firstDifference(entries, intervals(set, told.facts, told.decisions))
  if (difference !== null) problems.push(difference)
  return { problems, notes: notesOf(raw, gone.length - lost.length, unbooked.length) }
}

/**
 * The readings the ledger should stand on. A raw event that is kept speaks for itself; the journal
 * speaks for what is gone, and for a reading received before the one that is still there.
 */
function together(
  raw: RawReadings,
  booked: readonly Reading[],
  gone: readonly Reading[],
): Reading[] {
  const byId = new Map(booked.map((reading) => [reading.id, reading]))
  const kept = raw.readings.map((reading) => {
    const known = byId.get(reading.id)
    const mayBeGone = known !== undefined && known.receivedAtMs < raw.keptFromMs
    return mayBeGone ? earlierReceived(known, reading) : reading
  })
  return [...kept, ...gone]
}

function unbookedProblems(unbooked: readonly Reading[]): string[] {
  const named = unbooked
    .slice(0, NAMED)
    .map(
      ({ id, receivedAtMs }) =>
        `raw reading ${id}, received ${new Date(receivedAtMs).toISOString()}, is not booked`,
    )
  const more = unbooked.length - named.length
  return more > 0 ? [...named, `and ${more} more raw readings are not booked`] : named
}

const listed = (names: readonly string[], count: number) =>
  `${names.join(', ')}${count > names.length ? ', …' : ''}`

function notesOf(raw: RawReadings, expired: number, unbooked: number): string[] {
  const found = `${raw.readings.length} readings in ${raw.messages} raw events, ${unbooked} not booked`
  const notes = [found]
  if (raw.archived !== null && raw.archived > 0) {
    notes.push(
      `${raw.archived} of these readings are older than the raw events kept, and read from the archive`,
    )
  }
  if (expired > 0) {
    const where =
      raw.archived === null ? 'the raw events kept' : 'the raw events kept, not in the archive'
    notes.push(`${expired} booked readings are older than ${where}, and taken from the ledger`)
  }
  return notes
}

interface Standing {
  readonly line: Line
  /** Where the line was posted: the entry, and the line in it from 1 on. */
  readonly n: number
  readonly index: number
}

/** The first line, by time, in which journal and specification differ; null when there is none. */
function firstDifference(entries: readonly Entry[], expected: readonly Line[]): string | null {
  const found = standingLines(entries)
  const wanted = counted(expected)
  const extra = found.filter(({ line }) => !take(wanted, lineIdentity(line)))
  const missing = expected.filter((line) => take(wanted, lineIdentity(line)))
  const [first] = extra.sort((a, b) => byStart(a.line, b.line))
  const [lacking] = missing.sort(byStart)
  if (first === undefined && lacking === undefined) return null
  const differing = extra.length + missing.length
  if (first !== undefined && (lacking === undefined || first.line.fromMs <= lacking.fromMs)) {
    const should = lacking === undefined ? 'nothing there' : described(lacking)
    return `the journal is not what the raw events say, in ${differing} lines; first at entry ${first.n}, line ${first.index}: it has ${described(first.line)}, the raw events say ${should}`
  }
  const line = lacking as Line
  const n = entries.find((entry) => entry.readings.some(({ id }) => id === line.between[1]))?.n
  const where = n === undefined ? 'which no entry reaches' : `after entry ${n}`
  return `the journal is not what the raw events say, in ${differing} lines; first missing, ${where}: ${described(line)}`
}

function standingLines(entries: readonly Entry[]): Standing[] {
  const standing = new Map<string, Standing[]>()
  for (const { n, lines } of entries) {
    lines.forEach((line, at) => {
      const identity = lineIdentity(line)
      const posted = standing.get(identity) ?? []
      if (line.reverses) posted.pop()
      else posted.push({ line, n, index: at + 1 })
      standing.set(identity, posted)
    })
  }
  return [...standing.values()].flat()
}

function counted(lines: readonly Line[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of lines) {
    const identity = lineIdentity(line)
    counts.set(identity, (counts.get(identity) ?? 0) + 1)
  }
  return counts
}

/** Takes one of a kind out. @returns false when there is none left */
function take(counts: Map<string, number>, identity: string): boolean {
  const count = counts.get(identity) ?? 0
  if (count === 0) return false
  counts.set(identity, count - 1)
  return true
}

function byStart(a: Line, b: Line): number {
  return a.fromMs - b.fromMs || a.toMs - b.toMs || (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0)
}

function described(line: Line): string {
  const at = (ms: number) => new Date(ms).toISOString()
  return `${line.kind} ${line.energyMwh} mWh from ${at(line.fromMs)} to ${at(line.toMs)} (${[line.confidence, ...line.flags].join(' ')})`
}
