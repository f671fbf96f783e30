import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/** What is wrong with one part of a request: of its body (an RFC 6901 pointer) or of its query. */
export type Fault =
  | { readonly pointer: string; readonly detail: string }
  | { readonly parameter: string; readonly detail: string }

/** An error as RFC 9457 problem details: one place turns outcomes into HTTP. */
export interface Problem {
  readonly status: number
  readonly title: string
  /** Names the field, the limit and the value. */
  readonly detail: string
  /** Each fault by itself, where there are several parts that can be wrong. */
  readonly errors?: readonly Fault[]
}

export interface HttpResponse {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The body is binary, in base64. */
  readonly isBase64Encoded?: boolean
}

export function json(
  statusCode: number,
  body: unknown,
  headers: Record<string, string> = {},
): HttpResponse {
  return {
    statusCode,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    },
    body: JSON.stringify(body),
  }
}

export function problem({ status, title, detail, errors }: Problem): HttpResponse {
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
    },
    body: JSON.stringify({ type: 'about:blank', title, status, detail, errors }),
  }
}

/** Headers of a request as API Gateway gives them: lower-case names. */
type RequestHeaders = Readonly<Record<string, string | undefined>>

/** What Lambda hands back at most, as JSON; a little is left for headers. */
const MAX_ANSWER_BYTES = 6_000_000

/** A smaller body does not get smaller by more than gzip's own frame. */
const GZIP_FROM_BYTES = 1_024

/**
 * An answer to a read as it goes out: with a strong entity tag, as a 304 when the caller has it
 * already, and compressed where the caller takes that. What is not a 200 is only compressed.
 *
 * A client may keep the answer, but asks before it shows it: figures change at any moment.
 */
export function delivered(response: HttpResponse, request: RequestHeaders): HttpResponse {
  const zips = response.body.length >= GZIP_FROM_BYTES && takesGzip(request['accept-encoding'])
  if (response.statusCode !== 200) return zips ? zipped(response) : response
  // A strong tag names bytes, and the compressed form has others.
  const tag = `"${digest(response.body)}${zips ? '-gzip' : ''}"`
  const validators = {
    etag: tag,
    'cache-control': 'private, no-cache',
    vary: 'Accept-Encoding, Authorization',
  }
  if (isKnown(tag, request['if-none-match'])) {
    return { statusCode: 304, headers: validators, body: '' }
  }
  const tagged = { ...response, headers: { ...response.headers, ...validators } }
  return bounded(zips ? zipped(tagged) : tagged)
}

/** Lambda would fail without a word on a larger answer; this one says what to do. */
function bounded(response: HttpResponse): HttpResponse {
  // No character takes more than six bytes of JSON.
  if (response.body.length * 6 <= MAX_ANSWER_BYTES) return response
  const bytes = Buffer.byteLength(JSON.stringify(response.body))
  if (bytes <= MAX_ANSWER_BYTES) return response
  const limit = `the answer must have at most ${MAX_ANSWER_BYTES} bytes, has ${bytes}`
  const detail = `${limit}; name a classroom, ask for a shorter range, or accept gzip`
  return problem({ status: 400, title: 'Answer too large', detail })
}

function zipped(response: HttpResponse): HttpResponse {
  return {
    ...response,
    headers: { ...response.headers, 'content-encoding': 'gzip' },
    body: gzipSync(response.body).toString('base64'),
    isBase64Encoded: true,
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest('base64url').slice(0, 27)

/** `gzip` or `*` in the list, unless its weight is zero. */
function takesGzip(accepted: string | undefined): boolean {
  const weights = new Map(
    (accepted ?? '').split(',').map((item) => {
      const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
      return [coding, Number(weight ?? 1)] as const
    }),
  )
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0
}

/** By weak comparison, as RFC 9110 asks for `If-None-Match`. */
function isKnown(tag: string, known: string | undefined): boolean {
  if (known === undefined) return false
  return known
    .split(',')
    .some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag)
}
