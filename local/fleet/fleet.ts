import { readCredentials, thingDirectory } from '../../cli/provisioning/files.ts'
import { fromEndpoints } from '../../cli/stack/local.ts'
import type { Stack } from '../../cli/stack/stack.ts'
import type { Endpoints } from '../runtime.ts'
import { makeAnnouncer } from './announcer.ts'
import { type Clock, machineClock } from './clock.ts'
import { type Driver, makeDriver } from './driver.ts'
import { CAMPUS, type NodeSpec } from './model/campus.ts'
import { chance } from './model/chance.ts'
import { type Incident, type Incidents, seededIncidents } from './model/incidents.ts'
import { totalMwh } from './model/meter.ts'
import { makeTimetable } from './model/timetable.ts'
import { narrator } from './narrator.ts'
import { openFlash } from './store.ts'

/** How the campus is played. */
export interface FleetOptions {
  /** Where it prints what the rooms are doing. */
  log(line: string): void
  /** Timetables and incidents follow from it. @default 7 */
  seed?: number
  /** Time between readings. @default 5 to 10 s, another for each node */
  periodMs?: number
  /** @default the campus of five rooms and nine nodes */
  nodes?: readonly NodeSpec[]
  clock?: Clock
  /** What goes wrong. @default what follows from the seed, and two incidents in the first minutes */
  incidents?: Incidents
  /** Which firmware does not prove itself on which node. @default a version that ends with `-faulty`, on all */
  isFaulty?: (esp32Name: string, version: string) => boolean
}

/** A running campus. */
export interface Fleet {
  /** Nodes say goodbye; ends within two seconds, whatever the broker does. */
  stop(): Promise<void>
  /** What the nodes' own counters say now. */
  summary(): FleetSummary
}

/** The truth the ledger can be held against. */
export interface FleetSummary {
  energyMwh: number
  nodes: {
    esp32_name: string
    classroom: string
    energyMwh: number
    /** Of its latest reading; the former firmware begins again at each start. */
    sequenceNo: number
    unsent: number
    firmwareVersion: string
    online: boolean
  }[]
}

const TICK_MS = 500
const STOP_WITHIN_MS = 1_500

/**
 * Starts the simulated campus on a running local stack. Nodes without a certificate are
 * provisioned first, the way the CLI does it; the others go on from their counters.
 */
export async function startFleet(
  stack: { readonly endpoints: Endpoints; readonly dataDir: string },
  options: FleetOptions,
): Promise<Fleet> {
  const { log, seed = 7, nodes = CAMPUS, clock = machineClock } = options
  const target = fromEndpoints(stack.endpoints, stack.dataDir)
  for (const spec of nodes) await provisionOnce(target, spec)
  const timetable = makeTimetable(seed, stack.endpoints.siteTimeZone)
  const incidents = options.incidents ?? seededIncidents(seed, opening(nodes, clock.now()))
  const flash = openFlash(stack.dataDir)
  const announcer = makeAnnouncer(log)
  const { openSession } = await import('../../cli/mqtt/session.ts')
  const drivers = nodes.map((spec) =>
    makeDriver(spec, {
      world: {
        seed,
        incidents,
        load: timetable.loadOf(spec),
        periodMs: options.periodMs ?? 5_000 + (chance(spec.esp32_name, 'period') % 6) * 1_000,
      },
      flash,
      now: clock.now,
      open: async ({ esp32_name }, will) => {
        const { host, port, ca } = await target.mqtt()
        const own = readCredentials(thingDirectory(stack.dataDir, esp32_name))
        const credentials = { ...own, caPem: ca }
        return openSession({ host, port, clientId: esp32_name, credentials, will })
      },
      isFaulty: (spec, version) =>
        options.isFaulty?.(spec.esp32_name, version) ?? version.endsWith('-faulty'),
      trouble: announcer.say,
    }),
  )
  const tell = narrator(drivers, timetable, incidents, announcer.say, clock.now())
  const rest = clock.every(TICK_MS, () => {
    for (const driver of drivers) driver.tick()
    tell(clock.now())
    announcer.tick(clock.now())
  })
  log(`${nodes.length} nodes in ${new Set(nodes.map((n) => n.classroom)).size} rooms are running`)
  return {
    stop: async () => {
      rest()
      await Promise.race([
        Promise.allSettled(drivers.map((driver) => driver.leave())),
        new Promise((done) => setTimeout(done, STOP_WITHIN_MS).unref()),
      ])
      for (const driver of drivers) driver.cut()
    },
    summary: () => summaryOf(drivers),
  }
}

/** A node whose three files are there was provisioned on an earlier start. */
async function provisionOnce(stack: Stack, spec: NodeSpec): Promise<void> {
  try {
    readCredentials(thingDirectory(stack.dataDir, spec.esp32_name))
    return
  } catch {
    const { provisionNode } = await import('../../cli/provisioning/provision.ts')
    await provisionNode(stack, {
      esp32Name: spec.esp32_name,
      classroom: spec.classroom,
      ratingMw: spec.channels.reduce((sum, channel) => sum + channel.ratedMw, 0),
      channels: spec.channels.map(({ device_id, ratedMw }) => ({ device_id, ratingMw: ratedMw })),
      effectiveFromMs: 0,
    })
  }
}

/** So that a person who has just started it sees both kinds of trouble within two minutes. */
function opening(nodes: readonly NodeSpec[], nowMs: number): Incident[] {
  const [first, second] = [...new Set(nodes.map((node) => node.classroom))]
  const trouble = (classroom: string, kind: Incident['kind'], afterS: number, forS: number) => {
    const fromMs = nowMs + afterS * 1000
    return { classroom, kind, fromMs, toMs: fromMs + forS * 1000 }
  }
  return [
    ...(first === undefined ? [] : [trouble(first, 'offline', 30, 60)]),
    ...(second === undefined ? [] : [trouble(second, 'power cut', 60, 40)]),
  ]
}

function summaryOf(drivers: readonly Driver[]): FleetSummary {
  const nodes = drivers.map(({ spec, state, isOnline }) => ({
    esp32_name: spec.esp32_name,
    classroom: spec.classroom,
    energyMwh: totalMwh(state.counters),
    sequenceNo: state.sequenceNo,
    unsent: state.unsent.length,
    firmwareVersion: state.firmwareVersion,
    online: isOnline,
  }))
  return { energyMwh: nodes.reduce((sum, node) => sum + node.energyMwh, 0), nodes }
}
