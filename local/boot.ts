import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { App } from 'aws-cdk-lib'
import { startControl } from './control/server.ts'
import { openDataDir } from './data-dir.ts'
import { dynamodb } from './dynamodb/plugin.ts'
import { firehose } from './firehose/plugin.ts'
import { httpApi } from './http/plugin.ts'
import { identity } from './identity/plugin.ts'
import { inert } from './inert.ts'
import { iot } from './iot/plugin.ts'
import { lambda } from './lambda/plugin.ts'
import { openLogFiles } from './log-files.ts'
import { metricStore } from './metrics/store.ts'
import { operations } from './ops/plugin.ts'
import type { Endpoints, Plugin, Runtime, Started, StartOptions } from './runtime.ts'
import { s3 } from './s3/plugin.ts'
import { scheduler } from './scheduler/plugin.ts'
import { sns } from './sns/plugin.ts'
import { sqs } from './sqs/plugin.ts'
import { streams } from './streams/plugin.ts'
import { checkSupport, isInert } from './template/check.ts'
import { defaultIdentities } from './template/identities.ts'
import { resolveStacks } from './template/resolve.ts'
import { synthesize, synthesizeProject } from './template/synthesize.ts'

/** In the order of start; they stop in the reverse order, so what takes input in stops first. */
const plugins: readonly Plugin[] = [
  inert,
  s3,
  firehose,
  sqs,
  dynamodb,
  lambda,
  streams,
  scheduler,
  identity,
  iot,
  httpApi,
  // Behind those that name their target: it takes what has none.
  sns,
  operations,
]

/** A running stack. `await using` stops it. */
export interface LocalStack extends AsyncDisposable {
  /** The content of `<data-dir>/endpoints.json`. */
  readonly endpoints: Endpoints
  /** What to show to a person, by label. */
  readonly urls: Readonly<Record<string, string>>
  /** Rejects when a part the stack cannot go on without fails; never resolves otherwise. */
  readonly failed: Promise<never>
  stop(): Promise<void>
}

/** Options of `startLocal`: those of the command line, and what tests and the console add. */
export interface LocalOptions extends StartOptions {
  /** Another app than the project's own. */
  app?: App
  /** Hears what the start is doing, one line a step. */
  progress?: (line: string) => void
}

/**
 * Runs the synthesized app on this machine. Resolves when everything listens and
 * `<data-dir>/endpoints.json` is written. Throws `CannotRunLocally` when the app asks for
 * something this machine does not have, or the data directory is taken.
 */
