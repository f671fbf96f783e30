import { expect, it } from 'vitest'
import { laidDown } from '../../cli/archive/expired.ts'

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

it('lines of the archive that hold no message are named, and the others are read', async () => {
  const objects: Record<string, string[]> = {
    'raw/a': [line('esp32-a', 1), '{"payload":', line('esp32-b', 1)],
    'raw/b': ['{}', line('esp32-a', 2)],
  }
  using found = await laidDown(
    {
      async *objects() {
        for (const key of Object.keys(objects)) yield { key, bytes: 1 }
      },
      lines: async (key) => objects[key] ?? [],
    },
    'esp32-a',
    2_000,
  )
  expect(found.messages).toBe(2)
  expect(found.readings('esp32-a').map(({ seq }) => seq)).toEqual([1, 2])
  expect(found.unreadable).toEqual([
    { key: 'raw/a', line: 2, reason: expect.stringContaining('is no JSON') },
    { key: 'raw/b', line: 1, reason: expect.stringContaining('payload') },
  ])
})
