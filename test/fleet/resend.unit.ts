import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Reply } from '../../functions/contract/commands.ts'
import { TelemetryMessage } from '../../functions/contract/wire.ts'
import type { NodeSpec } from '../../local/fleet/model/campus.ts'
import { scriptedIncidents } from '../../local/fleet/model/incidents.ts'
import { scripted } from '../../local/fleet/model/load.ts'
import { advance, newNode, type Reading } from '../../local/fleet/model/node.ts'
import {
  obeyed,
  refusal,
  repeatBatch,
  replyMessage,
  type Wanted,
} from '../../local/fleet/model/resend.ts'
import { openFlash } from '../../local/fleet/store.ts'

const T0 = Date.parse('2026-01-15T03:30:00Z')
const spec: NodeSpec = {
  esp32_name: 'sim-a',
  classroom: 'A-1',
  firmware: 'current',
  mac: '02:00:00:00:00:01',
  channels: [{ device_id: 'light', appliance: 'light', ratedMw: 100_000 }],
}
const world = {
  seed: 7,
  load: scripted([]),
  incidents: scriptedIncidents([]),
  periodMs: 10_000,
}
/** Readings 1 to 60. */
const state = advance(spec, newNode(spec, T0, 7), T0 + 600_000, world)
const wanted = (changes: Partial<Wanted> = {}): Wanted => ({
  id: 'r1',
  expiresAtMs: T0 + 900_000,
  counterEpoch: state.counterEpoch,
  from: 3,
  to: 5,
  ...changes,
})
const readings = (...numbers: number[]) => numbers.map((n) => state.unsent[n - 1] as Reading)
const told = (from: number, to: number, held: readonly Reading[]) => {
  const batch = repeatBatch(spec, state, { from, to }, held)
  const message = TelemetryMessage.parse(JSON.parse(batch?.payload ?? 'null'))
  const { gaps, replayed } = message
  const sequences = message.readings?.map((it) => it.sequence_no)
  return { sequences, gaps, replayed, upTo: batch?.upToSequenceNo }
}

describe('a node that is asked for readings again', () => {
  it('refuses in the words of the firmware', () => {
    const reason = (changes: Partial<Wanted>, waiting = 0) =>
      refusal(state, wanted(changes), waiting, T0 + 600_000)
    expect(reason({})).toBeNull()
    expect(reason({ expiresAtMs: T0 + 600_000 })).toBe('expired')
    expect(reason({ counterEpoch: state.counterEpoch + 1 })).toBe('other_counter_epoch')
    expect(reason({ from: 61, to: 70 })).toBe('not_yet_measured')
    expect(reason({}, 4)).toBe('too_many_resends')
    expect(refusal(obeyed(state, 'r1'), wanted(), 0, T0)).toBe('repeated')
    let many = state
    for (let n = 0; n < 17; n++) many = obeyed(many, `r${n}`)
    expect(many.obeyed).toHaveLength(16)
    expect(refusal(many, wanted({ id: 'r0' }), 0, T0)).toBeNull()
  })

  it('tells them once more, and says what it no longer holds', () => {
    expect(told(3, 5, readings(3, 4, 5, 6))).toEqual({
      sequences: [3, 4, 5],
      gaps: undefined,
      replayed: true,
      upTo: 5,
    })
    const gap = (from: number, to: number) => [
      {
        from_sequence_no: from,
        to_sequence_no: to,
        counter_epoch: state.counterEpoch,
        reason: 'not_held',
      },
    ]
    expect(told(3, 8, readings(5, 6, 8))).toMatchObject({
      sequences: [5, 6],
      gaps: gap(3, 4),
      upTo: 6,
    })
    expect(told(3, 5, readings(9, 10))).toMatchObject({ sequences: [9], gaps: gap(3, 5), upTo: 5 })
    expect(repeatBatch(spec, state, { from: 3, to: 5 }, [])).toBeNull()
  })

  it('answers as the contract has it', () => {
    const reply = (id: string | null, reason: string | null) =>
      Reply.parse(JSON.parse(replyMessage(spec, state, T0, { id, reason }).payload))
    expect(reply('r1', null)).toMatchObject({ id: 'r1', command: 'resend', status: 'done' })
    expect(reply(null, 'expired')).toMatchObject({ id: null, status: 'refused', reason: 'expired' })
  })
})

describe('the journal of a node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'autovolt-flash-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('keeps what was acknowledged, by epoch, and the later of two of one number', () => {
    const flash = openFlash(folder)
    flash.append('sim-a', 7, readings(1, 2, 3))
    flash.append('sim-a', 8, readings(1))
    const other = { ...(readings(2)[0] as Reading), energyMwh: 99 }
    flash.append('sim-a', 7, [other])
    const again = openFlash(folder)
    expect(again.held('sim-a', 7, 2, 9)).toEqual([other, ...readings(3)])
    expect(again.held('sim-a', 7, 1, 1)).toEqual(readings(1))
    expect(again.held('sim-b', 7, 1, 9)).toEqual([])
  })

  it('loses its oldest half when it is full', () => {
    const flash = openFlash(folder, 8)
    const [one] = readings(1)
    const of = (sequenceNo: number) => ({ ...(one as Reading), sequenceNo })
    const many = (from: number) => Array.from({ length: 4 }, (_, at) => of(from + at))
    for (let from = 1; from <= 20; from += 4) flash.append('sim-c', 7, many(from))
    expect(flash.held('sim-c', 7, 1, 1)).toEqual([of(9)])
    expect(flash.held('sim-c', 7, 20, 9)).toEqual([of(20)])
  })
})
