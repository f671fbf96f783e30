import { marshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import { beforeEach, describe, expect, it } from 'vitest'
import { type RawItem, toItem } from '../../functions/adapters/raw.ts'
import type { SetAside } from '../../functions/contract/failures.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { type BatchPorts, bookBatch } from '../../functions/ledger/batch.ts'
import { Contended, isPermanent, reasonOf, Unsettled } from '../../functions/ledger/poison.ts'
import { memoryJournal } from './memory-journal.ts'

const TEN = Date.parse('2026-01-15T10:00:00Z')

function raw(register: string, sequence_no: number): RawItem {
  const message = {
    counter_epoch: 7,
    sequence_no,
    measured_at: TEN + sequence_no * 30_000,
    energy_wh_total: sequence_no,
  }
  const text = JSON.stringify(message)
  const id = `s#0000000007#${String(sequence_no).padStart(12, '0')}`
  return toItem({ register, count: 1, text, receivedAtMs: TEN, via: 'mqtt' }, id, 730)
}

const torn = (item: RawItem): RawItem => ({ ...item, payload: Buffer.from('torn') })

/** Stream records as Lambda delivers them, numbered 100, 101, … */
function records(...items: RawItem[]): DynamoDBRecord[] {
  return items.map((item, index) => {
    const image = marshall(item)
    const payload = { B: Buffer.from(item.payload).toString('base64') }
    return {
      eventName: 'INSERT',
      dynamodb: {
        Keys: { register: { S: item.register }, id: { S: item.id } },
        NewImage: { ...image, payload } as never,
        SequenceNumber: String(100 + index),
      },
    }
  })
}

const throttled = Object.assign(new Error('slow down'), {
  name: 'ProvisionedThroughputExceededException',
  $metadata: {},
})

let journals: Map<string, ReturnType<typeof memoryJournal>>
let sent: SetAside[]
let failing: Record<string, Error>
let queueIsDown: boolean
let ports: BatchPorts

beforeEach(() => {
  journals = new Map()
  sent = []
  failing = {}
  queueIsDown = false
  const of = (register: string) => {
    const journal = journals.get(register) ?? memoryJournal()
    journals.set(register, journal)
    return journal
  }
  ports = {
    journal: {
      ...memoryJournal(),
      head: async (register) => {
        if (failing[register]) throw failing[register]
        return of(register).head(register)
      },
      append: async (pointed) => of(pointed.entry.register).append(pointed),
    },
    facts: async () => NO_FACTS,
    control: {
      countOnce: async () => true,
      hasCounted: async () => false,
      countError: async () => {},
    },
    quarantine: { put: async () => {} },
    failureQueue: {
      put: async (message) => {
        if (queueIsDown) throw throttled
        sent.push(message)
      },
    },
    now: () => TEN,
    failed: () => {},
  }
})

const readings = async (register: string) =>
  (await journals.get(register)?.head(register))?.state.totals.readings ?? 0

it('a register that is not settled yet holds up no other, and is no fault', async () => {
  failing = { a: new Unsettled('lines of a are not settled yet') }
  let errors = 0
  const countError = async () => {
    errors += 1
  }
  const control = { ...ports.control, countError }
  const done = await bookBatch(records(raw('a', 1), raw('b', 1)), { ...ports, control })
  expect(done).toMatchObject({ entries: 1, setAside: 0, waiting: 1, failures: ['100'] })
  expect([errors, sent]).toEqual([0, []])
  expect(await readings('b')).toBe(1)
})

describe('a batch with a record that cannot be read', () => {
  const batch = () => records(raw('a', 1), torn(raw('a', 2)), raw('b', 1), raw('a', 3))

  it('books all others and reports no failure, since no retry would help', async () => {
    const done = await bookBatch(batch(), ports)
    expect(done).toMatchObject({ entries: 2, setAside: 1, failures: [] })
    expect([await readings('a'), await readings('b')]).toEqual([2, 1])
    expect(sent).toEqual([
      {
        kind: 'ledger-set-aside',
        register: 'a',
        ids: ['s#0000000007#000000000002'],
        reason: expect.stringMatching(/^raw event a s#0000000007#000000000002 cannot be read: /),
        at_ms: TEN,
      },
    ])
  })

  it('reports it when it was redriven, so that nothing goes round in a circle', async () => {
    const done = await bookBatch(batch(), ports, { redriven: true })
    expect(done).toMatchObject({ setAside: 0, failures: ['101'] })
    expect(done.reasons['101']).toContain('cannot be read')
    expect(sent).toEqual([])
  })

  it('leaves it to the stream when the failure queue takes nothing', async () => {
    queueIsDown = true
    expect(await bookBatch(batch(), ports)).toMatchObject({ setAside: 0, failures: ['101'] })
    expect([await readings('a'), await readings('b')]).toEqual([2, 1])
  })

  it('leaves it to the stream when there is no failure queue', async () => {
    const { failureQueue: _, ...without } = ports
    expect(await bookBatch(batch(), without)).toMatchObject({ setAside: 0, failures: ['101'] })
  })
})

describe('a register that fails', () => {
  it('for a moment is reported, and what is behind it waits for the redelivery', async () => {
    failing.b = throttled
    const batch = records(torn(raw('a', 1)), raw('b', 1), raw('a', 2), torn(raw('a', 3)))
    const done = await bookBatch(batch, ports)
    expect(done).toMatchObject({ setAside: 1, failures: ['101', '103'] })
    expect(sent.map(({ ids }) => ids)).toEqual([['s#0000000007#000000000001']])
    expect(await readings('a')).toBe(1)
  })

  it('for good is set aside with all of its records, in one message', async () => {
    failing.b = new Error('ledger entry b e#000000000009 cannot be read')
    const done = await bookBatch(records(raw('b', 1), raw('a', 1), raw('b', 2)), ports)
    expect(done).toMatchObject({ entries: 1, setAside: 2, failures: [] })
    expect(sent).toMatchObject([
      { register: 'b', ids: ['s#0000000007#000000000001', 's#0000000007#000000000002'] },
    ])
  })
})

it('delivering a batch again that was booked in part books the rest, once', async () => {
  failing.b = throttled
  const batch = records(raw('a', 1), raw('b', 1), raw('a', 2))
  await bookBatch(batch, ports)
  delete failing.b
  expect(await bookBatch(batch, ports)).toMatchObject({ entries: 1, failures: [] })
  expect([await readings('a'), await readings('b')]).toEqual([2, 1])
})

it.each([
  [throttled, false],
  [new Contended('ledger head of a moved 20 times in a row'), false],
  [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), false],
  [Object.assign(new Error('too slow'), { name: 'TimeoutError' }), false],
  [Object.assign(new Error('too big'), { name: 'ValidationException', $metadata: {} }), true],
  [new TypeError('undefined is not a function'), true],
  ['a text', true],
])('%s is permanent: %s', (error, permanent) => {
  expect(isPermanent(error)).toBe(permanent)
})

it('a reason names the error and its causes in one line', () => {
  const cause = new Error('incorrect\nheader check')
  expect(reasonOf(new Error('raw event x cannot be read', { cause }))).toBe(
    'raw event x cannot be read: incorrect header check',
  )
})
