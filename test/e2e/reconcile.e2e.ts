import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { DateTime } from 'luxon'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { journalReader } from '../../functions/adapters/journal.ts'
import { fromItem } from '../../functions/adapters/raw.ts'
import { startFleet } from '../../local/fleet/fleet.ts'
import { CAMPUS, type NodeSpec } from '../../local/fleet/model/campus.ts'
import { scriptedIncidents } from '../../local/fleet/model/incidents.ts'
import { scripted } from '../../local/fleet/model/load.ts'
import { advance, newNode } from '../../local/fleet/model/node.ts'
import { openFlash } from '../../local/fleet/store.ts'
import { connectNode, type Node } from './node.ts'
import { booked, eventually, failedMessages, itemsOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/** What the nightly run makes of faults that came in through the front door. */
let site: Site & AsyncDisposable
let node: Node
const HOUR = 3_600_000
/** Yesterday, so that its day is over; on the hour, so that lines are easy to name. */
const START = Math.floor((Date.now() - 30 * HOUR) / HOUR) * HOUR

const reading = (n: number, changes: object = {}) => ({
  counter_epoch: 7,
  sequence_no: n,
  measured_at: START + n * 60_000,
  energy_wh_total: n,
  power_w: 60,
  ...changes,
})
/** The tickets of a status, as `<rule> <register> <window>`. */
const tickets = async (status = 'open') =>
  (await itemsOf(site, 'control', 'ticket'))
    .filter((ticket) => ticket.status === status)
    .map((ticket) => `${ticket.rule} ${ticket.register} ${ticket.window}`)
    .sort()
const runs = async () =>
  (await itemsOf(site, 'control', 'run')).filter(({ id }) => String(id).startsWith('reconcile#'))
/** The bucket of the anchors on this machine. */
const anchorsFile = () => {
  const folder = join(site.dataDir, 's3')
  const file = readdirSync(folder).find((name) => name.includes('anchors'))
  return join(folder, file as string)
}
const reconcile = async () => {
  const done = await site.cli('reconcile')
  expect(done).toMatchObject({ code: 0, err: '' })
  return done.out
}

/** Holes may be filled for ten minutes; what these nodes sent counts as old at once. */
const withoutPatience = (esp32_name: string) =>
  site.tables.send(
    new UpdateCommand({
      TableName: site.endpoints.tables.nodes as string,
      Key: { esp32_name, kind: 'limits' },
      UpdateExpression: 'SET #limits = :limits',
      ExpressionAttributeNames: { '#limits': 'limits' },
      ExpressionAttributeValues: { ':limits': { settle_ms: 0 } },
    }),
  )

/** Twenty readings of a simulated node; some never reached us, and some of those it does not hold any more. */
function measured(spec: NodeSpec, missing: readonly number[], forgotten: readonly number[]) {
  const flash = openFlash(site.dataDir)
  const load = scripted([{ atMs: START, device_id: 'light-1', powerMw: 60_000 }])
  const world = { seed: 7, load, incidents: scriptedIncidents([]), periodMs: 60_000 }
  const state = advance(spec, newNode(spec, START, 7), START + 20.5 * 60_000, world)
  const without = (numbers: readonly number[]) =>
    state.unsent.filter(({ sequenceNo }) => !numbers.includes(sequenceNo))
  flash.append(spec.esp32_name, state.counterEpoch, without(forgotten))
  flash.write(spec.esp32_name, { ...state, unsent: without(missing) })
}

beforeAll(async () => {
  site = await startSite()
  await site.provision('esp32-a', 'B2-101')
  node = await connectNode(site, 'esp32-a')
  const readings = Array.from({ length: 20 }, (_, at) => reading(at + 1))
  await node.telemetry({ readings })
  await booked(site, 'esp32-a', 20)
  await site.rollup()
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

describe('a run', () => {
  it('finds nothing but the missing tariff of a site that is new, and asks once', async () => {
    const out = await reconcile()
    expect(out).toContain('20 readings accepted, 20 booked, 0 not booked')
    expect(await tickets()).toEqual([
      `no_tariff site ${new Date(START + 5.5 * HOUR).toISOString().slice(0, 7)}`,
    ])
    await reconcile()
    const [first, second] = await runs()
    expect([first?.tickets_opened, second?.tickets_opened]).toEqual([1, 0])
    expect(await tickets('resolved')).toEqual([])
  })

  it('makes a day item anew that was removed', async () => {
    const items = await itemsOf(site, 'rollups', 'B2-101')
    const day = items.find(({ period }) => String(period).startsWith('day#')) as {
      classroom: string
      period: string
    }
    await site.tables.send(
      new DeleteCommand({
        TableName: site.endpoints.tables.rollups as string,
        Key: { classroom: day.classroom, period: day.period },
      }),
    )
    const out = await reconcile()
    expect(out).toMatch(/repaired rollup_differs esp32-a .*: 1 day items made anew/)
    expect(out).toContain('0 tickets opened')
    expect(await reconcile()).not.toContain('repaired')
    expect(await site.cli('verify')).toMatchObject({ code: 0 })
  })

  it('opens a ticket for a hole in the sequence numbers, and closes it when it is filled', async () => {
    await node.telemetry({ readings: [24, 25].map((n) => reading(n)) })
    await booked(site, 'esp32-a', 22)
    await withoutPatience('esp32-a')
    await reconcile()
    const open = await tickets()
    expect(open).toContainEqual(expect.stringMatching(/^sequence_gap esp32-a .* epoch 7$/))
    await reconcile()
    expect(await tickets()).toEqual(open)
    await node.telemetry({ readings: [21, 22, 23].map((n) => reading(n, { replayed: true })) })
    await booked(site, 'esp32-a', 25)
    await site.rollup()
    expect(await reconcile()).toContain('1 closed')
    expect(await tickets('resolved')).toEqual([expect.stringContaining('sequence_gap')])
  })

  it('asks nodes for what is missing: one fills its hole, the other says that it cannot', async () => {
    const [filled, lost] = CAMPUS.filter(({ channels }) => channels[0]?.device_id === 'light-1')
    if (filled === undefined || lost === undefined) throw new Error('the campus has such nodes')
    measured(filled, [6, 7, 8], [])
    measured(lost, [13, 14], [13, 14])
    const nodes = [filled, lost]
    const fleet = await startFleet(site, { nodes, log: () => {} })
    try {
      for (const { esp32_name } of nodes) {
        await withoutPatience(esp32_name)
        await eventually(async () => {
          const known = await itemsOf(site, 'nodes', esp32_name)
          expect(known.find(({ kind }) => kind === 'presence')?.online).toBe(true)
          const head = await journalReader(
            site.tables,
            site.endpoints.tables.ledger as string,
          ).head(esp32_name)
          expect(head?.state.last.seq).toBeGreaterThan(20)
        })
      }
      await site.rollup()
      expect(await reconcile()).toContain('2 ranges asked for again')
      const gaps = async (status: string) =>
        (await itemsOf(site, 'control', 'ticket')).filter(
          (it) =>
            it.rule === 'sequence_gap' &&
            it.status === status &&
            nodes.some(({ esp32_name }) => esp32_name === it.register),
        )
      expect(await gaps('open')).toHaveLength(2)
      const messages = async ({ esp32_name }: NodeSpec) =>
        (await itemsOf(site, 'telemetry', esp32_name)).map((item) => fromItem(item).message)
      await eventually(async () => {
        const told = (await messages(filled)).flatMap((it) => it.readings ?? [it])
        const numbers = told.map((it) => Number(it.sequence_no)).filter((n) => n > 4 && n < 10)
        expect(numbers.sort()).toEqual([5, 6, 7, 8, 9])
        expect((await messages(lost)).flatMap((it) => it.gaps ?? [])).toMatchObject([
          { from_sequence_no: 13, to_sequence_no: 14, reason: 'not_held' },
        ])
      })
      await eventually(async () => {
        await site.rollup()
        const out = await reconcile()
        expect(out).toContain(' 0 ranges asked for again')
        expect(await gaps('resolved')).toMatchObject([
          { register: filled.esp32_name, resolution: 'explained' },
        ])
      })
      expect(await gaps('open')).toMatchObject([
        {
          register: lost.esp32_name,
          severity: 'low',
          // Sixty watts over the three minutes between readings 12 and 15.
          evidence: { missing: 2, ranges: ['13-14'], bound_mwh: 3_000 },
        },
      ])
    } finally {
      await fleet.stop()
    }
  })

  it('keeps an export of the former system, and compares its totals with ours', async () => {
    const date = DateTime.fromMillis(START, { zone: 'Asia/Kolkata' }).startOf('day')
    const record = (_id: string, kwh: number, changes: object = {}) => ({
      _id,
      date: date.toUTC().toISO(),
      deviceId: 'd1',
      deviceName: 'IOT_Lab',
      classroom: 'B2-101',
      macAddress: '88:57:21:78:93:d0',
      consumptionByType: { light: { cost: 0, energyKwh: kwh, runtimeHours: kwh / 0.04 } },
      totalCost: 0,
      totalEnergyKwh: kwh,
      totalRuntimeHours: kwh / 0.04,
      updatedAt: date.plus({ days: 1 }).toUTC().toISO(),
      ...changes,
    })
    const file = join(site.dataDir, 'export.json')
    writeFileSync(file, JSON.stringify([record('a', 0.06), record('b', 0.058, { _id: 7 })]))
    expect(await site.cli('import-legacy', file)).toMatchObject({
      code: 1,
      err: 'autovolt: nothing was imported: record 2: _id must be text (is 7)\n',
    })
    const text = JSON.stringify([
      record('a', 0.06),
      record('b', 0.058),
      record('c', 0.001, { classroom: '' }),
    ])
    writeFileSync(file, text)
    const first = await site.cli('import-legacy', file)
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out).toContain('imported 3 records as reference totals')
    const sha256 = createHash('sha256').update(text).digest('hex')
    const kept = readFileSync(anchorsFile(), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ key }) => key === `legacy/${sha256}.json`)
    expect(kept.map(({ body }) => Buffer.from(body, 'base64').toString())).toEqual([text])
    expect((await site.cli('import-legacy', file)).out).toMatch(/was imported at .* already/)
    expect(await itemsOf(site, 'control', 'legacy')).toHaveLength(3)

    const day = date.toISODate() as string
    const compared = await site.cli('compare', '--from', day, '--to', day)
    expect(compared).toMatchObject({ code: 0, err: '' })
    const [, ...rows] = compared.out.trim().split('\n')
    const row = (classroom: string) => rows.find((it) => it.startsWith(`${day}  ${classroom} `))
    expect(row('B2-101')).toMatch(
      / 118\.000 .*2 records of "IOT_Lab" for one day \(-58\.000 Wh\).*rated power/,
    )
    expect(row('(none)')).toMatch(/ - +1\.000 +-1\.000 +no node of this system was there yet/)
    expect(await site.cli('compare', '--from', day, '--to', '2020-01-01')).toMatchObject({
      code: 2,
    })
  })

  it('reports a tampered entry, a removed one and a forged chain with register and number', async () => {
    const TableName = site.endpoints.tables.ledger as string
    for (const name of ['esp32-b', 'esp32-c', 'esp32-d']) {
      await site.provision(name, 'B2-102')
      await using other = await connectNode(site, name)
      for (const n of [1, 2, 3]) {
        await other.telemetry(reading(n))
        await booked(site, name, n)
      }
    }
    await site.rollup()
    await reconcile()
    await site.tables.send(
      new UpdateCommand({
        TableName,
        Key: { register: 'esp32-b', sk: 'e#000000000002' },
        UpdateExpression: 'SET #hash = :other',
        ExpressionAttributeNames: { '#hash': 'hash' },
        ExpressionAttributeValues: { ':other': Buffer.alloc(32, 1) },
      }),
    )
    await site.tables.send(
      new DeleteCommand({ TableName, Key: { register: 'esp32-c', sk: 'e#000000000002' } }),
    )
    // Cut behind the second entry, the chain is whole in itself.
    await site.tables.send(
      new DeleteCommand({ TableName, Key: { register: 'esp32-d', sk: 'e#000000000003' } }),
    )
    await reconcile()
    const broken = (await tickets()).filter((it) => it.startsWith('broken_chain'))
    expect(broken).toEqual([
      'broken_chain esp32-b entry 2 changed',
      'broken_chain esp32-b entry 3 unlinked',
      'broken_chain esp32-c entry 2 missing',
      'broken_chain esp32-d entry 3 cut',
    ])
    const opened = (await runs()).at(-1)?.tickets_opened
    expect(opened).toBe(4)
    await reconcile()
    expect((await runs()).at(-1)?.tickets_opened).toBe(0)
    expect((await tickets()).filter((it) => it.startsWith('broken_chain'))).toEqual(broken)
  })

  it('reports that the manifest of the last run is not what was written', async () => {
    const last = (await runs()).at(-1) as { manifest: { key: string } }
    const { key } = last.manifest
    const bucket = basename(anchorsFile(), '.ndjson')
    // Object Lock keeps the version that was written; a newer one may be put over it all the same.
    const put = { method: 'PUT', body: '{}' }
    expect((await fetch(`${site.endpoints.control}/${bucket}/${key}`, put)).status).toBe(200)
    const about = async () => (await tickets()).filter((it) => it.startsWith('broken_chain site'))
    await reconcile()
    expect(await about()).toEqual([`broken_chain site ${key}`])
    await reconcile()
    expect((await runs()).at(-1)?.tickets_opened).toBe(0)
    expect(await about()).toEqual([`broken_chain site ${key}`])
  })

  it('does not believe a newer manifest that somebody put there, and asks who did', async () => {
    const bucket = basename(anchorsFile(), '.ndjson')
    const written_at = new Date().toISOString()
    const key = `manifests/${written_at}~planted.json`
    const restored = { by: 'mallory', reason: 'trust me' }
    const planted = {
      run_id: 'planted',
      pieces: 1,
      digests: [],
      written_at,
      previous: null,
      restored,
    }
    const put = { method: 'PUT', body: JSON.stringify(planted) }
    expect((await fetch(`${site.endpoints.control}/${bucket}/${key}`, put)).status).toBe(200)
    await reconcile()
    expect(await tickets()).toContain(`broken_chain site ${key}`)
    // It compared with what the run before had written: what was cut then is missing still.
    expect(await tickets()).toContain('broken_chain esp32-d entry 3 cut')
    expect((await runs()).at(-1)?.compares_with).toEqual((await runs()).at(-2)?.manifest)
  })

  it('looks at a node that somebody removed from the registry', async () => {
    const before = (await runs()).at(-1)?.nodes
    for (const { esp32_name, kind } of await itemsOf(site, 'nodes', 'esp32-d')) {
      const TableName = site.endpoints.tables.nodes
      await site.tables.send(new DeleteCommand({ TableName, Key: { esp32_name, kind } }))
    }
    await reconcile()
    expect((await runs()).at(-1)).toMatchObject({ nodes: before, status: 'done' })
    const found = await tickets()
    expect(found).toContain('broken_chain esp32-d entry 3 cut')
    expect(found).toContain('unassigned_node esp32-d registration')
  })

  it('leaves nothing in a failure queue', async () => {
    expect(await failedMessages(site)).toEqual({})
  })
})
