import {
  CreateTableCommand,
  DescribeTableCommand,
  type KeySchemaElement,
} from '@aws-sdk/client-dynamodb'
import {
  DeleteCommand,
  GetCommand,
  PutCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { journalReader } from '../../functions/adapters/journal.ts'
import { fold } from '../../functions/domain/journal.ts'
import { archiveBucketName } from '../../infra/constructs/raw-archive.ts'
import { stageConfig } from '../../infra/stages.ts'
import { LOCAL_ACCOUNT } from '../../local/runtime.ts'
import { person } from './caller.ts'
import { connectNode, type Node } from './node.ts'
import { booked, eventually, itemsOf, quarantined } from './records.ts'
import { type Site, startSite } from './site.ts'

/**
 * The drill of docs/recovery.md. Everything is received long ago, so that by the clock of the machine
 * the raw events have expired and the archive alone still has them.
 */
const NOON = Date.parse('2024-03-05T06:30:00Z')
let nowMs = NOON
let site: Site & AsyncDisposable
let node: Node
/** The ledger as it was before the last reading of the one node and all of the other. */
let earlier: string
let before: Awaited<ReturnType<typeof figures>>

const reading = (sequence_no: number, energy_wh_total: number, changes: object = {}) => ({
  counter_epoch: 7,
  sequence_no,
  measured_at: NOON + sequence_no * 30_000,
  energy_wh_total,
  power_w: 600,
  ...changes,
})
const batch = { readings: [5, 6, 7].map((n) => reading(n, n * 5)) }
const REGISTERS = ['esp32-a', 'esp32-b'] as const
const TABLES = ['telemetry', 'ledger', 'nodes', 'rollups', 'control', 'quarantine'] as const
type Table = (typeof TABLES)[number]

beforeAll(async () => {
  site = await startSite({ now: () => nowMs })
  await site.provision('esp32-a', 'B2-101', '--rating-w', '3000')
  await site.provision('esp32-b', 'B2-102')
  const tariff = { cost_per_kwh: '7.35', effective_from: '2024-03-01', duty_percent: '6' }
  const recorded = await person(site.endpoints, 'admin').post('/cost-versions', tariff)
  expect(recorded.status, JSON.stringify(recorded.body)).toBe(201)
  node = await connectNode(site, 'esp32-a')
  for (const n of [0, 1, 3]) await node.telemetry(reading(n, n * 5))
  // Late, repeated, over a reset, and nothing at all.
  await node.telemetry(reading(2, 10))
  await node.telemetry(batch)
  await node.telemetry(batch)
  await booked(site, 'esp32-a', 7)
  earlier = await restoredBeside('ledger')
  await node.telemetry(reading(1, 2, { counter_epoch: 8, measured_at: NOON + 600_000 }))
  await node.telemetry('not json')
  for (const n of [1, 2, 3]) {
    await site.post({ esp32_name: 'esp32-b', ...reading(n, n * 4) }, 'operator')
  }
  nowMs = NOON + 3_600_000
  await booked(site, 'esp32-a', 8)
  await booked(site, 'esp32-b', 3)
  await eventually(async () => expect(await quarantined(site, 'esp32-a')).toHaveLength(1))
  await site.rollup()
  // The month is over and closed.
  nowMs = Date.parse('2024-04-02T06:30:00Z')
  await site.rollup()
  before = await figures()
  // 37 Wh and 8 Wh at 7.35 a kWh and 6 % of duty.
  expect(before.bills).toMatchObject([{ total_cost_micro: 288_267 }, { total_cost_micro: 62_328 }])
})
afterAll(async () => {
  await node?.[Symbol.asyncDispose]()
  await site?.[Symbol.asyncDispose]()
})

/** What must come back: the effective lines of each register, and what the API makes of them. */
async function figures() {
  const journal = journalReader(site.tables, site.endpoints.tables.ledger as string)
  const lines: Record<string, string[]> = {}
  for (const register of REGISTERS) {
    const folded = fold(await journal.entries(register, 1, 10_000))
    lines[register] = folded.lines
      .map(
        (it) => `${it.kind} ${it.fromMs}–${it.toMs} ${it.energyMwh} ${it.confidence} ${it.flags}`,
      )
      .sort()
  }
  const rooms = ['B2-101', 'B2-102']
  const days = await Promise.all(
    rooms.map(async (room) => (await site.get(`/summary?classroom=${room}&date=2024-03-05`)).body),
  )
  const bills = await Promise.all(
    rooms.map(async (room) => {
      const { body } = await site.get(`/monthly?classroom=${room}&year=2024&month=3`)
      const { total_mwh, total_cost_micro, devices, by_version } = body
      return { total_mwh, total_cost_micro, devices, by_version }
    }),
  )
  return {
    lines,
    days: days.map(({ total_mwh, blocks_mwh }) => ({ total_mwh, blocks_mwh })),
    bills,
  }
}

async function keysOf(name: string): Promise<KeySchemaElement[]> {
  const { Table } = await site.tables.send(new DescribeTableCommand({ TableName: name }))
  return Table?.KeySchema ?? []
}

async function allItems(TableName: string) {
  const { Items = [], LastEvaluatedKey } = await site.tables.send(new ScanCommand({ TableName }))
  expect(LastEvaluatedKey, `${TableName} fits into a page`).toBeUndefined()
  return Items
}

/** What is counted of items that go may be written behind them; then that goes, too. */
async function wipe(...tables: Table[]) {
  for (const table of tables) {
    const TableName = site.endpoints.tables[table] as string
    const keys = await keysOf(TableName)
    await eventually(async () => {
      for (const item of await allItems(TableName)) {
        const Key = Object.fromEntries(
          keys.map(({ AttributeName = '' }) => [AttributeName, item[AttributeName]]),
        )
        await site.tables.send(new DeleteCommand({ TableName, Key }))
      }
      expect(await allItems(TableName)).toEqual([])
    })
  }
}

/** The engine knows no restore to a point in time; a table with a copy of the items stands for its result. */
async function restoredBeside(table: Table): Promise<string> {
  const from = site.endpoints.tables[table] as string
  const TableName = `${from}-restored`
  const KeySchema = await keysOf(from)
  await site.tables.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema,
      AttributeDefinitions: KeySchema.map(({ AttributeName }) => ({
        AttributeName,
        AttributeType: 'S',
      })),
    }),
  )
  for (const Item of await allItems(from)) {
    await site.tables.send(new PutCommand({ TableName, Item }))
  }
  return TableName
}

