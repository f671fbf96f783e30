import { chance } from './chance.ts'

/** What hangs on a relay; it decides when the relay is on. */
export type Appliance = 'light' | 'fan' | 'projector' | 'air-conditioner' | 'always-on'

/** One relay of a node. */
export interface Channel {
  readonly device_id: string
  readonly appliance: Appliance
  readonly ratedMw: number
}

/** One simulated node. `legacy` firmware has no epoch, no boot id, no backlog and whole Wh. */
export interface NodeSpec {
  readonly esp32_name: string
  readonly classroom: string
  readonly firmware: 'current' | 'legacy'
  readonly mac: string
  readonly channels: readonly Channel[]
}

const W = 1000

function node(
  classroom: string,
  suffix: string,
  channels: readonly Channel[],
  firmware: NodeSpec['firmware'] = 'current',
): NodeSpec {
  const esp32_name = `sim-${classroom.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${suffix}`
  return { esp32_name, classroom, firmware, mac: macOf(esp32_name), channels }
}

function channel(device_id: string, appliance: Appliance, watts: number): Channel {
  return { device_id, appliance, ratedMw: watts * W }
}

/** A locally administered address, so that it can be no real node's. */
function macOf(name: string): string {
  const digits = chance('mac', name).toString(16).padStart(8, '0').toUpperCase()
  return ['02', '00', ...(digits.match(/../g) ?? [])].join(':')
}

/** The campus that `npm start` shows: five rooms, nine nodes, one of them with the former firmware. */
export const CAMPUS: readonly NodeSpec[] = [
  node('B2-101', 'lights', [
    channel('light-1', 'light', 72),
    channel('light-2', 'light', 72),
    channel('projector', 'projector', 285),
  ]),
  node('B2-101', 'fans', [
    channel('fan-1', 'fan', 75),
    channel('fan-2', 'fan', 75),
    channel('fan-3', 'fan', 75),
  ]),
  node('B2-204', 'lights', [
    channel('light-1', 'light', 108),
    channel('projector', 'projector', 310),
  ]),
  node('B2-204', 'fans', [channel('fan-1', 'fan', 75), channel('fan-2', 'fan', 75)]),
  node('IOT_Lab', 'benches', [
    channel('light-1', 'light', 144),
    channel('fan-1', 'fan', 75),
    channel('rack', 'always-on', 138),
  ]),
  node('IOT_Lab', 'old', [channel('light-9', 'light', 96), channel('fan-9', 'fan', 80)], 'legacy'),
  node('Seminar Hall', 'stage', [
    channel('light-1', 'light', 240),
    channel('projector', 'projector', 420),
  ]),
  node('Seminar Hall', 'air', [channel('ac-1', 'air-conditioner', 1800)]),
  node('Library', 'lights', [
    channel('light-1', 'light', 180),
    channel('light-2', 'light', 180),
    channel('entrance', 'always-on', 24),
  ]),
]

/** Rooms without lectures, open day and night. */
export const READING_ROOMS: ReadonlySet<string> = new Set(['Library'])
