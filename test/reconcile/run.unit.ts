import { describe, expect, it } from 'vitest'
import { pieceOf } from '../../functions/adapters/anchors.ts'
import { type Opened, PieceResult, type Run } from '../../functions/adapters/reconciliations.ts'
import type { Ticket } from '../../functions/adapters/tickets.ts'
import { noticeOf } from '../../functions/reconcile/notice.ts'
import { addOpened, addResult, NO_RESULT, openedOf } from '../../functions/reconcile/result.ts'
import { cut, piecesFor } from '../../functions/reconcile/run.ts'

const names = (count: number) => Array.from({ length: count }, (_, at) => `esp32-${at}`)

describe('the planner', () => {
  it('cuts 100,000 registers into pieces that a worker does in seconds', () => {
    const pieces = cut(names(100_000), piecesFor(100_000))
    expect(pieces).toHaveLength(4_096)
    expect(new Set(pieces.flat()).size).toBe(100_000)
    expect(pieces.flat()).toHaveLength(100_000)
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(60)
  }, 60_000)

  it('cuts nothing of nothing, and one piece of little', () => {
    expect(cut([], piecesFor(0))).toEqual([])
    expect(cut(names(3), piecesFor(32))).toEqual([names(3)])
    expect(cut(names(33), piecesFor(33))).toHaveLength(2)
  })

  it('keeps a node in its piece, and a piece in a half of itself when the site grows', () => {
    for (const name of names(200)) {
      expect(cut(names(200), piecesFor(200))[pieceOf(name, 8)]).toContain(name)
      expect(pieceOf(name, 16) % 8).toBe(pieceOf(name, 8))
    }
  })
})

describe('the notice of a run', () => {
  const run = (changes: Partial<Run> = {}) =>
    ({
      run_id: 'r1',
      status: 'done',
      from_date: '2026-01-08',
      to_date: '2026-01-15',
      nodes: 500,
      duration_ms: 1_000,
      proof: null,
      repairs: 0,
      tickets_closed: 0,
      failures: [],
      error: null,
      ...changes,
    }) as unknown as Run
  const silent = (count: number, severity = 'medium'): Opened[] =>
    openedOf(
      names(count).map((register) => ({ rule: 'missing_heartbeat', register, severity }) as Ticket),
    )

  it('tells of 500 nodes in one line', () => {
    const notice = noticeOf(run(), silent(500), 512, true)
    expect(notice?.subject).toBe('AutoVolt reconciliation done, 500 new tickets')
    expect(notice?.message).toContain(
      'missing_heartbeat (medium): 500 – esp32-0, esp32-1, esp32-2, esp32-3, esp32-4 and 495 more',
    )
    expect(notice?.message).toContain('512 tickets are open.')
    expect(notice?.message.length).toBeLessThan(400)
  })

  it('counts each severity of a rule by itself, the worst first', () => {
    const opened = addOpened(silent(2, 'low'), silent(1, 'high'), silent(7, 'low'))
    expect(noticeOf(run(), opened, 10, true)?.message).toContain(
      'New tickets:\nmissing_heartbeat (high): 1 – esp32-0\nmissing_heartbeat (low): 9 – esp32-0, esp32-1, esp32-0, esp32-1, esp32-2 and 4 more',
    )
  })

  it('takes the space of a line of what a piece opened, however many tickets those are', () => {
    const piece = (): PieceResult => ({ ...NO_RESULT, opened: silent(50_000) })
    const text = JSON.stringify(addResult(piece(), piece()))
    expect(text.length).toBeLessThan(1_000)
    expect(addResult(piece(), piece()).opened[0]?.count).toBe(100_000)
  })

  it('counts what pieces of a run say that a former version began', () => {
    const former = { id: 'esp32-a~1', rule: 'gap', register: 'esp32-a', severity: 'high' }
    const { opened } = PieceResult.parse({ ...NO_RESULT, opened: [former, former] })
    expect(noticeOf(run(), addOpened(opened), 2, true)?.message).toContain('gap (high): 2 – 2 more')
  })

  it('goes out at night always, by day for what is urgent', () => {
    expect(noticeOf(run(), [], 0, true)?.message).toContain('No new tickets.')
    expect(noticeOf(run(), silent(9), 9, false)).toBeNull()
    expect(noticeOf(run(), silent(1, 'high'), 1, false)?.subject).toContain('1 of high severity')
    const failed = run({ status: 'failed', error: '1 nodes could not be looked at' })
    expect(noticeOf(failed, [], null, false)?.subject).toContain('failed')
  })
})
