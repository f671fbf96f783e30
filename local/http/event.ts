import { decoded } from './routing.ts'

/** A request as it came in. Header names are lower case; `url` is path and query, undecoded. */
export interface HttpRequest {
  method: string
  url: string
  protocol: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Buffer
  sourceIp: string
  requestId: string
  receivedAtMs: number
}

/** The route it goes to. */
export interface Routed {
  routeKey: string
  parameters: Readonly<Record<string, string>>
  api: { accountId: string; id: string; domainName: string; stage: string }
  port: number
  jwt?: { claims: Record<string, string>; scopes: string[] | null }
}

/** Only these reach a function as text (measured against AWS by others); the rest comes in base64. */
const TEXT = /^(text\/|application\/(json|xml|javascript)\s*(;|$))/i

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `12/Mar/2020:19:03:58 +0000`, the form of access logs. */
export function logTime(atMs: number): string {
  const [date = '', time = ''] = new Date(atMs).toISOString().split('T')
  const [year, month, day] = date.split('-')
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`
}

/** The Lambda event of payload format 2.0. `rawPath` is decoded and `rawQueryString` is not, as on AWS. */
export function toEvent(request: HttpRequest, routed: Routed): Record<string, unknown> {
  const [path = '/', query] = cut(request.url, '?')
  const { cookie, ...headers } = request.headers
  const { api, parameters, routeKey, jwt } = routed
  const cookies = [cookie ?? []].flat().flatMap((it) => it.split(/;\s*/))
  const contentType = [headers['content-type'] ?? ''].flat()[0] ?? ''
  const text = TEXT.test(contentType)
  const hex = (value: number) => value.toString(16).padStart(8, '0')
  const trace = `Root=1-${hex(Math.floor(request.receivedAtMs / 1000))}-${request.requestId.replaceAll('-', '').slice(0, 24)}`
  return {
    version: '2.0',
    routeKey,
    rawPath: decoded(path),
    rawQueryString: query ?? '',
    ...(cookies.length > 0 ? { cookies } : {}),
    headers: {
      ...joined(headers),
      'x-amzn-trace-id': trace,
      'x-forwarded-for': request.sourceIp,
      'x-forwarded-port': String(routed.port),
      'x-forwarded-proto': 'http',
    },
    ...(query ? { queryStringParameters: queryParameters(query) } : {}),
    ...(Object.keys(parameters).length > 0 ? { pathParameters: parameters } : {}),
    requestContext: {
      accountId: api.accountId,
      apiId: api.id,
      ...(jwt ? { authorizer: { jwt } } : {}),
      domainName: api.domainName,
      domainPrefix: api.domainName.split('.')[0],
      http: {
        method: request.method,
        path: decoded(path),
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: [headers['user-agent'] ?? ''].flat().join(','),
      },
      requestId: request.requestId,
      routeKey,
      stage: api.stage,
      time: logTime(request.receivedAtMs),
      timeEpoch: request.receivedAtMs,
    },
    ...(request.body.length > 0 ? { body: request.body.toString(text ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: request.body.length > 0 && !text,
  }
}

function cut(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at)
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)]
}

function joined(headers: HttpRequest['headers']): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = [value].flat().join(',')
  }
  return result
}

/** Repeated parameters are joined by commas, as in every payload of format 2.0. */
function queryParameters(query: string): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    result[name] = Object.hasOwn(result, name) ? `${result[name]},${value}` : value
  }
  return result
}