export async function startLocal(options: LocalOptions): Promise<LocalStack> {
  const { progress = () => {} } = options
  const closers: (() => unknown)[] = []
  const close = async () => {
    for (const it of closers.splice(0).reverse()) await it()
  }

  try {
    const dataDir = openDataDir(options.dataDir, options.fresh)
    closers.push(() => dataDir.close())

    progress('Synthesizing the app and bundling its functions …')
    const app = options.app
      ? synthesize(options.app)
      : await synthesizeProject(dataDir.path, progress)
    if (app.reused) progress('  unchanged since the last start')

    const logs = openLogFiles(join(dataDir.path, 'logs'))
    closers.push(() => logs.flush())
    const log: Runtime['log'] = (source, message, fields) => {
      logs.write(
        source,
        JSON.stringify({ timestamp: new Date().toISOString(), message, ...fields }),
      )
    }
    const control = await startControl((error) => log('control', String(error)))
    closers.push(() => control.stop())

    const resolved = resolveStacks(app.stacks, {
      region: app.region,
      identities: Object.assign(
        defaultIdentities(control.url),
        ...plugins.map((it) => it.identities),
      ),
      inert: (type) => isInert(plugins, type),
    })
    checkSupport(resolved.resources, plugins)

    const failure = Promise.withResolvers<never>()
    // Nobody may be listening: a stack that is being stopped has no further use for the news.
    failure.promise.catch(() => {})
    const stage = stageOf(resolved.resources)
    const endpoints: Partial<Endpoints> = {
      control: control.url,
      stage,
      region: app.region,
      siteTimeZone: siteTimeZoneOf(resolved.resources),
      tables: {},
      functions: {},
      queues: {},
      pid: process.pid,
    }
    const notYet = (what: string) => () => {
      throw new Error(`${what} is not there yet: its plug-in starts later`)
    }
    const figures = metricStore(({ namespace, name }) => {
      log('alarms', 'too many metrics: left out from here on', { namespace, name })
    })
    const runtime: Runtime = {
      dataDir: dataDir.path,
      stage,
      region: app.region,
      controlUrl: control.url,
      resources: resolved.resources,
      outputs: resolved.outputs,
      store: dataDir.store,
      endpoints,
      ofType: (type) => resolved.resources.filter((it) => it.type === type),
      assetPath: (objectKey) => app.assets.get(objectKey),
      now: options.now ?? Date.now,
      invoke: notYet('Lambda'),
      invokeAsync: notYet('Lambda'),
      sendToQueue: notYet('SQS'),
      putObject: notYet('S3'),
      presign: notYet('S3'),
      putRecord: notYet('Firehose'),
      publish: notYet('SNS'),
      figures,
      pages: [],
      fail: (error) => failure.reject(error),
      log,
    }

    const urls: Record<string, string> = {}
    for (const plugin of plugins) {
      const count = runtime.resources.filter((it) => plugin.supports[it.type]).length
      if (plugin !== inert && count > 0) progress(`Starting ${plugin.name} (${count} resources) …`)
      const started: Started = await plugin.start(runtime, options)
      closers.push(() => started.stop())
      control.add(started.controlRoutes ?? [])
      Object.assign(runtime, started.provides)
      Object.assign(endpoints, started.endpoints)
      Object.assign(urls, started.urls)
    }

    const file = join(dataDir.path, 'endpoints.json')
    writeEndpoints(file, endpoints)
    closers.push(() => rmSync(file, { force: true }))

    const stack: LocalStack = {
      endpoints: endpoints as Endpoints,
      urls,
      failed: failure.promise,
      stop: close,
      [Symbol.asyncDispose]: close,
    }
    if (options.fleet) closers.push(await startFleet(stack, dataDir.path, progress))
    const { nativeNode = 0 } = options
    if (nativeNode > 0) {
      closers.push(await startNative(stack, dataDir.path, nativeNode, progress))
    }
    return stack
  } catch (error) {
    await close()
    throw error
  }
}

async function startFleet(stack: LocalStack, dataDir: string, log: (line: string) => void) {
  log('Starting the simulated campus …')
  // Loaded only when asked for: it brings an MQTT client and the command line's provisioning.
  const fleet = await import('./fleet/fleet.ts')
  const running = await fleet.startFleet({ endpoints: stack.endpoints, dataDir }, { log })
  return () => running.stop()
}

async function startNative(
  stack: LocalStack,
  dataDir: string,
  count: number,
  log: (line: string) => void,
) {
  log("Starting nodes with the firmware's own code …")
  const native = await import('./native/native.ts')
  const running = await native.startNative({ endpoints: stack.endpoints, dataDir }, count, { log })
  return () => running.stop()
}

/** Whoever waits for the file must never read half of it. */
function writeEndpoints(file: string, endpoints: Partial<Endpoints>): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(endpoints, null, 2)}\n`)
  renameSync(`${file}.new`, file)
}

function stageOf(resources: Runtime['resources']): string {
  for (const it of resources) {
    const stage = /^autovolt-([a-z]+)-/.exec(it.ref)?.[1]
    if (stage) return stage
  }
  return 'local'
}

function siteTimeZoneOf(resources: Runtime['resources']): string {
  for (const it of resources) {
    const environment = it.properties.Environment as { Variables?: Record<string, string> }
    const zone = environment?.Variables?.SITE_TIME_ZONE
    if (it.type === 'AWS::Lambda::Function' && zone) return zone
  }
  return 'UTC'
}
