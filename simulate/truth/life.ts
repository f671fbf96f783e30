import { namesEpochs, registersOf, type VirtualNode } from './campus.ts'
import { nodeClock } from './clock.ts'
import { type Dice, dice } from './dice.ts'
import type { FaultPlan } from './faults.ts'
import { type Checkpoint, metersOf } from './meters.ts'
import type { Observation } from './observation.ts'

export const PERIOD_MS = 300_000
const HOUR_MS = 3_600_000
/** Readings a lost checkpoint may be older than the last one. */
const CHECKPOINTS = 24
const GLITCH_MWH = 1_000_000_000
/** A counter that has shown less than this may be taken for one that began at a glitch's zero. */
const GLITCH_FROM_MWH = 20_000

/** What happens to a node at an instant: it takes a reading of all its registers, or it starts. */
export interface Moment {
  readonly atMs: number
  readonly bootId: string
  readonly bootAtMs: number
  readonly observations: readonly Observation[]
  /** The node has started since the moment before. */
  readonly started: boolean
}

/** The life of a node: its readings, every five minutes as long as it has power, in order. */
export function* lifeOf(
  seed: number,
  node: VirtualNode,
  fromMs: number,
  toMs: number,
  faults: FaultPlan,
): Generator<Moment> {
  const draw = dice(seed, node.name, 'life')
  const meters = metersOf(seed, node)
  const clock = nodeClock(dice(seed, node.name, 'clock'), faults, hasOrder(node))
  const registers = registersOf(node)
  const phaseMs = draw.between(0, PERIOD_MS / 1000 - 1) * 1000
  const checkpoints: Checkpoint[] = [meters.checkpoint()]
  const at = { epoch: epochDrawn(draw), seq: 0, life: 0, zero: 0, readings: 0, glitches: 0 }
  let glitch: 'zero' | 'high' | null = null
  let boot = { id: bootDrawn(draw), atMs: fromMs }
  let sinceMs = fromMs
  let started = true
  let cut = nextCut(draw, fromMs)
  for (let dueMs = fromMs + phaseMs; dueMs < toMs; dueMs += PERIOD_MS) {
    if (dueMs >= cut.fromMs) {
      const how = outcomeOf(draw, node, faults)
      if (how !== null) {
        meters.pass(sinceMs, cut.fromMs)
        sinceMs = cut.toMs
        while (dueMs <= cut.toMs) dueMs += PERIOD_MS
        boot = { id: bootDrawn(draw), atMs: cut.toMs }
        clock.start(cut.toMs)
        started = true
        at.life += 1
        at.readings = 0
        at.glitches = 0
        if (node.kind === 'legacy') at.seq = 0
        if (how === 'nvs_wiped') {
          meters.zero()
          at.epoch = epochDrawn(draw)
          at.seq = 0
          at.zero += 1
          checkpoints.splice(0)
        } else if (node.kind !== 'metered') {
          const back = how === 'checkpoint_lost' ? draw.between(2, CHECKPOINTS) : 1
          checkpoints.splice(Math.max(1, checkpoints.length - back + 1))
          meters.restore(checkpoints.at(-1) ?? [])
        }
      }
      cut = nextCut(draw, Math.max(dueMs, cut.toMs))
      if (dueMs >= toMs) return
    }
    meters.pass(sinceMs, dueMs)
    sinceMs = dueMs
    at.seq += 1
    at.readings += 1
    checkpoints.push(meters.checkpoint())
    if (checkpoints.length > CHECKPOINTS) checkpoints.shift()
    if (at.glitches === 0) {
      glitch = glitchDrawn(draw, node, faults, at.readings)
      if (glitch !== null) at.glitches = draw.pick([1, 1, 1, 2, 3])
    }
    const shows = at.glitches > 0 ? glitch : null
    if (at.glitches > 0) {
      at.glitches -= 1
      // Two glitches side by side would be more odd readings than anybody can tell from a real change.
      at.readings = 0
    }
    const claimedMs = clock.read(dueMs)
    const observations = registers.map((register): Observation => {
      const channels = meters.show(register.channels, dueMs)
      const countedMwh = channels.reduce((sum, channel) => sum + channel.energyMwh, 0)
      const shown = shownMwh(node, countedMwh, shows)
      return {
        register: register.key,
        epoch: namesEpochs(node) ? at.epoch : null,
        seq: node.kind === 'metered' ? null : at.seq,
        bootId: boot.id,
        uptimeS: Math.floor((dueMs - boot.atMs) / 1000),
        claimedMs,
        shownMwh: shown.energyMwh,
        powerMw: channels.reduce((sum, channel) => sum + channel.powerMw, 0),
        channels,
        truth: {
          atMs: dueMs,
          usedMwh: meters.usedMwh(register.channels),
          life: at.life,
          zero: at.zero,
          glitch: shown.glitch,
        },
        delivered: false,
      }
    })
    yield { atMs: dueMs, bootId: boot.id, bootAtMs: boot.atMs, observations, started }
    started = false
  }
}

