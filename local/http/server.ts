import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { LogContext } from './access-log.ts'
import type { HttpRequest } from './event.ts'
import type { Gateway } from './gateway.ts'
import { gatewayAnswer, type HttpResponse } from './response.ts'

/** API Gateway takes no larger request body. */
const BODY_LIMIT_BYTES = 10 * 1024 * 1024

/** Pages beside the API, which the template knows nothing of; undefined for what is none of them. */
export type Pages = (method: string, path: string) => Promise<HttpResponse | undefined>

/** Makes a node:http server in front of a gateway. `written` hears of every answer of the gateway. */
export function httpServer(
  gateway: Gateway,
  pages: Pages,
  now: () => number,
  written: (context: LogContext) => void,
): Server {
  return createServer((message, out) => {
    serve(message, out).catch(() => out.destroy())
  })

  async function serve(message: IncomingMessage, out: ServerResponse): Promise<void> {
    const page = await pages(message.method ?? 'GET', message.url?.split('?', 1)[0] ?? '/')
    if (page) {
      send(message, out, page)
      return
    }
    const requestId = randomUUID()
    const body = await bodyOf(message)
    if (!body) {
      const tooLarge = gatewayAnswer(413, 'Request Entity Too Large', { connection: 'close' })
      send(message, out, tooLarge)
      written({
        requestId,
        httpMethod: message.method,
        path: message.url?.split('?', 1)[0],
        'identity.sourceIp': sourceIp(message),
        requestTimeEpoch: now(),
        status: 413,
        responseLength: tooLarge.body.length,
        'error.message': 'Request Entity Too Large',
      })
      return
    }
    const request: HttpRequest = {
      method: message.method ?? 'GET',
      url: message.url ?? '/',
      protocol: `HTTP/${message.httpVersion}`,
      headers: message.headersDistinct,
      body,
      sourceIp: sourceIp(message),
      requestId,
      receivedAtMs: now(),
    }
    const { response, context } = await gateway(request)
    send(message, out, response)
    written(context)
  }
}

function sourceIp(message: IncomingMessage): string {
  return (message.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '')
}

function send(message: IncomingMessage, out: ServerResponse, response: HttpResponse): void {
  const withoutBody = response.status === 204 || response.status === 304
  out.writeHead(response.status, {
    ...response.headers,
    ...(withoutBody ? {} : { 'content-length': response.body.length }),
  })
  out.end(withoutBody || message.method === 'HEAD' ? undefined : response.body)
}

/** The whole body, or undefined when it is over the limit; then the rest is not read. */
async function bodyOf(message: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(message.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) return undefined
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message) {
    bytes += chunk.length
    if (bytes > BODY_LIMIT_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
