import { namesEpochs, type Register, registersOf, type VirtualNode } from './campus.ts'
import { dice } from './dice.ts'
import type { FaultPlan } from './faults.ts'
import type { Moment } from './life.ts'
import type { Observation } from './observation.ts'
import type { Sending } from './wire.ts'

/** A message of one register as the node publishes it. */
export interface Message {
  readonly node: VirtualNode
  readonly register: Register
  readonly observations: readonly Observation[]
  readonly sending: Sending
  readonly sentMs: number
}

const HOUR_MS = 3_600_000
/** Readings in an hourly message, and in one of a backlog. */
const HOURLY = 12
const BACKLOG = 25

/** The messages of a node's life: hourly, or reading by reading; after an offline spell its backlog. */
export function* messagesOf(
  seed: number,
  node: VirtualNode,
  life: Iterable<Moment>,
  faults: FaultPlan,
): Generator<Message> {
  const draw = dice(seed, node.name, 'messages')
  const registers = registersOf(node)
  const keeps = node.kind !== 'legacy'
  let kept: Moment[] = []
  let offlineToMs = 0
  let lastMs = 0
  for (const moment of life) {
    const untimed = moment.started && kept.some((it) => !isTimed(it))
    // Without a time and without an order, what was read before a start has no place any more.
    if (untimed && !(namesEpochs(node) && faults.strikes('clock_lost', true))) {
      kept = kept.filter(isTimed)
    }
    kept.push(moment)
    lastMs = moment.atMs
    if (kept.length < (node.live ? 1 : HOURLY) || moment.atMs < offlineToMs) continue
    const offline = draw.happens(node.live ? 1 : 8)
    if (keeps && moment.atMs > offlineToMs + HOUR_MS && faults.strikes('backlog', offline)) {
      offlineToMs = moment.atMs + draw.between(3, 40) * HOUR_MS
      continue
    }
    yield* flushed(moment)
  }
  const last = kept.at(-1)
  if (last !== undefined && lastMs >= offlineToMs) yield* flushed(last)

  function* flushed(now: Moment): Generator<Message> {
    const replayed = kept.length > HOURLY
    const size = node.live ? 1 : replayed ? BACKLOG : HOURLY
    const sentMs = now.atMs + draw.between(1, 20) * 1000
    const uptimeS = Math.floor((sentMs - now.bootAtMs) / 1000)
    for (let from = 0; from < kept.length; from += size) {
      const part = kept.slice(from, from + size)
      for (const [index, register] of registers.entries()) {
        const observations = part.map((m) => m.observations[index] as Observation)
        const sending = { bootId: now.bootId, uptimeS, replayed }
        yield { node, register, observations, sending, sentMs: sentMs + from * 40 }
      }
    }
    kept = []
  }
}

function isTimed(moment: Moment): boolean {
  return moment.observations.every((observation) => observation.claimedMs !== null)
}
