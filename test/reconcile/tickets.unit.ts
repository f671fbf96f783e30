import { describe, expect, it } from 'vitest'
import { type Ticket, ticketId } from '../../functions/adapters/tickets.ts'
import type { Finding } from '../../functions/domain/checks/finding.ts'
import { ticketAnswer } from '../../functions/operate/answers.ts'
import { changed } from '../../functions/operate/change-ticket.ts'
import { type Settling, settled } from '../../functions/reconcile/tickets.ts'

const finding = (changes: Partial<Finding> = {}): Finding => ({
  rule: 'gap',
  register: 'esp32-a',
  window: 'from 2026-01-15T06:00:00.000Z',
  fromMs: 5_000,
  severity: 'medium',
  evidence: { silent_ms: 9 },
  ...changes,
})
const run = (runId: string, changes: Partial<Settling> = {}): Settling => ({
  runId,
  nowMs: 10_000,
  fromMs: 1_000,
  untried: new Set(),
  classroom: 'B2-101',
  ...changes,
})
const first = () => settled([], [finding()], run('r1'))[0] as Ticket
const resolvedBy = (by: string): Ticket => ({
  ...first(),
  revision: 2,
  status: 'resolved',
  resolved_by: by,
  resolved_at_ms: 11_000,
  resolution: by === 'system' ? 'explained' : 'a planned outage',
})

describe('a finding', () => {
  it('opens a ticket that names it', () => {
    expect(first()).toMatchObject({
      id: ticketId('gap', 'esp32-a', 'from 2026-01-15T06:00:00.000Z'),
      revision: 1,
      status: 'open',
      occurrences: 1,
      opened_run: 'r1',
      classroom: 'B2-101',
      evidence: { silent_ms: 9 },
    })
    expect(first().id).toMatch(/^esp32-a~[0-9a-f]{16}$/)
  })

  it('is counted once a run', () => {
    expect(settled([first()], [finding()], run('r1'))).toEqual([])
    expect(settled([first()], [finding()], run('r2'))).toMatchObject([
      { occurrences: 2, revision: 2, opened_run: 'r1', last_run: 'r2' },
    ])
  })

  it('that explains itself opens none', () => {
    expect(settled([], [finding({ severity: 'info' })], run('r1'))).toEqual([])
  })

  it('opens again what had explained itself, and not what a person settled', () => {
    expect(settled([resolvedBy('system')], [finding()], run('r2'))).toMatchObject([
      { status: 'open', opened_run: 'r2', resolved_by: null, resolution: null },
    ])
    expect(settled([resolvedBy('ana')], [finding()], run('r2'))).toEqual([])
    const other = finding({ evidence: { silent_ms: 99 } })
    expect(settled([resolvedBy('ana')], [other], run('r2'))).toMatchObject([{ status: 'open' }])
  })
})

describe('an open ticket that is not found any more', () => {
  it('is explained', () => {
    expect(settled([first()], [], run('r2'))).toMatchObject([
      { status: 'resolved', resolved_by: 'system', resolution: 'explained', resolved_run: 'r2' },
    ])
  })

  it('stays when its time was not looked at, or its check not tried', () => {
    expect(settled([first()], [], run('r2', { fromMs: 5_000 }))).toHaveLength(1)
    expect(settled([first()], [], run('r2', { fromMs: 5_001 }))).toEqual([])
    expect(settled([first()], [], run('r2', { untried: new Set(['gap'] as const) }))).toEqual([])
  })
})

describe('a person', () => {
  const by = { username: 'ana@school.example', nowMs: 20_000 }

  it('acknowledges and resolves, with name and time', () => {
    const seen = changed(first(), { status: 'acknowledged' }, by)
    expect(seen).toMatchObject({
      kind: 'changed',
      ticket: { status: 'acknowledged', acknowledged_by: by.username, acknowledged_at_ms: 20_000 },
    })
    const done = { status: 'resolved', resolution: 'a planned outage' } as const
    expect(changed(first(), done, by)).toMatchObject({
      kind: 'changed',
      ticket: { status: 'resolved', resolved_by: by.username, resolution: 'a planned outage' },
    })
  })

  it('says why, and does not go back', () => {
    expect(changed(first(), { status: 'resolved' }, by)).toMatchObject({ pointer: '/resolution' })
    const back = changed(resolvedBy('ana'), { status: 'acknowledged' }, by)
    expect(back).toMatchObject({ kind: 'refused', pointer: '/status' })
  })
})

