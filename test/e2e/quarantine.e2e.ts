import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporary } from '../local/fixture/temporary.ts'
import { connectNode, type Node } from './node.ts'
import { booked, eventually, itemsOf, quarantined } from './records.ts'
import { type Site, startSite } from './site.ts'

/** What was not accepted can be looked at, mended, and sent through ingest again. */
let site: Site & AsyncDisposable
let node: Node
beforeAll(async () => {
  site = await startSite()
  await site.provision('esp32-a', 'B2-101')
  node = await connectNode(site, 'esp32-a')
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

const reading = (sequence_no: number, changes: object = {}) => ({
  counter_epoch: 7,
  sequence_no,
  measured_at: 1_768_456_800_000 + sequence_no * 30_000,
  energy_wh_total: sequence_no,
  ...changes,
})
const quarantine = (...args: string[]) => site.cli('quarantine', ...args)
/** The ids that a list prints, oldest first. */
const ids = async (...args: string[]) =>
  (await quarantine('list', ...args)).out
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split(/\s{2,}/)[0] as string)
const file = (content: object) => {
  const path = join(temporary(), 'edited.json')
  writeFileSync(path, JSON.stringify(content))
  return path
}

describe('an invalid message', () => {
  let id = ''

  it('is listed with its reason and shown as it came', async () => {
    expect(await quarantine('list')).toMatchObject({ code: 0, out: 'nothing is quarantined\n' })
    await node.telemetry(reading(2, { energy_wh_total: 'two' }))
    await eventually(async () => expect(await ids()).toHaveLength(1))
    ;[id = ''] = await ids('--node', 'esp32-a', '--kind', 'invalid', '--last', '1')
    expect(await ids('--kind', 'conflict')).toEqual([])
    const shown = await quarantine('show', id)
    expect(shown.out).toContain('kind      invalid\n')
    expect(shown.out).toContain('reason    energy_wh_total: ')
    expect(shown.out).toContain('"energy_wh_total":"two"')
    expect(await quarantine('show', id, '--raw')).toMatchObject({
      out: JSON.stringify(reading(2, { energy_wh_total: 'two' })),
    })
  })

  it('is refused again for the same reason as long as it is the same', async () => {
    const released = await quarantine('release', id)
    expect(released.code).toBe(1)
    expect(released.err).toContain('was refused again: energy_wh_total: ')
    expect(await quarantined(site, 'esp32-a')).toHaveLength(1)
  })

  it('is booked once mended, with the receipt it had, and marked', async () => {
    const released = await quarantine('release', id, '--edit', file(reading(2)))
    expect(released).toMatchObject({ code: 0, err: '' })
    expect(released.out).toContain(`released ${id}: {"created":1`)
    const head = await booked(site, 'esp32-a', 1)
    const receipt = id.slice('esp32-a/'.length, id.indexOf('#'))
    expect(new Date(head.state.last.receivedAtMs).toISOString()).toBe(receipt)
    const [item] = await itemsOf(site, 'quarantine', 'esp32-a')
    expect(Buffer.from(item?.original as Uint8Array).toString()).toBe(
      JSON.stringify(reading(2, { energy_wh_total: 'two' })),
    )
    expect((await quarantine('show', id)).out).toMatch(
      /^released {2}20\S+ .* by \S+: \{"created":1/m,
    )
    const again = await quarantine('release', id, '--edit', file(reading(2)))
    expect(again).toMatchObject({ code: 1 })
    expect(again.err).toMatch(/was released at 20\S+ by /)
  })
})

describe('other messages', () => {
  it('a conflict is decided, not released', async () => {
    const claim = { esp32_name: 'esp32-a', ...reading(2, { energy_wh_total: 9 }) }
    expect(await site.post(claim, 'operator')).toMatchObject({ body: { conflicts: 1 } })
    // The claim is stored beside the reading, and the ledger keeps aside what does not stand.
    await eventually(async () => expect(await ids('--kind', 'conflict')).toHaveLength(1))
    const [id = ''] = await ids('--kind', 'conflict')
    const released = await quarantine('release', id)
    expect(released.code).toBe(1)
    expect(released.err).toContain('is decided on its ticket')
    await booked(site, 'esp32-a', 1)
  })

  it('one of an unknown node waits until the node is known', async () => {
    expect((await site.post({ esp32_name: 'esp32-b', ...reading(1) }, 'operator')).status).toBe(422)
    const [id = ''] = await ids('--node', 'esp32-b')
    const early = await quarantine('release', id)
    expect(early).toMatchObject({ code: 1 })
    expect(early.err).toContain('esp32-b is not a registered node')
    await site.provision('esp32-b', 'B2-102')
    expect(await quarantine('release', id)).toMatchObject({ code: 0, err: '' })
    await booked(site, 'esp32-b', 1)
  })

  it('one without a name is given to a node by hand, one with a name never', async () => {
    expect((await site.post(reading(2), 'operator')).status).toBe(400)
    const [id = ''] = await ids('--node', '(unnamed)')
    expect(await quarantine('release', id)).toMatchObject({ code: 2 })
    expect(await quarantine('release', id, '--node', 'esp32-b')).toMatchObject({ code: 0, err: '' })
    await booked(site, 'esp32-b', 2)
    await node.telemetry('not json')
    await eventually(async () => expect(await ids('--node', 'esp32-a')).toHaveLength(3))
    const last = (await ids('--node', 'esp32-a')).at(-1) as string
    const other = await quarantine('release', last, '--node', 'esp32-b', '--edit', file(reading(3)))
    expect(other).toMatchObject({ code: 2 })
    expect(other.err).toContain('cannot be given to esp32-b')
  })

  it('a status goes to presence', async () => {
    await node.status({ status: 'upside down' })
    await eventually(async () => expect(await ids('--node', 'esp32-a')).toHaveLength(4))
    const last = (await ids('--node', 'esp32-a')).at(-1) as string
    const done = await quarantine('release', last, '--edit', file({ status: 'offline' }))
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toContain('{"outcome":"changed"}')
  })

  it('a wrong id and a wrong kind are wrong calls', async () => {
    expect(await quarantine('show', 'nothing')).toMatchObject({ code: 2 })
    expect(await quarantine('show', 'esp32-a/nothing')).toMatchObject({ code: 1 })
    expect(await quarantine('list', '--kind', 'odd')).toMatchObject({ code: 2 })
  })
})
