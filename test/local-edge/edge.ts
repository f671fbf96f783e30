import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { handler as preToken } from '../../functions/identity/pre-token.ts'
import { metricStore } from '../../local/metrics/store.ts'
import type {
  ControlRoute,
  InvokeResult,
  Plugin,
  Resource,
  Runtime,
  Started,
} from '../../local/runtime.ts'

/** The function a pool of these tests asks before it makes tokens. */
export const PRE_TOKEN = 'arn:aws:lambda:ap-south-1:000000000000:function:autovolt-local-pre-token'

/** A runtime that only records what the plug-ins ask of it, with a real store and control endpoint. */
export interface Edge extends AsyncDisposable {
  runtime: Runtime
  started: Started
  invocations: { arn: string; event: Record<string, unknown>; orderKey?: string }[]
  queued: { arn: string; body: string }[]
  logged: { source: string; message: string; fields: Record<string, unknown> }[]
  /** Replaces what happens when a rule hands over an event, or a route calls a function. */
  takeAsync: (event: Record<string, unknown>) => Promise<void>
  /** The same for a record a rule puts into a delivery stream. */
  takeRecord: (stream: string, text: string) => Promise<void>
  answer: (arn: string, event: Record<string, unknown>) => Promise<InvokeResult>
  control: string
  stop(): Promise<void>
}

export interface EdgeOptions {
  resources: readonly Resource[]
  plugins: readonly Plugin[]
  /** Kept afterwards when given; otherwise a temporary one that is removed. */
  dataDir?: string
  httpPort?: number
  mqttPort?: number
}

export function resource(
  type: string,
  logicalId: string,
  properties: Record<string, unknown>,
  ref = logicalId,
  attributes: Record<string, unknown> = {},
): Resource {
  return { logicalId, stack: 'Test', path: `Test/${logicalId}`, type, properties, ref, attributes }
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'autovolt-edge-'))
}

export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const dataDir = options.dataDir ?? temporaryFolder()
  mkdirSync(dataDir, { recursive: true })
  const store = new DatabaseSync(join(dataDir, 'local.sqlite'))
  store.exec('PRAGMA journal_mode = WAL')
  const routes: ControlRoute[] = []
  const server = serveControl(routes)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const control = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const edge: Pick<
    Edge,
    'invocations' | 'queued' | 'logged' | 'takeAsync' | 'takeRecord' | 'answer'
  > = {
    invocations: [],
    queued: [],
    logged: [],
    takeAsync: async () => {},
    takeRecord: async () => {},
    answer: async () => ({ payload: {} }),
  }
  const runtime: Runtime = {
    dataDir,
    stage: 'local',
    region: 'ap-south-1',
    controlUrl: control,
    resources: options.resources,
    ofType: (type) => options.resources.filter((it) => it.type === type),
    outputs: {},
    store,
    endpoints: {},
    assetPath: () => undefined,
    fail: (error) => {
      throw error
    },
    now: () => Date.now(),
    invokeAsync(arn, event, orderKey) {
      const record = { arn, event: event as Record<string, unknown> }
      edge.invocations.push(orderKey === undefined ? record : { ...record, orderKey })
      return edge.takeAsync(record.event)
    },
    async invoke(arn, event) {
      // Tokens are made with the real function, whatever a test lets routes answer.
      if (arn === PRE_TOKEN) return { payload: await preToken(event as never, {} as never) }
      return edge.answer(arn, event as Record<string, unknown>)
    },
    sendToQueue: (arn, body) => void edge.queued.push({ arn, body }),
    putObject: () => {},
    presign: (bucket, key) => `${control}/${bucket}/${key}`,
    putRecord: (stream, data) => edge.takeRecord(stream, data.toString('utf8')),
    publish: () => {},
    figures: metricStore(),
    pages: [],
    log: (source, message, fields = {}) => void edge.logged.push({ source, message, fields }),
  }
  const all: Started[] = []
  const stop = async () => {
    for (const it of all.splice(0).reverse()) await it.stop()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    if (store.isOpen) store.close()
    if (!options.dataDir) rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    for (const plugin of options.plugins) {
      const { httpPort = 0, mqttPort = 0 } = options
      const started = await plugin.start(runtime, {
        httpPort,
        mqttPort,
        dataDir,
        fresh: true,
        fleet: false,
      })
      routes.push(...(started.controlRoutes ?? []))
      all.push(started)
    }
  } catch (error) {
    await stop()
    throw error
  }
  const started: Started = {
    endpoints: Object.assign({}, ...all.map((it) => it.endpoints ?? {})),
    stop,
  }
  return Object.assign(edge, { runtime, started, control, stop, [Symbol.asyncDispose]: stop })
}

/** The control endpoint as the stack serves it: first route that fits, capture groups decoded. */
function serveControl(routes: readonly ControlRoute[]): Server {
  return createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', 'http://control')
    const route = routes.find((it) => it.method === request.method && it.path.test(url.pathname))
    if (!route) {
      response.writeHead(404).end()
      return
    }
    const params = (route.path.exec(url.pathname) ?? []).slice(1).map(decodeURIComponent)
    const answer = await route.handle({
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers as Record<string, string | undefined>,
      body: Buffer.concat(chunks),
      params,
    })
    response.writeHead(answer.status, answer.headers).end(answer.body)
  })
}
