import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { ControlRequest, ControlResponse, ControlRoute } from '../runtime.ts'

/** The loopback endpoint that stands for the AWS APIs the stack speaks. */
export interface ControlServer {
  url: string
  add(routes: readonly ControlRoute[]): void
  stop(): Promise<void>
}

const BODY_LIMIT_BYTES = 8 * 1024 * 1024

/** Listens on a free loopback port, without routes yet. `onError` hears what a route threw. */
export async function startControl(onError: (error: unknown) => void): Promise<ControlServer> {
  const routes: ControlRoute[] = []

  const respond = async (message: IncomingMessage): Promise<ControlResponse> => {
    const { pathname, searchParams } = new URL(message.url ?? '/', 'http://localhost')
    const target = headerOf(message, 'x-amz-target') ?? ''
    if (message.headers.origin !== undefined) {
      // This endpoint hands out tokens and certificates; no web page a browser shows may ask it.
      return failure(403, 'AccessDenied', 'The control endpoint does not serve browsers')
    }
    for (const route of routes) {
      if (route.method !== message.method) continue
      if (route.target && !route.target.test(target)) continue
      const match = route.path.exec(pathname)
      if (!match) continue
      const body = await bodyOf(message)
      if (!body) {
        return failure(
          413,
          'RequestTooLarge',
          `A request body has at most ${BODY_LIMIT_BYTES} bytes`,
        )
      }
      const request: ControlRequest = {
        method: message.method,
        path: pathname,
        query: searchParams,
        headers: Object.fromEntries(
          Object.keys(message.headers).map((name) => [name, headerOf(message, name)]),
        ),
        body,
        params: match.slice(1).map((it) => decodeURIComponent(it ?? '')),
      }
      return route.handle(request)
    }
    const what = `${message.method} ${pathname}${target === '' ? '' : ` (${target})`}`
    return failure(404, 'NotServedLocally', `Nothing on this machine serves ${what}`)
  }

  const server = createServer((message, response) => {
    respond(message)
      .catch((error: unknown) => {
        onError(error)
        const text = error instanceof Error ? error.message : String(error)
        return failure(500, 'InternalFailure', text)
      })
      .then((answer) => write(response, answer))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No loopback port')

  return {
    url: `http://127.0.0.1:${address.port}`,
    add: (more) => void routes.push(...more),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function write(response: ServerResponse, answer: ControlResponse): void {
  response.writeHead(answer.status, answer.headers).end(answer.body)
}

function failure(status: number, type: string, message: string): ControlResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ __type: type, message }),
  }
}

function headerOf(message: IncomingMessage, name: string): string | undefined {
  const value = message.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The whole body, or undefined when it is over the limit. */
async function bodyOf(message: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message) {
    bytes += chunk.length
    if (bytes > BODY_LIMIT_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