const ok = { code: 0, err: '' }
const health = async () => (await site.get('/health')).body
const expire = () => fetch(`${site.endpoints.control}/local/expire`, { method: 'POST' })
const replay = (...options: string[]) => site.cli('replay', '--from-archive', ...options)

it('a lost ledger, and lost rollups, are made anew from the raw events', async () => {
  await wipe('ledger', 'rollups')
  const restored = await site.cli('restore', 'ledger')
  expect(restored).toMatchObject(ok)
  expect(restored.out).toMatch(/raw events handed over\n[\s\S]*2 registers: 2 day items written/)
  expect(await figures()).toEqual(before)
  expect(await site.cli('verify', '--deep')).toMatchObject(ok)
})

it('a ledger put back to an earlier time goes on from there, and its days with it', async () => {
  await wipe('ledger')
  expect(await site.cli('restore', 'table', 'ledger', '--from', earlier)).toMatchObject(ok)
  const { n: was } = await booked(site, 'esp32-a', 7)
  // The rollup had come further than the ledger goes now.
  await site.tables.send(
    new UpdateCommand({
      TableName: site.endpoints.tables.nodes,
      Key: { esp32_name: 'esp32-a', kind: 'watermark#esp32-a' },
      UpdateExpression: 'SET through_n = :n',
      ExpressionAttributeValues: { ':n': 99 },
    }),
  )
  const mended = await site.cli('restore', 'rollups', '--node', 'esp32-a')
  expect(mended).toMatchObject(ok)
  expect(mended.out).toContain(`watermark 99 → ${was}`)
  expect(await site.cli('restore', 'ledger')).toMatchObject(ok)
  expect(await figures()).toEqual(before)
  expect(await site.cli('verify')).toMatchObject(ok)
})

