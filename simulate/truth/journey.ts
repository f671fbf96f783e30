import { dice } from './dice.ts'
import type { FaultPlan } from './faults.ts'
import type { Message } from './messages.ts'
import type { Observation } from './observation.ts'
import { payloadOf } from './wire.ts'

/** A message at the door of the cloud: when the broker received it, and when it is processed. */
export interface Arrival {
  readonly esp32Name: string
  readonly payload: string
  readonly receivedAtMs: number
  readonly dueMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** What becomes of the messages of one node on their way. Marks the observations that arrive. */
export function journeys(
  seed: number,
  name: string,
  faults: FaultPlan,
): (message: Message) => Arrival[] {
  const draw = dice(seed, name, 'journey')
  return (message) => {
    const { node, register, observations, sending, sentMs } = message
    // A node that publishes each reading on its own has twelve times the messages of another.
    const often = (permille: number) => draw.happens(node.live ? permille / 6 : permille)
    if (faults.strikes('lost', often(20))) return []
    const receivedAtMs = sentMs + draw.between(50, 2_000)
    const text = (some: readonly Observation[], toMs: number) =>
      payloadOf(node, register.deviceId, some, {
        ...sending,
        uptimeS: sending.uptimeS + Math.floor((toMs - receivedAtMs) / 1000),
      })
    const arrival = (payload: string, atMs: number, lateMs = 0): Arrival => ({
      esp32Name: node.name,
      payload,
      receivedAtMs: atMs,
      dueMs: atMs + lateMs,
    })
    const payload = text(observations, receivedAtMs)
    for (const observation of observations) observation.delivered = true
    let lateMs = 0
    if (faults.strikes('reordered', often(40))) lateMs = draw.between(5, 120) * MINUTE_MS
    else if (faults.strikes('delayed', often(12))) lateMs = draw.between(3, 72) * HOUR_MS
    const arrivals = [arrival(payload, receivedAtMs, lateMs)]
    const again = (most: number) => receivedAtMs + draw.between(5, most) * 1000
    if (faults.strikes('doubled', often(30)))
      arrivals.push(arrival(payload, receivedAtMs, draw.between(0, 26 * 60) * MINUTE_MS))
    if (faults.strikes('republished', often(20))) arrivals.push(arrival(payload, again(60)))
    // Only readings that name their place can be told apart from others in another message.
    if (observations[0]?.epoch == null) return arrivals
    if (observations.length > 2 && faults.strikes('overlapped', often(15))) {
      const atMs = again(90)
      arrivals.push(
        arrival(
          text(observations.slice(draw.between(1, Math.min(6, observations.length - 1))), atMs),
          atMs,
        ),
      )
    }
    if (faults.strikes('conflicting', often(5))) {
      const atMs = again(90)
      const claimed = draw.pick(observations)
      const other = { ...claimed, powerMw: claimed.powerMw + 1_000 }
      arrivals.push(arrival(text([other], atMs), atMs, draw.pick([0, 0, 90]) * MINUTE_MS))
    }
    return arrivals
  }
}
