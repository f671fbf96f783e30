import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { delivered, json, problem } from '../../functions/adapters/http.ts'

const small = json(200, { total_mwh: 1 })
const large = json(200, { text: 'x'.repeat(2_000) })

describe('a read', () => {
  it('carries a strong tag of its bytes and may be kept, but not shown unasked', () => {
    const { headers, body, isBase64Encoded } = delivered(small, {})
    expect(headers.etag).toMatch(/^"[\w-]{27}"$/)
    expect(headers['cache-control']).toBe('private, no-cache')
    expect(body).toBe('{"total_mwh":1}')
    expect(isBase64Encoded).toBeUndefined()
    expect(delivered(json(200, { total_mwh: 2 }), {}).headers.etag).not.toBe(headers.etag)
  })

  it.each([
    ['the tag', (tag: string) => tag],
    ['a list with the tag', (tag: string) => `"a", ${tag} ,"b"`],
    ['the tag as a weak one', (tag: string) => `W/${tag}`],
    ['any', () => '*'],
  ])('is not sent again to who has it: %s', (_, known) => {
    const tag = delivered(small, {}).headers.etag ?? ''
    const answer = delivered(small, { 'if-none-match': known(tag) })
    expect(answer).toMatchObject({ statusCode: 304, body: '', headers: { etag: tag } })
  })

  it('is sent to who has another one', () => {
    expect(delivered(small, { 'if-none-match': '"other"' }).statusCode).toBe(200)
  })

  it.each(['gzip', 'br, gzip', 'GZIP;q=0.5', '*', 'identity;q=0, *'])(
    'is compressed for %s',
    (accepted) => {
      const answer = delivered(large, { 'accept-encoding': accepted })
      expect(answer.headers['content-encoding']).toBe('gzip')
      expect(answer.isBase64Encoded).toBe(true)
      expect(gunzipSync(Buffer.from(answer.body, 'base64')).toString()).toBe(large.body)
      // Other bytes, another tag; and that one is known again.
      const plain = delivered(large, {})
      expect(answer.headers.etag).toBe(plain.headers.etag?.replace(/"$/, '-gzip"'))
      const request = { 'accept-encoding': accepted, 'if-none-match': answer.headers.etag }
      expect(delivered(large, request).statusCode).toBe(304)
    },
  )

  it.each([undefined, '', 'br', 'gzip;q=0', 'gzip;q=0, *'])(
    'is not compressed for %s',
    (accepted) => {
      expect(delivered(large, { 'accept-encoding': accepted }).isBase64Encoded).toBeUndefined()
    },
  )

  it('is not compressed when it is small', () => {
    expect(delivered(small, { 'accept-encoding': 'gzip' }).isBase64Encoded).toBeUndefined()
  })
})

it('an answer that Lambda could not hand back says so, unless it gets small', () => {
  const huge = json(200, { text: '"'.repeat(2_000_000) })
  const refused = delivered(huge, {})
  expect(refused.statusCode).toBe(400)
  expect(JSON.parse(refused.body).detail).toContain('at most 6000000 bytes, has 8000017')
  expect(delivered(huge, { 'accept-encoding': 'gzip' }).statusCode).toBe(200)
})

it('what went wrong carries no tag and is not kept', () => {
  const fault = { parameter: 'date', detail: 'must be a day' }
  const refused = problem({
    status: 400,
    title: 'Invalid query',
    detail: 'date: …',
    errors: [fault],
  })
  const answer = delivered(refused, { 'if-none-match': '*' })
  expect(answer.statusCode).toBe(400)
  expect(answer.headers).toEqual({
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
  })
  expect(JSON.parse(answer.body)).toEqual({
    type: 'about:blank',
    title: 'Invalid query',
    status: 400,
    detail: 'date: …',
    errors: [fault],
  })
})
