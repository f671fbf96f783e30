import { createHash } from 'node:crypto'
import type { JournalReader } from '../adapters/journal.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import {
  type ledger as contract,
  type LedgerAnswer,
  LedgerCursor,
  type LedgerQuery,
} from '../contract/api/ledger.ts'
import { localDay } from '../domain/calendar.ts'
import { type Entry, fold, hourOf } from '../domain/journal.ts'
import { registerKey } from '../domain/reading.ts'
import { type Endpoint, invalidQuery } from './endpoint.ts'
import { entryToApi, touches } from './ledger-entry.ts'

export interface LedgerPorts {
  readonly nodes: Pick<NodeStore, 'get'>
  readonly journal: Pick<JournalReader, 'head' | 'entries' | 'pointers' | 'nearestHour'>
  readonly siteTimeZone: string
}

/** A range of instants in epoch milliseconds, `[fromMs, toMs)`. */
export interface Range {
  readonly fromMs: number
  readonly toMs: number
}

const DAY_MS = 86_400_000
/** A leap year: its pointers are a few thousand small items. */
const MAX_RANGE_MS = 366 * DAY_MS
/** Entries read from the table at a time, and for one page at most, matching or not. */
const PAGE = 200
const MAX_READ = 4_000
/** Lines and readings of a page: keeps the answer well inside Lambda's 6 MB. */
const MAX_PARTS = 2_000
/** Hours looked through at a time for the end of a line, at most. */
const MAX_WINDOW = 24

/** `GET /ledger` */
export const ledger: Endpoint<typeof contract> = async (query, { ports }) => {
  const page = await ledgerPage(query, ports)
  if ('answer' in page) return page
  if ('unknown' in page) {
    return { problem: { status: 404, title: 'Unknown node', detail: page.unknown } }
  }
  const [parameter = '', detail = ''] = page.invalid.split(/: (.*)/s)
  return invalidQuery(parameter, detail)
}

/**
 * A page of a register's entries that have a line or a reading in the range, oldest entry first. The
 * journal is entered by time through its pointers, so a page costs what it shows, not the journal's age.
 */
export async function ledgerPage(
  query: LedgerQuery,
  ports: LedgerPorts,
): Promise<{ answer: LedgerAnswer } | { invalid: string } | { unknown: string }> {
  const range = { fromMs: instantOf(query.from, ports), toMs: instantOf(query.to, ports) }
  if (range.toMs <= range.fromMs) {
    return { invalid: `to: must be after from (${query.from}), got ${query.to}` }
  }
  if (range.toMs - range.fromMs > MAX_RANGE_MS) {
    const days = Math.ceil((range.toMs - range.fromMs) / DAY_MS)
    return { invalid: `to: must be at most 366 days after from, got ${days} days` }
  }
  const register = registerKey(query.esp32_name, query.device_id ?? null)
  const after = afterCursor(query.cursor, register, range)
  if (after === null) {
    return {
      invalid: `cursor: must be the next_cursor of a page of this query, got "${query.cursor}"`,
    }
  }
  const record = await ports.nodes.get(query.esp32_name)
  if (!record.registered && record.watermarks.size === 0) {
    return { unknown: `esp32_name "${query.esp32_name}" is not a known node` }
  }
  const page = await collect(register, range, after, query.limit, ports)
  return {
    answer: {
      esp32_name: query.esp32_name,
      device_id: query.device_id ?? null,
      from: new Date(range.fromMs).toISOString(),
      to: new Date(range.toMs).toISOString(),
      entries: page.entries.map(entryToApi),
      next_cursor: page.through === null ? null : cursorText(page.through, register, range),
    },
  }
}

function instantOf(text: string, { siteTimeZone }: LedgerPorts): number {
  return text.length === 'YYYY-MM-DD'.length
    ? localDay(text, siteTimeZone).startMs
    : Date.parse(text)
}

/** Entries beyond `after` that touch the range; `through` is null when there are no more. */
async function collect(
  register: string,
  range: Range,
  after: number,
  limit: number,
  ports: LedgerPorts,
): Promise<{ entries: Entry[]; through: number | null }> {
  const found: Entry[] = []
  let parts = 0
  let read = 0
  for await (const entry of candidates(register, range, after, ports)) {
    read += 1
    if (touches(entry, range)) {
      const own = entry.lines.length + entry.readings.length + entry.moved.length
      if (found.length === limit || (found.length > 0 && parts + own > MAX_PARTS)) {
        return { entries: found, through: (found.at(-1) as Entry).n }
      }
      found.push(entry)
      parts += own
    }
    if (read === MAX_READ) return { entries: found, through: entry.n }
  }
  return { entries: found, through: null }
}

/** Entries beyond `after` that the range's pointers lead to, by number. */
async function* candidates(
  register: string,
  range: Range,
  after: number,
  { journal }: LedgerPorts,
): AsyncGenerator<Entry> {
  const lastHour = await lastEndHour(register, range.toMs, journal)
  yield* entriesIn(register, hourOf(range.fromMs), lastHour, after, journal)
}

