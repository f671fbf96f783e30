import type { VirtualNode } from './campus.ts'
import type { Observation } from './observation.ts'

/** The state of a node when it sends. */
export interface Sending {
  readonly bootId: string
  readonly uptimeS: number
  /** Out of a backlog. */
  readonly replayed: boolean
}

/** A telemetry message of one register, as the node's firmware writes it. */
export function payloadOf(
  node: VirtualNode,
  deviceId: string | null,
  observations: readonly Observation[],
  sending: Sending,
): string {
  if (node.kind === 'legacy') return JSON.stringify(legacy(node, observations[0] as Observation))
  const readings = observations.map((observation) => fields(node, observation))
  const isOfBefore = node.live && observations[0]?.bootId !== sending.bootId
  const shared = {
    schema: 1,
    esp32_name: node.name,
    ...(deviceId === null ? {} : { device_id: deviceId }),
    boot_id: sending.bootId,
    // A message of one reading has one boot; the uptime of another one would say something wrong.
    ...(isOfBefore ? {} : { sent_uptime_seconds: sending.uptimeS }),
    ...(sending.replayed ? { replayed: true } : {}),
  }
  const [only] = readings
  return JSON.stringify(node.live ? { ...shared, ...only } : { ...shared, readings })
}

function fields(node: VirtualNode, it: Observation) {
  return {
    ...(it.epoch === null ? {} : { counter_epoch: it.epoch }),
    ...(it.seq === null ? {} : { sequence_no: it.seq }),
    boot_id: it.bootId,
    uptime_seconds: it.uptimeS,
    measured_at: it.claimedMs,
    ...(it.shownMwh === null ? {} : { energy_wh_total: it.shownMwh / 1000 }),
    power_w: it.powerMw / 1000,
    ...(node.kind === 'current' ? { channels: it.channels.map(channelFields) } : {}),
    ...(node.kind === 'split' ? { switch_state: it.powerMw > 0 } : {}),
  }
}

function channelFields(channel: Observation['channels'][number]) {
  return {
    device_id: channel.deviceId,
    energy_wh_total: channel.energyMwh / 1000,
    power_w: channel.powerMw / 1000,
    on: channel.powerMw > 0,
    on_time_s: channel.onTimeS,
  }
}

/** The former firmware: whole Wh, epoch seconds, and nothing that says which counter or boot it is. */
function legacy(node: VirtualNode, it: Observation) {
  return {
    esp32_name: node.name,
    classroom: node.classroom,
    // Before its clock is set it sends the time since its start.
    timestamp: it.claimedMs === null ? it.uptimeS : Math.floor(it.claimedMs / 1000),
    energy_wh_total: (it.shownMwh ?? 0) / 1000,
    power_w: Math.round(it.powerMw / 1000),
    switch_state: Object.fromEntries(it.channels.map((c) => [c.deviceId, c.powerMw > 0])),
    sequence_no: it.seq,
    uptime_seconds: it.uptimeS,
  }
}
