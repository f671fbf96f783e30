import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openStream, type StreamSpec } from '../../local/firehose/stream.ts'
import { temporary } from './fixture/temporary.ts'

const NOW_MS = Date.parse('2026-01-15T18:45:07Z')
const spec: StreamSpec = {
  name: 'archive',
  arn: 'arn:archive',
  bucket: 'kept',
  prefix: 'raw/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/',
  errorPrefix: 'error/',
  intervalMs: 3_600_000,
  sizeBytes: 1_000_000,
  isGzipped: true,
}

/** A stream, and what it has put into its bucket. */
async function opened(folder: string, change: Partial<StreamSpec> = {}, isBroken = () => false) {
  const objects: { key: string; text: string }[] = []
  const logged: string[] = []
  const stream = await openStream({ ...spec, ...change }, folder, {
    now: () => NOW_MS,
    log: (_, message) => void logged.push(message),
    putObject(bucket, key, body) {
      if (isBroken()) throw new Error('disk full')
      expect(bucket).toBe('kept')
      objects.push({ key, text: gunzipSync(body).toString() })
    },
  })
  return { stream, objects, logged }
}
const line = (text: string) => Buffer.from(`${text}\n`)

describe('a delivery stream', () => {
  it('writes what it was given as one gzipped object, named by the day of the oldest in UTC', async () => {
    const { stream, objects } = await opened(temporary())
    await Promise.all(['a', 'b', 'c'].map((text) => stream.put(line(text))))
    expect(await stream.deliver()).toBe(3)
    expect(objects).toEqual([{ key: expect.any(String), text: 'a\nb\nc\n' }])
    expect(objects[0]?.key).toMatch(
      /^raw\/year=2026\/month=01\/day=15\/archive-1-2026-01-15-18-45-07-[0-9a-f-]{36}\.gz$/,
    )
    expect(await stream.deliver()).toBe(0)
    await stream.stop()
    expect(objects).toHaveLength(1)
  })

  it('delivers by itself when there is enough', async () => {
    const { stream, objects } = await opened(temporary(), { sizeBytes: 10 })
    await stream.put(line('123456789'))
    await stream.deliver()
    expect(objects).toHaveLength(1)
    await stream.stop()
  })

  it('delivers what is left when it stops', async () => {
    const { stream, objects } = await opened(temporary())
    await stream.put(line('last'))
    await stream.stop()
    expect(objects).toMatchObject([{ text: 'last\n' }])
  })

  it('has lost nothing it answered for when its process was killed', async () => {
    const folder = temporary()
    const killed = await opened(folder)
    await killed.stream.put(line('answered'))
    // The process ends here, in the middle of another record.
    const file = join(folder, 'open.ndjson')
    expect(existsSync(file)).toBe(true)
    writeFileSync(file, '{"at_ms":1,"da', { flag: 'a' })
    const next = await opened(folder)
    await next.stream.put(line('later'))
    await next.stream.stop()
    expect(next.objects.map(({ text }) => text)).toEqual(['answered\n', 'later\n'])
    expect(readdirSync(folder)).toEqual([])
  })

  it('keeps what it could not deliver until it can', async () => {
    let isBroken = true
    const folder = temporary()
    const { stream, objects } = await opened(folder, {}, () => isBroken)
    await stream.put(line('held'))
    await expect(stream.deliver()).rejects.toThrow('disk full')
    expect(readdirSync(folder)).toHaveLength(1)
    isBroken = false
    await stream.put(line('next'))
    expect(await stream.deliver()).toBe(2)
    expect(objects.map(({ text }) => text)).toEqual(['held\n', 'next\n'])
    await stream.stop()
  })
})