describe('an empty account', () => {
  it('is made anew from the archive, once the registry is back', async () => {
    // Its anchors outlive the run that wrote them.
    expect(await site.cli('reconcile')).toMatchObject({ code: 0 })
    expect(await site.cli('backup')).toMatchObject(ok)
    await wipe(...TABLES)
    // As after the loss of a region: from the copy in the other one.
    const bucket = archiveBucketName(stageConfig('local'), LOCAL_ACCOUNT, true)
    const registry = await site.cli('restore', 'registry', '--bucket', bucket)
    expect(registry).toMatchObject(ok)
    expect(registry.out).toMatch(/control: [1-9]\d* items: .* are back, 0 are the same, 0 differ/)
    expect(registry.out).toMatch(/nodes: [1-9]\d* items: .* are back, 0 are the same, 0 differ/)
    const replayed = await replay()
    expect(replayed).toMatchObject(ok)
    // Eight readings of the one node, one message of them twice, three of the other, one refused.
    expect(replayed.out).toContain(
      ': 11 readings stored, 3 were there, 0 conflict, 1 messages quarantined',
    )
    await booked(site, 'esp32-a', 8)
    await booked(site, 'esp32-b', 3)
    expect(await site.cli('restore', 'rollups')).toMatchObject(ok)
    expect(await figures()).toEqual(before)
    expect(await quarantined(site, 'esp32-a')).toHaveLength(1)
    expect(await site.cli('verify', '--deep')).toMatchObject(ok)
    const [raw] = await itemsOf(site, 'telemetry', 'esp32-b')
    expect(raw).toMatchObject({ via: 'http', received_at_ms: NOON })
  })

  it('is compared with the copy, and nothing in it is written over', async () => {
    const same = await site.cli('restore', 'registry')
    expect(same).toMatchObject(ok)
    expect(same.out).toMatch(/control: (\d+) items: 0 are missing, \1 are the same, 0 differ/)
    const key = { esp32_name: 'esp32-b', kind: 'node' }
    const TableName = site.endpoints.tables.nodes
    const { Item } = await site.tables.send(new GetCommand({ TableName, Key: key }))
    const changed = { ...Item, created_at_ms: 1 }
    await site.tables.send(new PutCommand({ TableName, Item: changed }))
    const [gone] = await itemsOf(site, 'control', 'tariff')
    const { kind, id } = gone as { kind: string; id: string }
    const TARIFFS = site.endpoints.tables.control
    await site.tables.send(new DeleteCommand({ TableName: TARIFFS, Key: { kind, id } }))

    const looked = await site.cli('restore', 'registry')
    expect(looked.out).toContain('DIFFERS  esp32-b node')
    expect(looked).toMatchObject({
      code: 1,
      err: 'autovolt: control not empty, so nothing was written there; --fill does\n',
    })
    expect(await itemsOf(site, 'control', 'tariff')).toEqual([])
    const filled = await site.cli('restore', 'registry', '--fill')
    expect(filled).toMatchObject({ code: 1, err: 'autovolt: 1 items differ and were left\n' })
    expect(await itemsOf(site, 'control', 'tariff')).toEqual([gone])
    expect((await itemsOf(site, 'nodes', 'esp32-b')).find((it) => it.kind === 'node')).toEqual(
      changed,
    )
    await site.tables.send(new PutCommand({ TableName, Item: Item ?? {} }))
    expect(await site.cli('restore', 'registry', '--day', '2024-01-01')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no whole copy of 2024-01-01 of the registry'),
    })
  })

  it('takes nothing a second time', async () => {
    const again = await replay('--node', 'esp32-b', '--from', '2024-03-05', '--to', '2024-03-06')
    expect(again).toMatchObject(ok)
    expect(again.out).toContain('3 messages of 1 objects: 0 readings stored, 3 were there')
    expect(await figures()).toEqual(before)
  })

  it('is anchored anew, by name and with a reason', async () => {
    // The command has the clock of the site here: behind the run that was lost, and before the next one.
    nowMs += 60_000
    vi.useFakeTimers({ toFake: ['Date'], now: nowMs })
    const anchored = await site
      .cli('restore', 'anchors', '--reason', 'drill')
      .finally(() => vi.useRealTimers())
    nowMs += 60_000
    expect(anchored).toMatchObject(ok)
    expect(anchored.out).toMatch(/^2 chains anchored as restore-/)
    expect(await site.cli('reconcile')).toMatchObject({ code: 0 })
    // Neither is the new ledger a forgery, nor are the anchors of before a stranger's.
    // Tickets of before came back with the registry.
    const broken = (await itemsOf(site, 'control', 'ticket')).filter(
      (it) => it.rule === 'broken_chain' && Number(it.last_found_at_ms) >= nowMs,
    )
    expect(broken.map(({ register, window }) => `${register} ${window}`)).toEqual([])
  })
})

describe('past the time that raw events are kept', () => {
  it('the archive still proves the ledger', async () => {
    expect((await expire()).status).toBe(200)
    expect(await itemsOf(site, 'telemetry', 'esp32-a')).toEqual([])
    const verified = await site.cli('verify', '--deep')
    expect(verified).toMatchObject(ok)
    expect(verified.out).toContain('8 of these readings are older than the raw events kept')
    expect(verified.out).not.toContain('taken from the ledger')
  })

  it('readings that are sent again are known from the ledger, and change nothing', async () => {
    const head = await booked(site, 'esp32-a', 8)
    const known = (await health()).ledger.duplicates
    await node.telemetry(batch)
    await eventually(async () => {
      expect(await itemsOf(site, 'telemetry', 'esp32-a')).toHaveLength(1)
      expect((await health()).ledger.duplicates).toBe(known + 3)
    })
    expect(await booked(site, 'esp32-a', 8)).toMatchObject({ n: head.n, hash: head.hash })
    expect(await figures()).toEqual(before)
  })
})
