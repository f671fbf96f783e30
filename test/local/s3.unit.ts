import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Resource } from '../../local/runtime.ts'
import { openBuckets } from '../../local/s3/buckets.ts'
import { makePresigner } from '../../local/s3/presigned.ts'
import { temporary } from './fixture/temporary.ts'

const bucket = (name: string, properties: Record<string, unknown> = {}): Resource => ({
  logicalId: name,
  stack: 'Test',
  path: `Test/${name}`,
  type: 'AWS::S3::Bucket',
  properties: { BucketName: name, VersioningConfiguration: { Status: 'Enabled' }, ...properties },
  ref: name,
  attributes: { Arn: `arn:aws:s3:::${name}` },
})
const copied = (to: string, prefix: string) => ({
  ReplicationConfiguration: {
    Role: 'arn:role',
    Rules: [
      {
        Id: 'raw',
        Status: 'Enabled',
        Priority: 1,
        Filter: { Prefix: prefix },
        Destination: { Bucket: `arn:aws:s3:::${to}` },
        DeleteMarkerReplication: { Status: 'Disabled' },
      },
    ],
  },
})
const open = (folder: string, ...resources: Resource[]) => {
  const buckets = openBuckets(resources, folder, () => 1_000)
  const named = (name: string) => buckets.get(name) ?? expect.fail(name)
  const keys = (name: string) =>
    named(name)
      .objects.list()
      .map(({ key }) => key)
  return { named, keys, close: () => buckets.forEach(({ objects }) => void objects.close()) }
}

describe('a bucket', () => {
  it('has its objects again after a start, bodies and versions', () => {
    const folder = temporary()
    const first = open(folder, bucket('kept'))
    const { version } = first.named('kept').put('a', Buffer.from('one'), 'text/plain')
    first.named('kept').put('a', Buffer.from('two, longer'), 'text/plain')
    first.close()
    // A line that was being written when the machine stopped.
    appendFileSync(join(folder, 'kept.ndjson'), '{"key":"b","vers')
    const again = open(folder, bucket('kept'))
    again.named('kept').put('c', Buffer.from('three'), 'text/plain')
    const { objects } = again.named('kept')
    expect(objects.get('a')?.body.toString()).toBe('two, longer')
    expect(objects.get('a', version)?.body.toString()).toBe('one')
    expect(objects.get('b')).toBeUndefined()
    expect(objects.list()).toMatchObject([
      { key: 'a', size: 11 },
      { key: 'c', size: 5 },
    ])
    again.close()
  })

  it('does not list what was removed, and still has its versions', () => {
    const folder = temporary()
    const first = open(folder, bucket('kept'))
    const { version } = first.named('kept').put('a', Buffer.from('one'), 'text/plain')
    first.named('kept').objects.remove('a')
    first.close()
    const again = open(folder, bucket('kept'))
    expect(again.keys('kept')).toEqual([])
    expect(again.named('kept').objects.get('a')).toBeUndefined()
    expect(again.named('kept').objects.get('a', version)?.body.toString()).toBe('one')
    again.close()
  })

  it('is copied as far as its rule says, and removals are not', () => {
    const it = open(temporary(), bucket('kept', copied('copy', 'raw/')), bucket('copy'))
    it.named('kept').put('raw/a', Buffer.from('one'), 'text/plain')
    it.named('kept').put('athena/b', Buffer.from('two'), 'text/plain')
    it.named('kept').objects.remove('raw/a')
    expect(it.keys('kept')).toEqual(['athena/b'])
    expect(it.keys('copy')).toEqual(['raw/a'])
    it.close()
  })

  it('is copied to a bucket of the app only', () => {
    expect(() => open(temporary(), bucket('kept', copied('elsewhere', '')))).toThrow(
      /elsewhere is no bucket of this app/,
    )
  })
})

describe('a presigned address', () => {
  const START = Date.parse('2026-11-26T05:00:00.500Z')
  let nowMs = START
  const { sign, refusal } = makePresigner('http://127.0.0.1:1', () => nowMs)
  const asked = (text: string) => {
    const { pathname, searchParams } = new URL(text)
    return refusal(pathname, searchParams)
  }

  it('opens its object for its time, and nothing else', () => {
    const address = sign('images', 'a/b c.bin', 60)
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:1\/images\/a\/b%20c\.bin\?/)
    expect(asked(address)).toBeUndefined()
    expect(asked(address.replace('c.bin', 'd.bin'))).toMatch(/signature/)
    expect(asked(address.replace('Expires=60', 'Expires=600'))).toMatch(/signature/)
    expect(asked(address.replace(/Signature=..../, 'Signature='))).toMatch(/signature/)
    nowMs = START + 59_000
    expect(asked(address)).toBeUndefined()
    nowMs = START + 60_001
    expect(asked(address)).toBe('Request has expired')
  })
})
