import type { Driver } from './driver.ts'
import type { Incidents } from './model/incidents.ts'
import type { Session, Timetable } from './model/timetable.ts'

/** A backlog this short is nothing to tell. */
const WORTH_TELLING = 5

/** Gives the function that tells, at each call, what began or ended in the rooms since the last. */
export function narrator(
  drivers: readonly Driver[],
  timetable: Timetable,
  incidents: Incidents,
  say: (line: string) => void,
  startMs: number,
): (nowMs: number) => void {
  const classrooms = [...new Set(drivers.map((driver) => driver.spec.classroom))]
  const backlogs = new Map<string, number>()
  let toldMs = startMs
  for (const room of classrooms) {
    const now = timetable.sessionsOn(room, startMs).find((s) => isIn(startMs, s))
    if (now !== undefined) say(`${room}: ${now.kind} going on`)
  }
  return (nowMs) => {
    const isNew = (atMs: number) => atMs > toldMs && atMs <= nowMs
    for (const room of classrooms) {
      for (const session of timetable.sessionsOn(room, nowMs)) {
        if (isNew(session.fromMs)) say(`${room}: ${begins(session)}`)
        if (isNew(session.toMs)) say(`${room}: ${session.kind} over, all off`)
      }
      for (const { kind, fromMs, toMs } of incidents.touching(room, toldMs, nowMs)) {
        if (isNew(fromMs)) say(`${room}: ${kind}, ${Math.round((toMs - fromMs) / 1000)} s`)
        if (isNew(toMs)) say(`${room}: ${kind === 'offline' ? 'online' : 'power'} again`)
      }
    }
    toldMs = nowMs
    for (const { spec, state, isOnline } of drivers)
      tellBacklog(spec.esp32_name, state.unsent.length, isOnline)
  }

  function tellBacklog(name: string, unsent: number, isOnline: boolean): void {
    const before = backlogs.get(name) ?? 0
    if (!isOnline) backlogs.set(name, unsent)
    else if (unsent === 0 && before > 0) {
      backlogs.set(name, 0)
      if (before >= WORTH_TELLING) say(`${name}: ${before} readings of the backlog told`)
    }
  }
}

function begins(session: Session): string {
  if (session.kind === 'visit') return 'somebody comes in, lights on'
  return `${session.kind} begins${session.projector ? ', projector on in 2 min' : ''}`
}

function isIn(atMs: number, session: Session): boolean {
  return session.fromMs <= atMs && atMs < session.toMs
}