/**
 * The last hour in which a line that begins before `toMs` ends: there is its pointer. Readings
 * without a counter, or odd ones, may lie between, so it goes on until a line ends behind `toMs`, and
 * as far as the lines that were taken back on the way reached, also in other entries of one change.
 */
async function lastEndHour(
  register: string,
  toMs: number,
  journal: LedgerPorts['journal'],
): Promise<number> {
  const head = await journal.head(register)
  // A register that never had a counter has lines of a few minutes only, between neighbours.
  const hasCounter = head !== null && head.state.walk.kept.length > 0
  let furthest = hourOf(toMs - 1)
  let from = furthest
  let hours = 1
  /** Changes of several entries whose lines were looked at, by their first. */
  const changes = new Set<number>()
  while (true) {
    const to = from + hours - 1
    const entries: Entry[] = []
    for await (const entry of entriesIn(register, from, to, 0, journal)) entries.push(entry)
    for (const entry of entries) {
      const start = entry.part === 0 ? entry.n : entry.n - entry.part + 1
      if (changes.has(start)) continue
      if (entry.part > 0) changes.add(start)
      for await (const { lines } of entry.part === 0
        ? [entry]
        : changeAt(register, start, journal)) {
        for (const line of lines) {
          if (line.fromMs < toMs) furthest = Math.max(furthest, hourOf(line.toMs))
        }
      }
    }
    const ends = hasCounter
      ? fold(entries).lines.map((line) => line.toMs)
      : entries.flatMap((entry) => entry.readings.map((reading) => reading.tMs))
    const isBounded = ends.some((ms) => ms >= toMs && hourOf(ms) <= to)
    if (isBounded && furthest <= to) return furthest
    const next = await journal.nearestHour(register, to, 'above')
    if (next === null) return Math.max(furthest, to)
    from = next
    hours = Math.min(2 * hours, MAX_WINDOW)
  }
}

/** The entries of one change, from its first on. */
async function* changeAt(
  register: string,
  start: number,
  journal: LedgerPorts['journal'],
): AsyncGenerator<Entry> {
  for (let n = start; ; n += PAGE) {
    const page = await journal.entries(register, n, PAGE)
    for (const entry of page) {
      yield entry
      if (entry.state.owed === null) return
    }
    if (page.length < PAGE) return
  }
}

/**
 * Entries beyond `after` that the pointers of some hours lead to, by number. A pointer names the first
 * of a run: entries after it need none of their own as long as they stay in its one hour.
 */
async function* entriesIn(
  register: string,
  fromHour: number,
  toHour: number,
  after: number,
  journal: LedgerPorts['journal'],
): AsyncGenerator<Entry> {
  const pointers = await journal.pointers(register, fromHour, toHour)
  const starts = [...new Set(pointers.map(({ n }) => n))].sort((a, b) => a - b)
  const current = starts.findLastIndex((n) => n <= after + 1)
  let next = Math.max(0, current)
  let entries: Entry[] = []
  for (; next < starts.length; next++) {
    const start = starts[next] as number
    const end = starts[next + 1] ?? Number.POSITIVE_INFINITY
    let first: Entry | null = null
    for (let n = start; n < end; n++) {
      // The pointed entry itself is read again behind a cursor: its hour says how far its run goes.
      if (n === start + 1 && after >= n) n = after + 1
      if (n >= end) break
      const at = entries.findIndex((entry) => entry.n === n)
      if (at < 0) entries = await journal.entries(register, n, PAGE)
      const entry = entries.find((each) => each.n === n)
      if (entry === undefined) break
      first ??= entry
      if (entry !== first && !sameSingleHour(first, entry)) break
      if (entry.n > after) yield entry
      if (first.hours.length !== 1) break
    }
  }
}

function sameSingleHour(a: Entry, b: Entry): boolean {
  return a.hours.length === 1 && b.hours.length === 1 && a.hours[0] === b.hours[0]
}

function cursorText(n: number, register: string, range: Range): string {
  return Buffer.from(JSON.stringify({ n, of: digestOf(n, register, range) })).toString('base64url')
}

/** The entry a page goes on behind: 0 without a cursor, null for one that is not ours for this query. */
function afterCursor(cursor: string | undefined, register: string, range: Range): number | null {
  if (cursor === undefined) return 0
  if (!/^[\w-]+$/.test(cursor)) return null
  try {
    const json: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    const parsed = LedgerCursor.safeParse(json)
    if (!parsed.success) return null
    const { n, of } = parsed.data
    // Canonical, so that a cursor has one spelling only.
    if (cursorText(n, register, range) !== cursor || digestOf(n, register, range) !== of)
      return null
    return n
  } catch {
    return null
  }
}

/** No secret: it keeps a cursor from being used for another query, or changed by accident. */
function digestOf(n: number, register: string, { fromMs, toMs }: Range): string {
  const text = JSON.stringify(['ledger', register, fromMs, toMs, n])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
