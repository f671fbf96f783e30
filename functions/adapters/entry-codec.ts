import { createHash } from 'node:crypto'
import { remembered } from '../domain/append.ts'
import type { Entry, EntryDraft, EntryReason } from '../domain/journal.ts'
import { type Confidence, LINE_FLAGS, type Line, type LineKind } from '../domain/line.ts'
import type { CounterReading, PlacedReading } from '../domain/reading.ts'
import type { Step, WalkState } from '../domain/walk.ts'
import { compress, decompress, ENCODING } from './compress.ts'
import { type PackedReading, packReadings, unpackReadings } from './reading-codec.ts'

/** The hash "before" the first entry of a register. */
export const GENESIS = '0'.repeat(64)

const FORMAT = 1
const STEPS: readonly Step[] = ['open', 'measured', 'reset', 'inferred', 'rollback', 'jump']
const KINDS: readonly LineKind[] = ['measured', 'reset', 'estimate', 'suspense']
const CONFIDENCES: readonly Confidence[] = ['high', 'medium', 'low']

/** How an entry lies in the Ledger table. `body` is deflated JSON; the hashes are raw SHA-256. */
export interface EntryItem {
  register: string
  sk: string
  body: Uint8Array
  encoding: string
  prev: Uint8Array
  hash: Uint8Array
}

type PackedLine = [
  number,
  number,
  number,
  number,
  number,
  number,
  number | string,
  number | string,
  number,
  0 | readonly [number, number],
  0 | 1,
  number[],
]
type More = [
  facts: number,
  part: number,
  owed: 0 | readonly [number, number | null],
  aheadMs: number | null,
  /** Left out as long as nothing was decided. */
  decisions?: number,
]
const NO_MORE: More = [0, 0, 0, null]
type Body = [
  format: number,
  register: string,
  n: number,
  bookedAtMs: number,
  reason: EntryReason,
  deviceIds: string[],
  readings: PackedReading[],
  booked: number[],
  moved: number[],
  walk: [
    kept: [reading: number, step: number, aside: 0 | 1][],
    pending: number[],
    bare: number,
    /** Bits, one for each place; left out when nothing was passed over. */
    passed?: number,
  ],
  last: number,
  lines: PackedLine[],
  hours: readonly number[],
  epochs: readonly number[],
  epochCount: number,
  totals: number[],
  /** Left out when there is nothing to say, as for most entries. */
  more?: More,
]

export const entryKey = (n: number) => `e#${String(n).padStart(12, '0')}`

/** Puts a draft into its place in the chain: number, time of booking, and the hashes. */
export function seal(
  draft: EntryDraft,
  place: { register: string; n: number; bookedAtMs: number; prevHash: string },
): Entry {
  const hash = chainHash(place.prevHash, JSON.stringify(toBody({ ...draft, ...place })))
  return { ...draft, ...place, hash }
}

/** SHA-256 over the hash before and the entry's content, as lower-case hex. */
export function chainHash(prevHash: string, body: string): string {
  return createHash('sha256').update(Buffer.from(prevHash, 'hex')).update(body).digest('hex')
}

export function toItem(entry: Entry): EntryItem {
  return {
    register: entry.register,
    sk: entryKey(entry.n),
    body: compress(JSON.stringify(toBody(entry))),
    encoding: ENCODING,
    prev: Buffer.from(entry.prevHash, 'hex'),
    hash: Buffer.from(entry.hash, 'hex'),
  }
}

/**
 * Reads a stored entry, whatever its hashes say; `isIntact` compares them.
 * @throws Error naming register and sort key when the body cannot be read
 */
export function fromItem(item: EntryItem): Entry {
  try {
    const body = JSON.parse(decompress(item.body, item.encoding)) as Body
    if (body[0] !== FORMAT) throw new Error(`format must be ${FORMAT}, got ${body[0]}`)
    return fromBody(body, hex(item.prev), hex(item.hash))
  } catch (cause) {
    throw new Error(`ledger entry ${item.register} ${item.sk} cannot be read`, { cause })
  }
}

