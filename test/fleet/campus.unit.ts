import { DateTime } from 'luxon'
import { describe, expect, it } from 'vitest'
import { makeAnnouncer } from '../../local/fleet/announcer.ts'
import { CAMPUS } from '../../local/fleet/model/campus.ts'
import { seededIncidents } from '../../local/fleet/model/incidents.ts'
import { advance, newNode } from '../../local/fleet/model/node.ts'
import { makeTimetable } from '../../local/fleet/model/timetable.ts'

const ZONE = 'Asia/Kolkata'
const MONDAY = DateTime.fromISO('2026-01-12', { zone: ZONE })
const at = (time: string) => DateTime.fromISO(`2026-01-12T${time}`, { zone: ZONE }).toMillis()

describe('the campus', () => {
  it('has several rooms and nodes, one of them with the former firmware', () => {
    expect(new Set(CAMPUS.map((spec) => spec.classroom)).size).toBe(5)
    expect(new Set(CAMPUS.map((spec) => spec.esp32_name)).size).toBe(9)
    expect(CAMPUS.filter((spec) => spec.firmware === 'legacy')).toHaveLength(1)
  })

  it('repeats its lectures every week, and differs by seed', () => {
    const shape = (seed: number, week: number) =>
      CAMPUS.flatMap((spec) => {
        const day = MONDAY.plus({ weeks: week }).toMillis()
        return makeTimetable(seed, ZONE)
          .sessionsOn(spec.classroom, day)
          .filter((session) => session.kind === 'lecture')
          .map((session) => [session.classroom, session.fromMs - day, session.toMs - day])
      })
    expect(shape(7, 1)).toEqual(shape(7, 0))
    expect(shape(8, 0)).not.toEqual(shape(7, 0))
    expect(shape(7, 0).length).toBeGreaterThan(15)
  })

  it('is alive at any hour: some room is in use, and no two sessions of a room overlap', () => {
    const timetable = makeTimetable(7, ZONE)
    const rooms = [...new Set(CAMPUS.map((spec) => spec.classroom))]
    for (let hour = 0; hour < 24; hour += 1) {
      const sessions = rooms.flatMap((room) => timetable.sessionsOn(room, at('00:00')))
      const from = at(`${String(hour).padStart(2, '0')}:00`)
      expect(sessions.some((s) => s.fromMs >= from && s.fromMs < from + 3_600_000)).toBe(true)
    }
    for (const room of rooms) {
      const sessions = timetable.sessionsOn(room, at('00:00'))
      for (const [n, session] of sessions.entries()) {
        expect(sessions[n + 1]?.fromMs ?? Number.POSITIVE_INFINITY).toBeGreaterThan(session.toMs)
      }
    }
  })

  it('says the same power whether asked at once or change by change', () => {
    const timetable = makeTimetable(7, ZONE)
    for (const spec of CAMPUS) {
      const load = timetable.loadOf(spec)
      const power = new Map(load.powerAt(at('00:00')))
      for (const change of load.changes(at('00:00'), at('23:59'))) {
        power.set(change.device_id, change.powerMw)
        expect(load.powerAt(change.atMs).get(change.device_id)).toBe(change.powerMw)
      }
      expect(Object.fromEntries(load.powerAt(at('23:59')))).toEqual(Object.fromEntries(power))
    }
  })

  it('runs a day in virtual time, the same one each time', () => {
    const run = () => {
      const timetable = makeTimetable(7, ZONE)
      const incidents = seededIncidents(7)
      return CAMPUS.map((spec) => {
        const world = { seed: 7, load: timetable.loadOf(spec), incidents, periodMs: 30_000 }
        return advance(spec, newNode(spec, at('00:00'), 7), at('23:59'), world)
      })
    }
    const states = run()
    expect(run()).toEqual(states)
    const rack = states[4]?.counters.find((counter) => counter.device_id === 'rack')
    // 138 W for almost 24 h, less the cuts of the day.
    expect(rack?.energyMwh).toBeGreaterThan(3_000_000)
    expect(rack?.energyMwh).toBeLessThan(3_310_000)
  })

  it('has incidents of both kinds, within their windows and apart from given ones', () => {
    const given = {
      classroom: 'B2-101',
      kind: 'offline',
      fromMs: at('09:00'),
      toMs: at('21:00'),
    } as const
    const all = seededIncidents(7, [given]).touching('B2-101', at('00:00'), at('23:59'))
    expect(new Set(all.map((incident) => incident.kind))).toEqual(new Set(['offline', 'power cut']))
    for (const [n, incident] of all.entries()) {
      expect(incident.toMs).toBeGreaterThan(incident.fromMs)
      expect(all[n + 1]?.fromMs ?? Number.POSITIVE_INFINITY).toBeGreaterThan(incident.toMs)
    }
  })
})

describe('the announcer', () => {
  it('puts what comes together on one line, and is quiet in between', () => {
    const lines: string[] = []
    const announcer = makeAnnouncer((line) => lines.push(line))
    for (const line of ['a', 'b', 'a', 'c', 'd']) announcer.say(line)
    announcer.tick(1_000)
    announcer.tick(3_000)
    expect(lines).toEqual(['a · b · c'])
    announcer.tick(5_000)
    announcer.tick(20_000)
    expect(lines).toEqual(['a · b · c', 'd'])
  })
})
