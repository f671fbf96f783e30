import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openapi } from '../../functions/contract/api/health.ts'
import type { HttpResponse } from '../http/response.ts'

/** The files of Swagger UI that the page asks for. */
const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
}

/** Nothing but its own files and this API: a token is typed into the page. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>AutoVolt API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`
const START = `SwaggerUIBundle({ url: ${JSON.stringify(openapi.path)}, dom_id: '#api' })\n`

/**
 * The docs page of the local stack, made from the API's own OpenAPI document. Undefined for a path that
 * is not its own; then the API is asked.
 */
export async function docsPage(method: string, path: string): Promise<HttpResponse | undefined> {
  const match = /^\/docs(?:\/(.*))?$/.exec(path)
  if (!match || (method !== 'GET' && method !== 'HEAD')) return undefined
  const name = match[1] ?? ''
  if (name === '') return page('text/html; charset=utf-8', Buffer.from(PAGE))
  if (name === 'start.js') return page('text/javascript; charset=utf-8', Buffer.from(START))
  const type = ASSETS[name]
  if (type === undefined) return undefined
  const folder = join(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'), '..')
  return page(type, await readFile(join(folder, name)))
}

function page(type: string, body: Buffer): HttpResponse {
  return {
    status: 200,
    headers: {
      'content-type': type,
      'cache-control': 'no-cache',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
    },
    body,
  }
}
