import { expect, it } from 'vitest'
import type { RuleEvent } from '../../functions/contract/rule-event.ts'
import { acceptPost } from '../../functions/ingest/post.ts'
import { memoryStores } from './memory-stores.ts'

const RECEIVED_AT_MS = 1_768_456_800_000
const message = { esp32_name: 'esp32-a', energy_wh_total: 5, counter_epoch: 7, sequence_no: 1 }
const post = (body: string) => ({
  body: Buffer.from(body),
  receivedAtMs: RECEIVED_AT_MS,
  requestId: 'r-1',
  principal: 'operator-1',
})

function ports(fails = false) {
  const stores = memoryStores()
  const kept: { message: RuleEvent; storedBefore: number }[] = []
  return {
    ...stores,
    kept,
    nodes: { isRegistered: async (name: string) => name === 'esp32-a' },
    archive: {
      async put(it: RuleEvent) {
        if (fails) throw new Error('throttled')
        kept.push({ message: it, storedBefore: stores.items.size })
      },
    },
  }
}

it('a posted message is in the archive as it came, before it is stored', async () => {
  const it = ports()
  const body = JSON.stringify(message)
  expect(await acceptPost(post(body), it)).toMatchObject({ answer: { created: 1 } })
  expect(it.kept).toEqual([
    {
      storedBefore: 0,
      message: {
        payload: Buffer.from(body).toString('base64'),
        esp32_name: 'esp32-a',
        channel: 'telemetry',
        client_id: '',
        principal: 'operator-1',
        received_at: RECEIVED_AT_MS,
        trace_id: 'r-1',
        via: 'http',
      },
    },
  ])
})

it('one that cannot be archived is not stored, and the caller hears of it', async () => {
  const it = ports(true)
  await expect(acceptPost(post(JSON.stringify(message)), it)).rejects.toThrow('throttled')
  expect(it.items.size).toBe(0)
})

it('one that a node could have published is archived, though quarantine is its end', async () => {
  const it = ports()
  const wrong = JSON.stringify({ ...message, energy_wh_total: 'five' })
  expect(await acceptPost(post(wrong), it)).toMatchObject({ problem: { status: 422 } })
  expect(it.kept).toHaveLength(1)
  expect(it.refused).toHaveLength(1)
})

it('what is no message of a known node is refused before', async () => {
  const it = ports()
  expect(await acceptPost(post('{'), it)).toMatchObject({ problem: { status: 400 } })
  const unknown = JSON.stringify({ ...message, esp32_name: 'esp32-z' })
  expect(await acceptPost(post(unknown), it)).toMatchObject({ problem: { status: 422 } })
  expect(it.kept).toEqual([])
})
