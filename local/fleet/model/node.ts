import type { NodeSpec } from './campus.ts'
import { chance } from './chance.ts'
import type { Incidents } from './incidents.ts'
import type { Load } from './load.ts'
import { type Counter, metered, totalMwh, zeroed } from './meter.ts'
import type { JobRecord } from './update.ts'

/** One observation, as the node writes it to its flash before it publishes it. */
export interface Reading {
  sequenceNo: number
  bootId: string
  atMs: number
  uptimeS: number
  energyMwh: number
  powerMw: number
  channels: { device_id: string; energyMwh: number; powerMw: number; onTimeS: number }[]
  /** On the first reading after a start: why it started, and what the cut may have cost at most. */
  resetReason?: string
  lossBoundMwh?: number
}

/** Readings the node had to drop because its flash was full; both ends included. */
export interface Gap {
  fromSequenceNo: number
  toSequenceNo: number
}

/** All a node knows. Plain data: what is kept on disk is exactly this. */
export interface NodeState {
  /** Up to when time has passed for it. */
  atMs: number
  counterEpoch: number
  /** The last one used; 0 before the first reading. */
  sequenceNo: number
  /** Null while it has no power. */
  boot: { id: string; atMs: number } | null
  counters: Counter[]
  /** The counters in flash, as of the last reading: what a power cut leaves. */
  stored: Counter[]
  /** Consumed and counted, but lost by power cuts before it was in flash. */
  lostMwh: number
  /** Readings not acknowledged, oldest first. */
  unsent: Reading[]
  gaps: Gap[]
  /** Not sent yet: the next reading is the first after a start. */
  restart: { reason: string; lossBoundMwh: number } | null
  /** Requests it has obeyed, by their ids, the newest last. */
  obeyed: string[]
  firmwareVersion: string
  /** What it goes back to, and when, while it runs an image that does not prove itself. */
  trial: { former: string; untilMs: number } | null
  /** The last update it was offered, and how far it came. */
  job: JobRecord | null
}

/** What surrounds a node. */
export interface World {
  readonly seed: number
  readonly load: Load
  readonly incidents: Incidents
  /** Time between readings. */
  readonly periodMs: number
}

/** Readings a node's flash holds; the oldest go first when it is full. */
export const MAX_UNSENT = 600

/** What a node leaves the factory with. */
export const FIRST_VERSION = { current: '2.0.0', legacy: '1.4.2' } as const

/** A node that was never switched on. Its counter's life begins here. */
export function newNode(spec: NodeSpec, atMs: number, seed: number): NodeState {
  const counters = zeroed(spec.channels.map((channel) => channel.device_id))
  return {
    atMs,
    counterEpoch: chance(seed, spec.esp32_name, 'epoch', atMs) || 1,
    sequenceNo: 0,
    boot: null,
    counters,
    stored: counters,
    lostMwh: 0,
    unsent: [],
    gaps: [],
    restart: null,
    obeyed: [],
    firmwareVersion: FIRST_VERSION[spec.firmware],
    trial: null,
    job: null,
  }
}

/**
 * The node after its simulation stood still (the program ended, or was killed): as after a power
 * cut, it goes on from what is in its flash. Nothing was consumed meanwhile.
 */
export function resumed(spec: NodeSpec, state: NodeState, atMs: number, world: World): NodeState {
  return { ...withoutPower(spec, state, world), atMs: Math.max(atMs, state.atMs) }
}

/** True when the room has mains at this instant. */
export function hasPower(spec: NodeSpec, atMs: number, world: World): boolean {
  return !happening('power cut', spec, atMs, world)
}

/** True when the node can reach the broker, given power. */
export function hasNetwork(spec: NodeSpec, atMs: number, world: World): boolean {
  return !happening('offline', spec, atMs, world)
}

/** Lets time pass for a node up to `toMs`: energy, readings, power cuts and starts, in order. */
export function advance(spec: NodeSpec, from: NodeState, toMs: number, world: World): NodeState {
  let state = from
  if (state.boot === null && hasPower(spec, state.atMs, world)) state = booted(spec, state, world)
  while (state.atMs < toMs) {
    const dueAtMs = nextReadingAt(spec, state, world)
    const untilMs = state.boot === null ? toMs : Math.min(toMs, dueAtMs)
    const powerAtMs = nextPowerChange(spec, state.atMs, untilMs, world)
    const at = Math.min(untilMs, powerAtMs)
    state = passed(state, at, world)
    if (at === powerAtMs) {
      const on = hasPower(spec, at, world)
      if (on && state.boot === null) state = booted(spec, state, world)
      if (!on && state.boot !== null) state = withoutPower(spec, state, world)
    } else if (at === dueAtMs && state.boot !== null) {
      state = read(spec, state, world)
    }
  }
  return state
}

/** The node after the broker acknowledged readings up to a sequence number. */
export function acknowledged(state: NodeState, upToSequenceNo: number): NodeState {
  return {
    ...state,
    unsent: state.unsent.filter((reading) => reading.sequenceNo > upToSequenceNo),
    gaps: state.gaps.filter((gap) => gap.toSequenceNo > upToSequenceNo),
  }
}

