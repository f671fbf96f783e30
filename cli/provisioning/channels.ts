import { DeviceId } from '../../functions/contract/names.ts'
import { usage } from '../failure.ts'
import { option, PositiveThousandths } from '../quantity.ts'
import type { Channel } from './registry.ts'

/** Channels as people write them, `fan-1:75`. Throws a usage Failure that names `field`. */
export function parseChannels(field: string, given: readonly string[]): Channel[] {
  const channels = given.map((text) => {
    // The id may hold colons itself, so the last one separates.
    const at = text.lastIndexOf(':')
    if (at < 0) throw usage(`${field} must be <id>:<watts> (is "${text}")`)
    return {
      device_id: option(`${field} id`, DeviceId, text.slice(0, at)),
      ratingMw: option(`${field} watts`, PositiveThousandths, text.slice(at + 1)),
    }
  })
  const twice = channels.find(
    (a, at) => channels.findIndex((b) => b.device_id === a.device_id) < at,
  )
  if (twice) throw usage(`${field}: "${twice.device_id}" is named twice`)
  return channels
}