describe('resolving with an action', () => {
  const by = { username: 'ana', nowMs: 20_000 }
  const parked = finding({
    rule: 'old_suspense',
    evidence: {
      energy_mwh: 89_898_000,
      from: '2026-01-15T06:01:00.000Z',
      readings: ['s#1#2', 's#1#3'],
    },
  })
  const ticket = settled([], [parked], run('r1'))[0] as Ticket
  const resolve = (action: 'accept' | 'estimate' | 'set_aside', more: object = {}) => ({
    status: 'resolved' as const,
    resolution: 'seen',
    action,
    ...more,
  })
  const answered = (known: Ticket, action: 'accept' | 'set_aside', aside: string[]): Ticket => ({
    ...known,
    status: 'resolved',
    resolved_by: 'ana',
    resolution: 'seen',
    decision: { n: 1, action, aside },
  })

  it('names the step, and of the readings the later one as odd', () => {
    const step = { between: ['s#1#2', 's#1#3'], fromMs: Date.UTC(2026, 0, 15, 6, 1) }
    expect(changed(ticket, resolve('accept'), by)).toMatchObject({
      kind: 'changed',
      decided: { ...step, action: 'accept', aside: [] },
    })
    expect(changed(ticket, resolve('set_aside'), by)).toMatchObject({
      decided: { ...step, action: 'set_aside', aside: ['s#1#3'] },
    })
    const named = resolve('set_aside', { readings: ['s#1#3', 's#1#2', 's#1#3'] })
    expect(changed(ticket, named, by)).toMatchObject({ decided: { aside: ['s#1#3', 's#1#2'] } })
  })

  it('is refused where it names a reading that nobody was asked about', () => {
    const named = resolve('set_aside', { readings: ['s#1#3', 's#1#33'] })
    expect(changed(ticket, named, by)).toEqual({
      kind: 'refused',
      status: 409,
      pointer: '/readings/1',
      detail: 'is "s#1#33", and this ticket asks about s#1#2 and s#1#3',
    })
  })

  it('is not offered by a ticket that explained itself', () => {
    expect(ticketAnswer(ticket).actions).toEqual(['accept', 'estimate', 'set_aside'])
    const explained: Ticket = { ...ticket, status: 'resolved', resolved_by: 'system' }
    expect(ticketAnswer(explained).actions).toEqual([])
  })

  it('decides nothing without one', () => {
    const { action: _, ...words } = resolve('accept')
    expect(changed(ticket, words, by)).toMatchObject({ kind: 'changed', decided: null })
  })

  it('twice is once, and another action follows the first', () => {
    const accepted = answered(ticket, 'accept', [])
    expect(changed(accepted, resolve('accept'), by)).toEqual({ kind: 'same' })
    expect(changed(accepted, resolve('estimate'), by)).toMatchObject({
      kind: 'changed',
      decided: { action: 'estimate' },
    })
    const aside = answered(ticket, 'set_aside', ['s#1#3'])
    expect(changed(aside, resolve('set_aside'), by)).toEqual({ kind: 'same' })
    const more = resolve('set_aside', { readings: ['s#1#3', 's#1#2'] })
    expect(changed(aside, more, by)).toMatchObject({ kind: 'changed' })
  })

  it('is refused where there is nothing to decide', () => {
    expect(changed(first(), resolve('accept'), by)).toMatchObject({
      status: 409,
      pointer: '/action',
      detail: 'is "accept", and this ticket (gap) offers no action',
    })
    const explained: Ticket = { ...ticket, status: 'resolved', resolved_by: 'system' }
    expect(changed(explained, resolve('accept'), by)).toMatchObject({
      status: 409,
      pointer: '/action',
    })
  })

  it('opened again by other evidence, it is to be decided again', () => {
    const other = { ...parked, evidence: { ...parked.evidence, energy_mwh: 7 } }
    expect(settled([answered(ticket, 'accept', [])], [other], run('r2'))).toMatchObject([
      { status: 'open', decision: null },
    ])
  })
})
