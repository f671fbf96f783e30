import type { DynamoDBRecord } from 'aws-lambda'
import { describe, expect, it } from 'vitest'
import { repairs } from '../../functions/adapters/repairs.ts'
import { FUNCTIONS, lambdaClient } from '../../simulate/cloud/callees.ts'
import { type Mended, unexplained, watched } from '../../simulate/cloud/mended.ts'
import { shards } from '../../simulate/cloud/shards.ts'
import { faultPlan } from '../../simulate/truth/faults.ts'

const harmed = { events: new Set(['lab/1 a1']), days: new Set(['lab/1 2026-01-05']) }

describe('what a nightly run repairs, against what the simulation harmed', () => {
  it('passes repairs of lost events, of spoiled days and of lines that are under way', () => {
    const mended: Mended[] = [
      { rule: 'unbooked_reading', event: 'lab/1 a1' },
      { rule: 'rollup_differs', register: 'lab/1', date: '2026-01-05' },
      { rule: 'lines_differ', register: 'lab/1', isUnderWay: true },
    ]
    expect(unexplained(mended, harmed)).toEqual([])
  })

  it('reports each repair that no harm explains', () => {
    const mended: Mended[] = [
      { rule: 'unbooked_reading', event: 'lab/1 a2' },
      { rule: 'rollup_differs', register: 'lab/1', date: '2026-01-06' },
      { rule: 'rollup_differs', register: 'lab/2', date: '2026-01-05' },
      { rule: 'lines_differ', register: 'lab/1', isUnderWay: false },
    ]
    expect(unexplained(mended, harmed)).toEqual([
      'lab/1 a2: a run books it, but the ledger had been given it',
      'lab/1: a run makes 2026-01-06 anew, but nobody had spoiled it',
      'lab/2: a run makes 2026-01-05 anew, but nobody had spoiled it',
      'lab/1: a run restates lines, but no change of them was under way',
    ])
  })

  it('notes what a run really asks of the ledger and the rollup, and hands it on', async () => {
    const mended: Mended[] = []
    const functions = {
      [FUNCTIONS.ledger]: async ({ restate }: { restate?: unknown }) =>
        restate === undefined ? { batchItemFailures: [], reasons: {} } : { isDone: true },
      [FUNCTIONS.rollup]: async () => ({ days_written: 2 }),
    }
    const seen = watched(
      functions,
      async (register) => register === 'lab/2',
      (one) => mended.push(one),
    )
    const { book, restate, rebuild } = repairs(lambdaClient(seen), FUNCTIONS)
    await book([{ register: 'lab/1', id: 'a1' }])
    await restate('lab/1', 0)
    await restate('lab/2', 0)
    const written = await rebuild('lab/1', { from: '2026-01-05', to: '2026-01-06' }, 'a run')
    expect(written).toBe(2)
    expect(mended).toEqual([
      { rule: 'unbooked_reading', event: 'lab/1 a1' },
      { rule: 'lines_differ', register: 'lab/1', isUnderWay: false },
      { rule: 'lines_differ', register: 'lab/2', isUnderWay: true },
      { rule: 'rollup_differs', register: 'lab/1', date: '2026-01-05' },
      { rule: 'rollup_differs', register: 'lab/1', date: '2026-01-06' },
    ])
  })
})

describe('a stream that loses records while a batch is with the ledger', () => {
  it('loses those it says, and no others', async () => {
    const stream = shards(1, faultPlan([]))
    const ids = Array.from({ length: 150 }, (_, index) => `a${index}`)
    stream.add(ids.map(record))
    const seen = new Set<string>()
    const lost = new Set<string>()
    await stream.redrive(async (batch) => {
      for (const it of batch) seen.add(idOf(it))
      if (lost.size === 0) for (const it of stream.trim(8)) lost.add(idOf(it))
      return []
    })
    expect(lost.size).toBe(8)
    expect(ids.filter((id) => !seen.has(id) && !lost.has(id))).toEqual([])
    expect(stream.waiting()).toEqual([])
  })
})

const idOf = ({ dynamodb }: DynamoDBRecord) => dynamodb?.Keys?.id?.S ?? ''

function record(id: string): DynamoDBRecord {
  return { dynamodb: { Keys: { register: { S: 'lab/1' }, id: { S: id } }, SequenceNumber: id } }
}
