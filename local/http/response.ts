import * as z from 'zod'

/** An answer as it goes out. */
export interface HttpResponse {
  status: number
  headers: Record<string, string | string[]>
  body: Buffer
}

const structured = z.object({
  statusCode: z.int().min(100).max(599),
  headers: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .nullish()
    .transform((it) => it ?? {}),
  cookies: z
    .array(z.string())
    .nullish()
    .transform((it) => it ?? []),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
})

/** An answer of API Gateway itself: `{"message": …}`. */
export function gatewayAnswer(
  status: number,
  message: string,
  headers: Record<string, string> = {},
): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify({ message })),
  }
}

/**
 * Turns what a function returned into an answer, by the rules of payload format 2.0: an object with
 * a `statusCode` says all by itself; anything else is the body of a 200.
 * @throws when there is a `statusCode` but the object is malformed; API Gateway answers 500 then.
 */
export function fromFunction(payload: unknown): HttpResponse {
  const whole = typeof payload === 'object' && payload !== null && 'statusCode' in payload
  if (!whole) {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload ?? null)
    const headers = { 'content-type': 'application/json' }
    return { status: 200, headers, body: Buffer.from(text) }
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = structured.parse(payload)
  const out: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) out[name.toLowerCase()] = String(value)
  if (cookies.length > 0) out['set-cookie'] = cookies
  if (body) out['content-type'] ??= 'text/plain; charset=utf-8'
  return {
    status: statusCode,
    headers: out,
    body: Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8'),
  }
}
