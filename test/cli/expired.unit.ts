import { expect, it } from 'vitest'
import { laidDown } from '../../cli/archive/expired.ts'
import { unreadableLines } from '../../cli/verification/verify.ts'

const line = (esp32_name: string, sequence_no: number) =>
  JSON.stringify({
    payload: Buffer.from(
      JSON.stringify({ counter_epoch: 7, sequence_no, energy_wh_total: sequence_no }),
    ).toString('base64'),
    esp32_name,
    channel: 'telemetry',
    client_id: esp32_name,
    principal: 'p',
    received_at: 1_000 + sequence_no,
  })

const archiveOf = (objects: Record<string, string[]>) => ({
  async *objects() {
    for (const key of Object.keys(objects)) yield { key, bytes: 1 }
  },
  lines: async (key: string) => objects[key] ?? [],
})

it('lines of the archive that hold no message are named, and the others are read', async () => {
  const objects: Record<string, string[]> = {
    'raw/a': [line('esp32-a', 1), '{"payload":', line('esp32-b', 1)],
    'raw/b': ['{}', line('esp32-a', 2)],
  }
  using found = await laidDown(archiveOf(objects), 'esp32-a', 2_000)
  expect(found.messages).toBe(2)
  expect(found.readings('esp32-a').map(({ seq }) => seq)).toEqual([1, 2])
  expect(found.unreadable).toEqual({
    count: 2,
    objects: 2,
    first: [
      { key: 'raw/a', line: 2, reason: expect.stringContaining('is no JSON') },
      { key: 'raw/b', line: 1, reason: expect.stringContaining('payload') },
    ],
    lastKey: 'raw/b',
  })
})

it('of a damaged archive the first lines are held and named, and all are counted', async () => {
  const damaged = Array.from({ length: 600 }, () => '{')
  const archive = archiveOf({ 'raw/a': damaged, 'raw/b': [line('esp32-a', 1)], 'raw/c': damaged })
  using found = await laidDown(archive, undefined, 2_000)
  expect(found.messages).toBe(1)
  expect(found.unreadable).toMatchObject({ count: 1_200, objects: 2, lastKey: 'raw/c' })
  expect(found.unreadable.first.map((it) => it.line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  const told = unreadableLines(found.unreadable)
  expect(told).toHaveLength(12)
  expect(told[0]).toBe('MISMATCH  archive: 1200 lines of 2 objects cannot be read')
  expect(told[1]).toMatch(/^ {10}raw\/a line 1: .+/)
  expect(told[11]).toBe('          and 1190 more, the last in raw/c')
})