/** The order of readings is known from the node itself, and energy does not hang on the time. */
function hasOrder(node: VirtualNode): boolean {
  return node.kind === 'current' || node.kind === 'split'
}

function nextCut(draw: Dice, afterMs: number): { fromMs: number; toMs: number } {
  const fromMs = afterMs + 2 * HOUR_MS + draw.between(0, 40 * 3_600) * 1000
  return { fromMs, toMs: fromMs + draw.between(150, 2_400) * 1000 }
}

function outcomeOf(
  draw: Dice,
  node: VirtualNode,
  faults: FaultPlan,
): 'power_cut' | 'checkpoint_lost' | 'nvs_wiped' | null {
  const drawn = draw.between(0, 9)
  // A meter's counter is its own; what its node forgets does not touch it.
  const keeps = node.kind === 'metered' || node.kind === 'power-only'
  if (!keeps && faults.strikes('nvs_wiped', drawn <= 1)) return 'nvs_wiped'
  if (!keeps && faults.strikes('checkpoint_lost', drawn === 2 || drawn === 3))
    return 'checkpoint_lost'
  return faults.strikes('power_cut', true) ? 'power_cut' : null
}

/**
 * A glitch never falls on the first hour after a start: a counter of zero, or one that rises at
 * once, says there just what a real reset or a real load would say.
 */
function glitchDrawn(
  draw: Dice,
  node: VirtualNode,
  faults: FaultPlan,
  readings: number,
): 'zero' | 'high' | null {
  const drawn = draw.between(0, 999)
  if (readings < 13 || node.kind === 'power-only') return null
  if (faults.strikes('glitch_zero', drawn === 0)) return 'zero'
  return faults.strikes('glitch_high', drawn === 1) ? 'high' : null
}

function shownMwh(
  node: VirtualNode,
  countedMwh: number,
  glitch: 'zero' | 'high' | null,
): { energyMwh: number | null; glitch: boolean } {
  if (node.kind === 'power-only') return { energyMwh: null, glitch: false }
  const max = node.meterMaxMwh
  const total = node.startMwh + countedMwh
  const value = max === null ? total : total % max
  const seen = value - (value % node.resolutionMwh)
  const far = seen > GLITCH_FROM_MWH && (max === null || seen < max - GLITCH_FROM_MWH)
  if (glitch === null || !far) return { energyMwh: seen, glitch: false }
  if (glitch === 'zero') return { energyMwh: 0, glitch: true }
  return { energyMwh: max === null ? seen + GLITCH_MWH : (seen + max / 2) % max, glitch: true }
}

const epochDrawn = (draw: Dice) => draw.between(1, 0xffff_fffe)
const bootDrawn = (draw: Dice) => draw.between(0, 0xffff_ffff).toString(16).padStart(8, '0')
