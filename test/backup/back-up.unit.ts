import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { marshall } from '@aws-sdk/util-dynamodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  type BackedUpTable,
  backupStore,
  type TypedItem,
} from '../../functions/adapters/backups.ts'
import { backUp } from '../../functions/backup/back-up.ts'
import { isKept } from '../../functions/backup/kept.ts'
import { type ControlServer, startControl } from '../../local/control/server.ts'
import { openObjects } from '../../local/s3/objects.ts'
import { makePresigner } from '../../local/s3/presigned.ts'
import { s3Routes } from '../../local/s3/routes.ts'
import { temporary } from '../local/fixture/temporary.ts'

const NIGHT = Date.parse('2026-01-15T21:15:00Z')
const objects = openObjects(`${temporary()}/archive.ndjson`, () => NIGHT)
let control: ControlServer
let s3: S3Client
beforeAll(async () => {
  control = await startControl((error) => expect.fail(String(error)))
  const put = objects.put
  const buckets = new Map([['kept', { objects, isLocked: false, isVersioned: true, put }]])
  control.add(
    s3Routes(
      buckets,
      makePresigner(control.url, () => NIGHT),
    ),
  )
  s3 = new S3Client({
    region: 'ap-south-1',
    endpoint: control.url,
    forcePathStyle: true,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
})
afterAll(async () => {
  s3.destroy()
  await control.stop()
  objects.close()
})

const store = () => backupStore(s3, 'kept')
/** Pages of two tables as a scan gives them. */
const scan = (pages: Record<BackedUpTable, TypedItem[][]>) =>
  async function* (table: BackedUpTable) {
    yield* pages[table]
  }
const tariff = (id: string, more: Record<string, unknown> = {}) =>
  marshall({ kind: 'tariff', id, energy_micro_per_kwh: 7_500_000, ...more })

it('a copy is read as it was written, however its items are typed', async () => {
  const odd: TypedItem = {
    ...tariff('site#1'),
    big: { N: '9007199254740993' },
    bytes: { B: new Uint8Array([0, 255, 10]) },
    nested: { M: { list: { L: [{ B: new Uint8Array([1]) }, { NULL: true }, { S: 'ä\n' }] } } },
    set: { BS: [new Uint8Array([2]), new Uint8Array([3])] },
  }
  const pages = { control: [[odd]], nodes: [] }
  await backUp('2026-01-16', { store: store(), scan: scan(pages), now: () => NIGHT })
  const { manifest } = (await store().latest('2026-01-16')) ?? expect.fail('no copy')
  const [part] = manifest.tables.control
  const [read] = await store().items(part ?? expect.fail('no part'))
  expect(read).toEqual({
    ...odd,
    bytes: { B: Buffer.from([0, 255, 10]) },
    nested: { M: { list: { L: [{ B: Buffer.from([1]) }, { NULL: true }, { S: 'ä\n' }] } } },
    set: { BS: [Buffer.from([2]), Buffer.from([3])] },
  })
})

it('a table of any size goes into objects of a bounded one, and the last whole copy counts', async () => {
  const items = Array.from({ length: 7 }, (_, n) => tariff(`site#${n}`, { notes: 'x'.repeat(90) }))
  const pages = { control: [items.slice(0, 3), [], items.slice(3)], nodes: [] }
  const ports = { store: store(), scan: scan(pages), now: () => NIGHT + 1 }
  const done = await backUp('2026-01-17', ports, 400)
  expect(done).toEqual({
    key: 'registry/2026-01-17/manifest~2026-01-15T21:15:00.001Z.json',
    items: { control: 7, nodes: 0 },
  })
  // Begun later, and never finished.
  await store().put('2026-01-18', 'control', 0, ['{}\n'])
  const latest = (await store().latest()) ?? expect.fail('no copy')
  expect(latest.key).toBe(done.key)
  const parts = latest.manifest.tables.control
  expect(parts.map(({ items: count }) => count)).toEqual([3, 3, 1])
  const read = await Promise.all(parts.map((part) => store().items(part)))
  expect(read.flat()).toEqual(items)
  expect(await store().latest('2026-01-18')).toBeNull()
})

it('a copy of a table that was lost is passed over for one from before the loss', async () => {
  const copy = (day: string, pages: Record<BackedUpTable, TypedItem[][]>, afterMs: number) =>
    backUp(day, { store: store(), scan: scan(pages), now: () => NIGHT + afterMs })
  const node = marshall({ esp32_name: 'esp32-a', kind: 'node' })
  const tariffs = [[tariff('site#1')]]
  const whole = await copy('2026-01-20', { control: tariffs, nodes: [[node]] }, 2)
  const sameDay = await copy('2026-01-20', { control: tariffs, nodes: [] }, 3)
  const night = await copy('2026-01-21', { control: [], nodes: [] }, 4)

  const why = 'it holds nothing of nodes'
  const passedOver = [
    { key: night.key, why: 'it holds nothing of control' },
    { key: sameDay.key, why },
  ]
  expect(await store().latest()).toMatchObject({ key: whole.key, passedOver })
  expect(await store().latest('2026-01-20')).toMatchObject({
    key: whole.key,
    passedOver: [{ key: sameDay.key, why }],
  })
  // Of that day there is no other.
  expect(await store().latest('2026-01-21')).toMatchObject({ key: night.key, passedOver: [] })
})

it('a copy whose parts are not all there is none, as where another region got its manifest first', async () => {
  const copy = (day: string, afterMs: number) =>
    backUp(day, {
      store: store(),
      scan: scan({
        control: [[tariff(`site#${day}`)]],
        nodes: [[marshall({ esp32_name: `esp32-${day}`, kind: 'node' })]],
      }),
      now: () => NIGHT + afterMs,
    })
  const whole = await copy('2026-01-22', 5)
  const torn = await copy('2026-01-23', 6)
  const [part] = (await store().latest())?.manifest.tables.nodes ?? []
  const Key = part?.key ?? expect.fail('no part')
  await s3.send(new DeleteObjectCommand({ Bucket: 'kept', Key }))

  expect(await store().latest()).toMatchObject({
    key: whole.key,
    passedOver: [{ key: torn.key, why: `${Key} is not there` }],
  })
  expect(await store().latest('2026-01-23')).toBeNull()
})

it('an object that is not what the manifest names is not taken for it', async () => {
  const part = await store().put('2026-01-19', 'nodes', 0, ['{"Item":{}}\n'])
  objects.put(part.key, Buffer.from('{"Item":{}}'), 'application/gzip')
  await expect(store().items(part)).rejects.toThrow(
    `${part.key} must have the SHA-256 ${part.sha256} of its manifest, has `,
  )
  const gone = { ...part, key: 'registry/2026-01-19/nodes-00001~gone.json.gz' }
  await expect(store().items(gone)).rejects.toThrow(`${gone.key} cannot be read`)
})

it.each([
  ['control', 'tariff', true],
  ['control', 'ticket', true],
  ['control', 'a kind of next year', true],
  ['control', 'run', false],
  ['control', 'reconcile#2026-01-15', false],
  ['control', 'anchors', false],
  ['control', 'pause', false],
  ['control', 'idempotency', false],
  ['control', 'count', false],
  ['nodes', 'assignment#000000000000#1', true],
  ['nodes', 'decision#esp32-a#000001', true],
  ['nodes', 'outages#2026-01', true],
  ['nodes', 'watermark#esp32-a', false],
  ['nodes', 'presence', false],
] as const)('of %s, a copy of "%s": %s', (table, kind, kept) => {
  expect(isKept(table, marshall({ kind }))).toBe(kept)
})
