import { Failure, usage } from '../failure.ts'
import { type Progress, sendAll } from '../mqtt/sender.ts'
import { type Outgoing, openSession } from '../mqtt/session.ts'
import type { Output } from '../program.ts'
import { readCredentials, thingDirectory } from '../provisioning/files.ts'
import type { Stack } from '../stack/stack.ts'
import { consecutiveDays, type SiteDay } from './day.ts'
import { messagesOf } from './messages.ts'
import { readTrace } from './trace.ts'

/** What to play, checked. */
export interface ReplayRequest {
  files: readonly string[]
  node: string
  day: string
  periodS: number
  retryMs: number
  certs?: string
}

/** Before this the pipeline holds a clock for never set and takes the time of receipt instead. */
const EARLIEST_DAY = '2020-01-02'
/** A node's clock may run this far ahead of receipt. */
const MAX_AHEAD_MS = 5 * 60_000
/** AWS IoT allows a connection 100 unacknowledged messages and 100 publishes a second. */
const WINDOW = 64
const AWS_PER_SECOND = 90
const PROGRESS_EVERY_MS = 1000

/** Plays the traces. All of them are read and checked before the first reading goes out. */
export async function play(stack: Stack, request: ReplayRequest, output: Output): Promise<void> {
  const credentials = readCredentials(request.certs ?? thingDirectory(stack.dataDir, request.node))
  const { messages, lines } = await prepare(stack.siteTimeZone, request)
  const show = progressLine(messages.length, request.node, output)
  const done = await sendAll(messages, {
    open: async () => {
      const { host, port, ca } = await stack.mqtt()
      const trusted = { ...credentials, caPem: request.certs ? credentials.caPem : ca }
      return openSession({ host, port, clientId: request.node, credentials: trusted })
    },
    window: WINDOW,
    retryMs: request.retryMs,
    ...(stack.kind === 'aws' ? { perSecond: AWS_PER_SECOND } : {}),
    onProgress: show.update,
  })
  show.finish()
  for (const line of lines) output.out(`${line}\n`)
  const again = done.sent - messages.length
  output.out(
    `${request.node}: ${messages.length} readings sent, ${done.acknowledged} acknowledged` +
      `${again > 0 ? `, ${again} sent again over ${done.connections} connections` : ''}\n`,
  )
}

/** Reads every trace and lays it onto its day. */
export async function prepare(
  zone: string,
  request: Pick<ReplayRequest, 'files' | 'node' | 'day' | 'periodS'>,
  nowMs: number = Date.now(),
): Promise<{ messages: Outgoing[]; lines: string[] }> {
  if (request.day < EARLIEST_DAY) {
    throw usage(
      `--day must be ${EARLIEST_DAY} or later, since clocks before 2020 count as never set (is "${request.day}")`,
    )
  }
  const messages: Outgoing[] = []
  const lines: string[] = []
  const days = consecutiveDays(request.day, request.files.length, zone)
  for (const [n, file] of request.files.entries()) {
    const day = days[n] as SiteDay
    const readings = [...messagesOf(await readTrace(file), day, request.node, request.periodS)]
    const last = readings.at(-1)
    if (last === undefined) throw new Failure(`${file}: has no row`)
    if (Number(last.measured_at) > nowMs + MAX_AHEAD_MS) {
      throw usage(
        `--day: ${file} on ${day.day} in ${zone} ends in the future, at ${new Date(Number(last.measured_at)).toISOString()}`,
      )
    }
    lines.push(`${day.day}: ${readings.length} readings, ${last.energy_wh_total} Wh (${file})`)
    for (const reading of readings) {
      messages.push({
        topic: `autovolt/${request.node}/telemetry`,
        payload: JSON.stringify(reading),
      })
    }
  }
  return { messages, lines }
}

/** One line on stderr that renews itself on a terminal, and comes once a second elsewhere. */
function progressLine(total: number, node: string, output: Output) {
  const terminal = process.stderr.isTTY === true
  let shownAt = 0
  const show = (progress: Progress) => {
    const share = Math.floor((100 * progress.acknowledged) / total)
    const text = `${node}: ${progress.acknowledged} of ${total} readings acknowledged (${share} %)`
    output.err(terminal ? `\r${text}` : `${text}\n`)
  }
  return {
    update: (progress: Progress) => {
      const now = Date.now()
      if (now - shownAt < PROGRESS_EVERY_MS && progress.acknowledged < total) return
      shownAt = now
      show(progress)
    },
    finish: () => {
      if (terminal) output.err('\n')
    },
  }
}
