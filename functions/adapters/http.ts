/** An error as RFC 9457 problem details: one place turns outcomes into HTTP. */
export interface Problem {
  readonly status: number
  readonly title: string
  /** Names the field, the limit and the value. */
  readonly detail: string
}

export interface HttpResponse {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
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

export function problem({ status, title, detail }: Problem): HttpResponse {
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
    },
    body: JSON.stringify({ type: 'about:blank', title, status, detail }),
  }
}
