/** CORS settings of the API. */
export interface Cors {
  allowOrigins: readonly string[]
  allowMethods: readonly string[]
  allowHeaders: readonly string[]
  exposeHeaders: readonly string[]
  maxAgeSeconds?: number | undefined
  allowCredentials: boolean
}

function allows(cors: Cors, origin: string): boolean {
  return cors.allowOrigins.some(
    (it) =>
      it === '*' || it === origin || (it.endsWith('://*') && origin.startsWith(it.slice(0, -1))),
  )
}

/** The headers API Gateway puts on every answer to a request of this origin; they replace the function's. */
export function corsHeaders(cors: Cors | undefined, origin: string | undefined) {
  if (!cors || origin === undefined || !allows(cors, origin)) return {}
  const headers: Record<string, string> = {
    'access-control-allow-origin': cors.allowOrigins.includes('*') ? '*' : origin,
  }
  if (cors.allowCredentials) headers['access-control-allow-credentials'] = 'true'
  if (cors.exposeHeaders.length > 0) {
    headers['access-control-expose-headers'] = cors.exposeHeaders.join(',')
  }
  if (headers['access-control-allow-origin'] !== '*') headers.vary = 'Origin'
  return headers
}

/** The headers that answer a preflight request; none when the origin may not call. */
export function preflightHeaders(cors: Cors, origin: string): Record<string, string> {
  if (!allows(cors, origin)) return {}
  const headers: Record<string, string> = corsHeaders(cors, origin)
  const { allowMethods, allowHeaders, maxAgeSeconds } = cors
  if (allowMethods.length > 0) headers['access-control-allow-methods'] = allowMethods.join(',')
  if (allowHeaders.length > 0) headers['access-control-allow-headers'] = allowHeaders.join(',')
  if (maxAgeSeconds !== undefined) headers['access-control-max-age'] = String(maxAgeSeconds)
  return headers
}

/** API Gateway answers these itself when the API has CORS settings, whatever routes there are. */
export function isPreflight(method: string, headers: Record<string, unknown>): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  )
}
