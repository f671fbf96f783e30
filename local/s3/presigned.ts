import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Signs addresses of objects as S3's own do: who has one may fetch the object for a time, and nothing else. */
export interface Presigner {
  /** @returns an address that opens the object for so many seconds */
  sign(bucket: string, key: string, expiresInSec: number): string
  /** Why a request does not open the object; undefined for one that does, or that is not signed this way. */
  refusal(path: string, query: URLSearchParams): string | undefined
}

const SIGNATURE = 'X-Amz-Signature'

/** The key lives as long as the process: addresses of an earlier start open nothing. */
export function makePresigner(baseUrl: string, now: () => number): Presigner {
  const key = randomBytes(32)
  const signatureOf = (path: string, date: string | null, expires: string | null) =>
    createHmac('sha256', key).update(`${path}\n${date}\n${expires}`).digest()
  return {
    sign(bucket, objectKey, expiresInSec) {
      const path = `/${bucket}/${objectKey.split('/').map(encodeURIComponent).join('/')}`
      const date = new Date(now()).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
      const query = new URLSearchParams({
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Date': date,
        'X-Amz-Expires': String(expiresInSec),
        [SIGNATURE]: signatureOf(path, date, String(expiresInSec)).toString('hex'),
      })
      return `${baseUrl}${path}?${query}`
    },
    refusal(path, query) {
      const given = query.get(SIGNATURE)
      if (given === null) return undefined
      const date = query.get('X-Amz-Date')
      const expires = query.get('X-Amz-Expires')
      const signature = signatureOf(path, date, expires)
      const same = Buffer.from(given, 'hex')
      if (same.length !== signature.length || !timingSafeEqual(same, signature)) {
        return 'The request signature we calculated does not match the signature you provided.'
      }
      const [, y, m, d, h, min, s] =
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date ?? '') ?? []
      const signedAtMs = Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`)
      return now() > signedAtMs + Number(expires) * 1000 ? 'Request has expired' : undefined
    },
  }
}
