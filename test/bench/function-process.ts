/**
 * One bundled function in a process of its own, so that its processor time and memory are its own. It
 * takes events from its parent and answers each with what the handler cost.
 */
import { subscribe } from 'node:diagnostics_channel'
import { pathToFileURL } from 'node:url'

/** What one invocation cost. */
export interface Invoked {
  readonly wallMs: number
  readonly processorUs: number
  /** Calls of other services: HTTP requests that went out. */
  readonly calls: number
  readonly memoryMb: number
  readonly failed?: string
}

let calls = 0
subscribe('http.client.request.start', () => {
  calls += 1
})
const { handler } = await import(pathToFileURL(String(process.argv[2])).href)

process.on('message', async (event) => {
  const before = { processor: process.cpuUsage(), calls, atMs: performance.now() }
  let failed: string | undefined
  const context = {
    awsRequestId: 'bench',
    functionName: 'bench',
    getRemainingTimeInMillis: () => 60_000,
  }
  try {
    await handler(event, context)
  } catch (error) {
    failed = String(error)
  }
  const { user, system } = process.cpuUsage(before.processor)
  const invoked: Invoked = {
    wallMs: performance.now() - before.atMs,
    processorUs: user + system,
    calls: calls - before.calls,
    memoryMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    ...(failed !== undefined && { failed }),
  }
  process.send?.(invoked)
})
process.send?.('ready')
