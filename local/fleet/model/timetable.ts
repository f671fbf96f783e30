import { DateTime } from 'luxon'
import type { Channel, NodeSpec } from './campus.ts'
import { between, happens } from './chance.ts'
import type { Change, Load } from './load.ts'

/** A time in which a room is used, always within one local day. */
export interface Session {
  readonly classroom: string
  readonly kind: 'lecture' | 'evening class' | 'visit'
  readonly fromMs: number
  readonly toMs: number
  readonly projector: boolean
}

/** What happens in the rooms, by local day. */
export interface Timetable {
  /** The sessions of the local day that holds this instant, in order of time. */
  sessionsOn(classroom: string, atMs: number): readonly Session[]
  loadOf(spec: NodeSpec): Load
}

const MINUTE_MS = 60_000
/** Hours on which lectures begin; 13 is the lunch break. */
const LECTURE_HOURS = [8, 9, 10, 11, 12, 14, 15, 16]
const EVENING_HOURS = [17, 18, 19, 20]
/** Hours without classes, in which somebody may still come by. */
const VISIT_HOURS = [0, 1, 2, 3, 4, 5, 6, 7, 13, 21, 22]
const SUNDAY = 7
/** Days kept at hand: today's and, around midnight, yesterday's and tomorrow's. */
const KEPT_DAYS = 4

/** The weekly timetable a seed gives. Lectures repeat every week; visits belong to their date. */
export function makeTimetable(seed: number, zone: string): Timetable {
  const days = new Map<string, readonly Session[]>()
  const sessionsOn = (classroom: string, atMs: number) => {
    const day = DateTime.fromMillis(atMs, { zone }).startOf('day')
    const key = `${classroom} ${day.toISODate()}`
    let sessions = days.get(key)
    if (sessions === undefined) {
      sessions = sessionsOf(classroom, day, seed)
      days.set(key, sessions)
      if (days.size > KEPT_DAYS * 64) days.delete(days.keys().next().value ?? key)
    }
    return sessions
  }
  return { sessionsOn, loadOf: (spec) => loadOf(spec, sessionsOn, zone, seed) }
}

function sessionsOf(classroom: string, day: DateTime, seed: number): Session[] {
  const plan = (kind: Session['kind'], hour: number, permille: number, ...key: string[]) => {
    const name = [seed, classroom, kind, hour, ...key]
    if (!happens(permille, ...name)) return []
    const start = day.set({ hour }).toMillis() + between(0, 4, 'late', ...name) * MINUTE_MS
    const minutes = kind === 'visit' ? between(4, 12, 'long', ...name) : between(47, 54, ...name)
    const projector = kind !== 'visit' && happens(600, 'projector', ...name)
    return [{ classroom, kind, fromMs: start, toMs: start + minutes * MINUTE_MS, projector }]
  }
  const weekday = String(day.weekday)
  const date = day.toISODate() ?? ''
  const lectures = day.weekday === SUNDAY ? 0 : 700
  return [
    ...LECTURE_HOURS.flatMap((hour) => plan('lecture', hour, lectures, weekday)),
    ...EVENING_HOURS.flatMap((hour) => plan('evening class', hour, 450, weekday)),
    ...VISIT_HOURS.flatMap((hour) => plan('visit', hour, 300, date)),
  ].sort((a, b) => a.fromMs - b.fromMs)
}

function loadOf(
  spec: NodeSpec,
  sessionsOn: Timetable['sessionsOn'],
  zone: string,
  seed: number,
): Load {
  const changesOn = (atMs: number) =>
    sessionsOn(spec.classroom, atMs)
      .flatMap((session) => changesIn(session, spec, seed))
      .sort((a, b) => a.atMs - b.atMs)
  const always = new Map(
    spec.channels.filter((c) => c.appliance === 'always-on').map((c) => [c.device_id, c.ratedMw]),
  )
  return {
    powerAt: (atMs) => {
      const power = new Map(always)
      for (const c of changesOn(atMs)) if (c.atMs <= atMs) power.set(c.device_id, c.powerMw)
      return power
    },
    changes: (fromMs, toMs) => {
      const found: Change[] = []
      let day = DateTime.fromMillis(fromMs, { zone }).startOf('day')
      for (; day.toMillis() <= toMs; day = day.plus({ days: 1 }).startOf('day')) {
        for (const c of changesOn(day.toMillis())) {
          if (c.atMs > fromMs && c.atMs <= toMs) found.push(c)
        }
      }
      return found
    },
  }
}

function changesIn(session: Session, spec: NodeSpec, seed: number): Change[] {
  return spec.channels.flatMap((channel) => {
    const use = useOf(channel, session)
    if (use === undefined) return []
    // Appliances draw a little less than their plate says, another bit less each time.
    const share = between(930, 1000, seed, spec.esp32_name, channel.device_id, use.fromMs)
    const powerMw = Math.floor((channel.ratedMw * share) / 1000)
    return [
      { atMs: use.fromMs, device_id: channel.device_id, powerMw },
      { atMs: use.toMs, device_id: channel.device_id, powerMw: 0 },
    ]
  })
}

/** When in a session an appliance runs; undefined when it stays off. */
function useOf(channel: Channel, session: Session): { fromMs: number; toMs: number } | undefined {
  const { fromMs, toMs } = session
  switch (channel.appliance) {
    case 'always-on':
      return undefined
    case 'projector':
      return session.projector
        ? { fromMs: fromMs + 2 * MINUTE_MS, toMs: toMs - MINUTE_MS }
        : undefined
    case 'air-conditioner':
      return session.kind === 'visit' ? undefined : { fromMs, toMs }
    default:
      return { fromMs, toMs }
  }
}
