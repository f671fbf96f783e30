import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a post said. */
export interface Posted {
  readonly key: string | undefined
  readonly body: Record<string, unknown>
}

/** An ingestion endpoint such as the former system's. It can be switched off, and on again at the same address. */
export interface FormerSystem extends AsyncDisposable {
  readonly url: string
  /** Posts that were answered with 200. */
  readonly taken: Posted[]
  /** What it answers; 200 by default. */
  answers(status: (body: Record<string, unknown>) => number): void
  off(): Promise<void>
  on(): Promise<void>
}

export async function startFormerSystem(): Promise<FormerSystem> {
  const taken: Posted[] = []
  let status: (body: Record<string, unknown>) => number = () => 200
  const listen = async (port: number): Promise<Server> => {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const body = JSON.parse(Buffer.concat(chunks).toString())
      const code = status(body)
      const key = request.headers['idempotency-key']
      if (code === 200) taken.push({ key: typeof key === 'string' ? key : undefined, body })
      response.writeHead(code, { location: '/elsewhere' }).end(code === 200 ? '{}' : 'says why')
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
  const close = async (server: Server | undefined) => {
    server?.closeAllConnections()
    server?.close()
    if (server !== undefined) await once(server, 'close')
  }
  let server: Server | undefined = await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/api/power-analytics/telemetry`,
    taken,
    answers(other) {
      status = other
    },
    async off() {
      const open = server
      server = undefined
      await close(open)
    },
    async on() {
      server ??= await listen(port)
    },
    async [Symbol.asyncDispose]() {
      await close(server)
    },
  }
}
