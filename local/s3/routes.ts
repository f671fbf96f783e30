import { createHash } from 'node:crypto'
import type { ControlRequest, ControlResponse, ControlRoute } from '../runtime.ts'
import type { LocalBucket } from './buckets.ts'
import type { Presigner } from './presigned.ts'

const MAX_KEYS = 1_000

/** The part of S3's REST protocol the project uses, by path: put, get, list and delete. */
export function s3Routes(
  buckets: ReadonlyMap<string, LocalBucket>,
  presigner: Presigner,
): ControlRoute[] {
  if (buckets.size === 0) return []
  const names = [...buckets.keys()].map((name) => name.replace(/[^a-z0-9-]/g, '\\$&')).join('|')
  const object = new RegExp(`^/(${names})/(.+)$`)
  const bucket = new RegExp(`^/(${names})/?$`)
  const find = ({ params }: ControlRequest) => buckets.get(params[0] ?? '') as LocalBucket
  const keyOf = ({ params }: ControlRequest) => params[1] ?? ''
  return [
    {
      method: 'PUT',
      path: object,
      async handle(request) {
        const body = bodyOf(request)
        if (body === null) return failure(400, 'InvalidRequest', 'the chunks cannot be read')
        const given = request.headers['x-amz-checksum-sha256']
        if (given !== undefined && given !== sha256(body)) {
          return failure(400, 'BadDigest', 'x-amz-checksum-sha256 is not that of the body')
        }
        const type = request.headers['content-type'] ?? 'application/octet-stream'
        const stored = find(request).put(keyOf(request), body, type)
        const headers = { etag: `"${stored.etag}"`, 'x-amz-version-id': stored.version }
        return { status: 200, headers }
      },
    },
    {
      method: 'GET',
      path: object,
      async handle(request) {
        const refused = presigner.refusal(request.path, request.query)
        if (refused !== undefined) return failure(403, 'AccessDenied', refused)
        const version = request.query.get('versionId') ?? undefined
        const stored = find(request).objects.get(keyOf(request), version)
        if (stored === undefined) return failure(404, 'NoSuchKey', 'there is no such key')
        const headers = {
          etag: `"${stored.etag}"`,
          'content-type': stored.type,
          'x-amz-version-id': stored.version,
        }
        return { status: 200, headers, body: stored.body }
      },
    },
    {
      method: 'DELETE',
      path: object,
      async handle(request) {
        const { isLocked, isVersioned, objects } = find(request)
        if (isLocked) {
          const why = 'Access Denied because object protected by object lock.'
          return failure(403, 'AccessDenied', why)
        }
        if (!isVersioned || request.query.has('versionId')) {
          return failure(403, 'AccessDenied', 'No version is deleted for good here.')
        }
        const { version } = objects.remove(keyOf(request))
        return {
          status: 204,
          headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version },
        }
      },
    },
    {
      method: 'GET',
      path: bucket,
      async handle(request) {
        const { objects } = find(request)
        const prefix = request.query.get('prefix') ?? ''
        const after = request.query.get('continuation-token') ?? request.query.get('start-after')
        const all = objects
          .list()
          .filter(({ key }) => key.startsWith(prefix) && key > (after ?? ''))
        const page = all.slice(0, MAX_KEYS)
        const last = page.length < all.length ? page.at(-1)?.key : undefined
        const contents = page.map(
          (it) =>
            `<Contents><Key>${xml(it.key)}</Key><LastModified>${new Date(it.at_ms).toISOString()}</LastModified><ETag>&quot;${it.etag}&quot;</ETag><Size>${it.size}</Size></Contents>`,
        )
        const next =
          last === undefined ? '' : `<NextContinuationToken>${xml(last)}</NextContinuationToken>`
        return answer(
          200,
          `<ListBucketResult><Name>${request.params[0]}</Name><Prefix>${xml(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${MAX_KEYS}</MaxKeys><IsTruncated>${last !== undefined}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
        )
      },
    },
  ]
}

/** The SDK may send a body in chunks with a checksum behind it; null when that cannot be read. */
function bodyOf({ headers, body }: ControlRequest): Buffer | null {
  if (!/aws-chunked/.test(headers['content-encoding'] ?? '')) return body
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at)
    if (end < 0) return null
    const size = Number.parseInt(body.subarray(at, end).toString('latin1'), 16)
    if (Number.isNaN(size)) return null
    if (size === 0) return Buffer.concat(parts)
    parts.push(body.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}

const sha256 = (body: Buffer) => createHash('sha256').update(body).digest('base64')

function failure(status: number, code: string, message: string): ControlResponse {
  return answer(status, `<Error><Code>${code}</Code><Message>${xml(message)}</Message></Error>`)
}

function answer(status: number, text: string): ControlResponse {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${text}`
  return { status, headers: { 'content-type': 'application/xml' }, body }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}
const xml = (text: string) => text.replace(/[&<>"]/g, (it) => ENTITIES[it] ?? it)
