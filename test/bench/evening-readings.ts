/**
 * What nodes report on one evening, as the firmware writes it: every node with a load of its own that
 * swings and jitters, so that the figures pack as badly as real ones do.
 */

/** Midnight of the site before the evening. */
export const MIDNIGHT = Date.parse('2026-01-15T00:00:00+05:30')

export const nameOf = (node: number) => `bench-${String(node).padStart(3, '0')}`
const devices = ['ac-1', 'fan-1', 'fan-2', 'fan-3', 'light-1', 'light-2', 'light-3', 'projector']

/** A counter in Wh with a load that swings, and jitter: like real figures it packs badly. */
function counter(seed: number, meanW: number, second: number): number {
  const swing = (meanW / 10) * Math.sin(second / 1_200 + seed)
  const jitter = (meanW / 400) * (((second * 7_919 + seed * 104_729) % 997) / 997)
  return Math.round((meanW * (second / 3_600 + 1) + swing + jitter) * 1_000) / 1_000
}

/** A node's reading at a second of the day; without channels it tells the state of its one switch. */
function reading(node: number, second: number, channelCount: number): Record<string, unknown> {
  const powerW = 300 + 7 * node
  const share = (n: number) => counter(node + n, (powerW * (n + 1)) / 45, second)
  const channels = devices.slice(0, channelCount).map((device_id, n) => ({
    device_id,
    energy_wh_total: share(n),
    power_w: Math.round((powerW * (n + 1)) / 45) + (second % 9) / 10,
    on: true,
    on_time_s: second,
  }))
  return {
    sequence_no: second + 1,
    measured_at: MIDNIGHT + second * 1_000 + 3 * node,
    time_quality: 'ntp',
    uptime_seconds: 90_000 + second,
    energy_wh_total: counter(node, powerW, second),
    power_w: powerW + ((second * 31 + node) % 97) / 10,
    ...(channelCount > 0 ? { channels } : { switch_state: true }),
  }
}
const head = (node: number) => ({
  schema: 1,
  esp32_name: nameOf(node),
  counter_epoch: 2_900_000_000 + node,
  boot_id: `b00t${node}`,
})

/** A message of one reading. */
export const single = (node: number, second: number, channelCount: number) => ({
  ...head(node),
  ...reading(node, second, channelCount),
  firmware_ver: '2.0.0',
})

/** A message of several readings, sent at a second of the day. */
export const backlog = (
  node: number,
  seconds: readonly number[],
  sentS: number,
  channelCount: number,
  replayed = true,
) => ({
  ...head(node),
  sent_uptime_seconds: 90_000 + sentS,
  ...(replayed && { replayed }),
  readings: seconds.map((second) => reading(node, second, channelCount)),
})