/** True when the entry's own hash covers its content and the hash it claims for the entry before. */
export function isIntact(item: EntryItem): boolean {
  return chainHash(hex(item.prev), decompress(item.body, item.encoding)) === hex(item.hash)
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function toBody(entry: Omit<Entry, 'hash'>): Body {
  const { state } = entry
  const readings = uniqueReadings([...remembered(state), ...entry.readings, ...entry.moved])
  const index = new Map(readings.map((reading, i) => [reading.id, i]))
  const refer = (reading: PlacedReading) => index.get(reading.id) as number
  const deviceIds = [
    ...new Set([
      ...readings.flatMap((r) => r.channels.map((c) => c.deviceId)),
      ...entry.lines.flatMap((l) => l.channels.map((c) => c.deviceId)),
    ]),
  ]
  const { totals } = state
  return [
    FORMAT,
    entry.register,
    entry.n,
    entry.bookedAtMs,
    entry.reason,
    deviceIds,
    packReadings(readings, deviceIds),
    entry.readings.map(refer),
    entry.moved.map(refer),
    packWalk(state.walk, refer),
    refer(state.last),
    entry.lines.map((line) => packLine(line, index, deviceIds)),
    entry.hours,
    state.epochs,
    state.epochCount,
    [
      totals.readings,
      totals.measuredMwh,
      totals.estimatedMwh,
      totals.suspenseMwh,
      totals.resets,
      totals.reversals,
    ],
    ...moreOf(entry),
  ]
}

function moreOf({ part, state }: Omit<Entry, 'hash'>): [] | [More] {
  const { facts, decisions, owed, aheadMs } = state
  const isSilent = facts === 0 && decisions === 0
  if (part === 0 && isSilent && owed === null && aheadMs === null) return []
  const reach = owed === null ? 0 : ([owed.fromMs, owed.toMs] as const)
  const more = [facts, part, reach, aheadMs] as const
  return [decisions === 0 ? [...more] : [...more, decisions]]
}

function fromBody(body: Body, prevHash: string, hash: string): Entry {
  const [
    ,
    register,
    n,
    bookedAtMs,
    reason,
    deviceIds,
    packed,
    booked,
    moved,
    walked,
    last,
    lines,
    hours,
    epochs,
    epochCount,
    totals,
    [facts, part, owed, aheadMs, decisions = 0] = NO_MORE,
  ] = body
  const readings = unpackReadings(packed, deviceIds)
  const at = (i: number) => readings[i] as PlacedReading
  const [count = 0, measuredMwh = 0, estimatedMwh = 0, suspenseMwh = 0, resets = 0, reversals = 0] =
    totals
  return {
    register,
    n,
    bookedAtMs,
    reason,
    readings: booked.map(at),
    moved: moved.map(at),
    lines: lines.map((line) => unpackLine(line, readings, deviceIds)),
    hours,
    part,
    state: {
      last: at(last),
      walk: unpackWalk(walked, at),
      epochs,
      epochCount,
      totals: { readings: count, measuredMwh, estimatedMwh, suspenseMwh, resets, reversals },
      aheadMs,
      facts,
      decisions,
      owed: owed === 0 ? null : { fromMs: owed[0], toMs: owed[1] },
    },
    prevHash,
    hash,
  }
}

function packWalk(state: WalkState, refer: (reading: PlacedReading) => number): Body[9] {
  const passed = state.passed.reduce((bits, i) => bits | (1 << i), 0)
  return [
    state.kept.map(({ reading, step, aside }) => [
      refer(reading),
      STEPS.indexOf(step),
      aside ? 1 : 0,
    ]),
    state.pending.map(refer),
    state.bare === null ? -1 : refer(state.bare),
    ...(passed > 0 ? ([passed] as const) : ([] as const)),
  ]
}

function unpackWalk(
  [kept, pending, bare, passed = 0]: Body[9],
  at: (i: number) => PlacedReading,
): WalkState {
  return {
    kept: kept.map(([reading, step, aside]) => ({
      reading: at(reading) as CounterReading,
      step: STEPS[step] as Step,
      aside: aside === 1,
    })),
    pending: pending.map((i) => at(i) as CounterReading),
    bare: bare < 0 ? null : at(bare),
    passed: [...pending, bare].flatMap((_, i) => (passed & (1 << i) ? [i] : [])),
  }
}

/** The newest version of each reading: what an entry moves is newer than what its state was. */
function uniqueReadings(readings: readonly PlacedReading[]): PlacedReading[] {
  const byId = new Map<string, PlacedReading>()
  for (const reading of readings) byId.set(reading.id, reading)
  return [...byId.values()]
}

function packLine(
  line: Line,
  index: ReadonlyMap<string, number>,
  deviceIds: readonly string[],
): PackedLine {
  const refer = (id: string) => index.get(id) ?? id
  return [
    KINDS.indexOf(line.kind),
    line.fromMs,
    line.toMs - line.fromMs,
    line.energyMwh,
    CONFIDENCES.indexOf(line.confidence),
    line.flags.reduce((bits, flag) => bits | (1 << LINE_FLAGS.indexOf(flag)), 0),
    refer(line.between[0]),
    refer(line.between[1]),
    line.onTimeS,
    line.bounds ?? 0,
    line.reverses ? 1 : 0,
    line.channels.flatMap((c) => [deviceIds.indexOf(c.deviceId), c.energyMwh, c.onTimeS]),
  ]
}

function unpackLine(
  packed: PackedLine,
  readings: readonly PlacedReading[],
  deviceIds: readonly string[],
): Line {
  const [
    kind,
    fromMs,
    lengthMs,
    energyMwh,
    confidence,
    flags,
    from,
    to,
    onTimeS,
    bounds,
    reverses,
    flat,
  ] = packed
  const named = (reference: number | string) =>
    typeof reference === 'string' ? reference : (readings[reference]?.id as string)
  const channels = []
  for (let i = 0; i < flat.length; i += 3) {
    channels.push({
      deviceId: deviceIds[flat[i] as number] as string,
      energyMwh: flat[i + 1] as number,
      onTimeS: flat[i + 2] as number,
    })
  }
  return {
    kind: KINDS[kind] as LineKind,
    fromMs,
    toMs: fromMs + lengthMs,
    energyMwh,
    confidence: CONFIDENCES[confidence] as Confidence,
    flags: LINE_FLAGS.filter((_, bit) => flags & (1 << bit)),
    between: [named(from), named(to)],
    channels,
    onTimeS,
    bounds: bounds === 0 ? null : bounds,
    reverses: reverses === 1,
  }
}
