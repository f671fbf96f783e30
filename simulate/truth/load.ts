import { between, chance, happens } from '../../local/fleet/model/chance.ts'
import type { Channel, VirtualNode } from './campus.ts'

const HOUR_MS = 3_600_000
/** Half past five: where the rooms are, hours of the day begin then. */
const ZONE_MS = 19_800_000

/** In each hour a channel is on once at most, with one power. */
interface Hour {
  readonly onMs: number
  readonly offMs: number
  readonly powerMw: number
}

/** What one channel draws over time. */
export interface Load {
  /** Energy from one instant to another, in mW·ms, and the time it was on. Exact. */
  drawn(fromMs: number, toMs: number): { mwMs: number; onMs: number }
  powerAt(atMs: number): number
}

/** The load of a channel as a seed gives it. */
export function loadOf(seed: number, node: VirtualNode, channel: Channel): Load {
  const hour = (n: number) => hourOf(channel, n, [seed, node.name, channel.deviceId, n])
  let known = { n: -1, hour: hour(-1) }
  const at = (n: number) => {
    if (known.n !== n) known = { n, hour: hour(n) }
    return known.hour
  }
  return {
    drawn(fromMs, toMs) {
      const sum = { mwMs: 0, onMs: 0 }
      for (let n = Math.floor(fromMs / HOUR_MS); n * HOUR_MS < toMs; n++) {
        const { onMs, offMs, powerMw } = at(n)
        const begin = Math.max(fromMs, n * HOUR_MS + onMs)
        const end = Math.min(toMs, n * HOUR_MS + offMs)
        if (end <= begin) continue
        sum.mwMs += (end - begin) * powerMw
        sum.onMs += end - begin
      }
      return sum
    },
    powerAt(atMs) {
      const { onMs, offMs, powerMw } = at(Math.floor(atMs / HOUR_MS))
      const offset = atMs % HOUR_MS
      return offset >= onMs && offset < offMs ? powerMw : 0
    },
  }
}

function hourOf(channel: Channel, n: number, name: readonly (string | number)[]): Hour {
  const { use, ratedMw } = channel
  const powerMw = Math.floor((ratedMw * between(80, 100, ...name, 'power')) / 100)
  if (use === 'base') return { onMs: 0, offMs: HOUR_MS, powerMw }
  const local = Math.floor((n * HOUR_MS + ZONE_MS) / HOUR_MS) % 24
  const isBusy = local >= 8 && local < 19
  if (!happens(isBusy ? 800 : 100, ...name, 'used')) return { onMs: 0, offMs: 0, powerMw: 0 }
  if (use === 'steep') {
    const onMs = between(0, 3_400, ...name, 'on') * 1_000
    return { onMs, offMs: onMs + between(30, 200, ...name, 'for') * 1_000, powerMw }
  }
  const edge = between(0, 3_600, ...name, 'edge') * 1_000
  const shape = chance(...name, 'shape') % 4
  if (shape === 0) return { onMs: edge, offMs: HOUR_MS, powerMw }
  if (shape === 1) return { onMs: 0, offMs: edge, powerMw }
  return { onMs: 0, offMs: HOUR_MS, powerMw }
}