/** Time passes; without power nothing is consumed. */
function passed(state: NodeState, atMs: number, world: World): NodeState {
  if (state.boot === null) return { ...state, atMs }
  return { ...state, atMs, counters: metered(state.counters, world.load, state.atMs, atMs) }
}

function booted(spec: NodeSpec, state: NodeState, world: World): NodeState {
  const id = chance(world.seed, spec.esp32_name, 'boot', state.atMs).toString(16).padStart(8, '0')
  const restart = state.restart ?? { reason: 'power_on', lossBoundMwh: 0 }
  const started = { ...state, boot: { id, atMs: state.atMs }, restart }
  // The former firmware keeps its sequence, and what it has not sent, in RAM.
  return spec.firmware === 'legacy' ? { ...started, sequenceNo: 0, unsent: [] } : started
}

/** What was counted since the last reading was in RAM only; its loss has a known bound. */
function withoutPower(spec: NodeSpec, state: NodeState, world: World): NodeState {
  const ratedMw = spec.channels.reduce((sum, channel) => sum + channel.ratedMw, 0)
  const lossBoundMwh = Math.ceil((ratedMw * world.periodMs) / 3_600_000)
  return {
    ...state,
    boot: null,
    counters: state.stored,
    lostMwh: state.lostMwh + totalMwh(state.counters) - totalMwh(state.stored),
    restart: { reason: 'power_on', lossBoundMwh },
  }
}

/**
 * A restart that the node itself decides on: it takes a last reading before, so that nothing is lost. It
 * comes up again as time passes.
 */
export function restarted(spec: NodeSpec, state: NodeState, world: World): NodeState {
  const isFresh = state.stored === state.counters
  const last = isFresh ? state : read(spec, state, world)
  return { ...last, boot: null, restart: { reason: 'software', lossBoundMwh: 0 } }
}

/** Takes a reading and writes it, with the counters it shows, to flash. */
function read(spec: NodeSpec, state: NodeState, world: World): NodeState {
  const boot = state.boot
  if (boot === null) return state
  const power = world.load.powerAt(state.atMs)
  const channels = state.counters.map(({ device_id, energyMwh, onMs }) => ({
    device_id,
    energyMwh,
    powerMw: power.get(device_id) ?? 0,
    onTimeS: Math.floor(onMs / 1000),
  }))
  const reading: Reading = {
    sequenceNo: state.sequenceNo + 1,
    bootId: boot.id,
    atMs: state.atMs,
    uptimeS: Math.floor((state.atMs - boot.atMs) / 1000),
    energyMwh: totalMwh(state.counters),
    powerMw: channels.reduce((sum, channel) => sum + channel.powerMw, 0),
    channels,
    ...(state.restart === null
      ? {}
      : { resetReason: state.restart.reason, lossBoundMwh: state.restart.lossBoundMwh }),
  }
  return kept(spec, {
    ...state,
    sequenceNo: reading.sequenceNo,
    stored: state.counters,
    restart: null,
    unsent: [...state.unsent, reading],
  })
}

/** The former firmware keeps the latest reading only; the current one tells what it had to drop. */
function kept(spec: NodeSpec, state: NodeState): NodeState {
  if (spec.firmware === 'legacy') return { ...state, unsent: state.unsent.slice(-1) }
  const tooMany = state.unsent.length - MAX_UNSENT
  if (tooMany <= 0) return state
  const dropped = state.unsent.slice(0, tooMany).map((reading) => reading.sequenceNo)
  const first = dropped[0] ?? 0
  const last = dropped.at(-1) ?? 0
  const open = state.gaps.at(-1)
  const gaps =
    open?.toSequenceNo === first - 1
      ? [...state.gaps.slice(0, -1), { ...open, toSequenceNo: last }]
      : [...state.gaps, { fromSequenceNo: first, toSequenceNo: last }]
  return { ...state, unsent: state.unsent.slice(tooMany), gaps }
}

/** Nodes read on a grid of their own, or a whole campus would publish in the same instant. */
function nextReadingAt(spec: NodeSpec, state: NodeState, world: World): number {
  const phase = chance(spec.esp32_name, 'phase') % world.periodMs
  return (Math.floor((state.atMs - phase) / world.periodMs) + 1) * world.periodMs + phase
}

function nextPowerChange(spec: NodeSpec, afterMs: number, toMs: number, world: World): number {
  const cuts = world.incidents
    .touching(spec.classroom, afterMs, toMs)
    .filter((incident) => incident.kind === 'power cut')
    .flatMap((cut) => [cut.fromMs, cut.toMs])
  return Math.min(...cuts.filter((at) => at > afterMs), Number.POSITIVE_INFINITY)
}

function happening(
  kind: 'power cut' | 'offline',
  spec: NodeSpec,
  atMs: number,
  world: World,
): boolean {
  return world.incidents
    .touching(spec.classroom, atMs, atMs)
    .some((it) => it.kind === kind && it.fromMs <= atMs && atMs < it.toMs)
}
