import { DateTime } from 'luxon'
import { type Channel, type NodeSpec, READING_ROOMS } from './campus.ts'
import { between, happens } from './chance.ts'
import type { Change, Load } from './load.ts'
import { remembered } from './remembered.ts'

/** A time in which a room is used, always within one local day. */
export interface Session {
  readonly classroom: string
  readonly kind: 'lecture' | 'evening class' | 'study group' | 'visit'
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
/** Reading rooms never close, so that the campus is alive whenever somebody looks at it. */
const ALL_HOURS = Array.from({ length: 24 }, (_, hour) => hour)
const STUDY_HOURS = [0, 1, 2, 3, 4, 5, 6, 7, 21, 22, 23]
/** The lunch break, in which somebody may come by for a few minutes. */
const VISIT_HOURS = [13]
const SUNDAY = 7

/** The weekly timetable a seed gives. Lectures repeat every week; visits belong to their date. */
export function makeTimetable(seed: number, zone: string): Timetable {
  const dayOf = makeDayOf(zone)
  const sessionsOf = remembered(
    (classroom: string, day: Day) => planned(classroom, day.start, seed),
    (classroom, day) => `${day.startMs} ${classroom}`,
  )
  const sessionsOn = (classroom: string, atMs: number) => sessionsOf(classroom, dayOf(atMs))
  return { sessionsOn, loadOf: (spec) => loadOf(spec, dayOf, sessionsOf, seed) }
}

interface Day {
  readonly start: DateTime
  readonly startMs: number
  readonly endMs: number
}

/** The local day an instant is in; asked again and again about the same one. */
function makeDayOf(zone: string): (atMs: number) => Day {
  let latest: Day | undefined
  return (atMs) => {
    if (latest !== undefined && latest.startMs <= atMs && atMs < latest.endMs) return latest
    const start = DateTime.fromMillis(atMs, { zone }).startOf('day')
    const endMs = start.plus({ days: 1 }).startOf('day').toMillis()
    latest = { start, startMs: start.toMillis(), endMs }
    return latest
  }
}

function planned(classroom: string, day: DateTime, seed: number): Session[] {
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
  if (READING_ROOMS.has(classroom)) {
    return ALL_HOURS.flatMap((hour) => plan('study group', hour, 1000, date))
  }
  const lectures = day.weekday === SUNDAY ? 0 : 700
  return [
    ...LECTURE_HOURS.flatMap((hour) => plan('lecture', hour, lectures, weekday)),
    ...EVENING_HOURS.flatMap((hour) => plan('evening class', hour, 450, weekday)),
    ...STUDY_HOURS.flatMap((hour) => plan('study group', hour, 400, date)),
    ...VISIT_HOURS.flatMap((hour) => plan('visit', hour, 300, date)),
  ].sort((a, b) => a.fromMs - b.fromMs)
}

function loadOf(
  spec: NodeSpec,
  dayOf: (atMs: number) => Day,
  sessionsOf: (classroom: string, day: Day) => readonly Session[],
  seed: number,
): Load {
  const changesOf = remembered(
    (day: Day) =>
      sessionsOf(spec.classroom, day)
        .flatMap((session) => changesIn(session, spec, seed))
        .sort((a, b) => a.atMs - b.atMs),
    (day) => String(day.startMs),
  )
  const always = spec.channels
    .filter((channel) => channel.appliance === 'always-on')
    .map((channel) => [channel.device_id, channel.ratedMw] as const)
  return {
    powerAt: (atMs) => {
      const power = new Map(always)
      for (const change of changesOf(dayOf(atMs))) {
        if (change.atMs > atMs) break
        power.set(change.device_id, change.powerMw)
      }
      return power
    },
    changes: (fromMs, toMs) => {
      const found: Change[] = []
      for (let day = dayOf(fromMs); ; day = dayOf(day.endMs)) {
        for (const change of changesOf(day)) {
          if (change.atMs > toMs) break
          if (change.atMs > fromMs) found.push(change)
        }
        if (day.endMs > toMs) return found
      }
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
