import { Failure, oneLine } from '../failure.ts'
import type { Outgoing, Session } from './session.ts'

/** How many messages go out and how patiently. */
export interface SenderOptions {
  /** Opens a connection; called again after each end of one. */
  open(): Promise<Session>
  /** Most messages without a PUBACK at a time. */
  window: number
  /** Gives up when nothing was acknowledged for so long. */
  retryMs: number
  /** Most messages a second; AWS IoT takes 100 of a connection. @default no limit */
  perSecond?: number
  onProgress?(progress: Progress): void
  now?(): number
  wait?(ms: number): Promise<void>
}

/** How far a sender is. A message sent again after a broken connection counts as sent once more. */
export interface Progress {
  sent: number
  acknowledged: number
  connections: number
}

const PAUSE_MS = 250

/**
 * Sends messages in order with QoS 1 until the last is acknowledged, across as many connections as
 * it takes: after a break everything not acknowledged is sent again, oldest first, and the ledger
 * recognises what arrived twice. Throws a Failure when nothing got through for `retryMs`.
 */
export async function sendAll(
  messages: Iterable<Outgoing>,
  options: SenderOptions,
): Promise<Progress> {
  const { now = Date.now, wait = pause, retryMs } = options
  const progress: Progress = { sent: 0, acknowledged: 0, connections: 0 }
  const queue = new Queue(messages)
  let lastProgressAt = now()
  const acknowledged = () => {
    progress.acknowledged += 1
    lastProgressAt = now()
    options.onProgress?.(progress)
  }
  for (;;) {
    try {
      const session = await options.open()
      progress.connections += 1
      await sendOver(session, queue, options, progress, acknowledged)
      await session.end()
      return progress
    } catch (error) {
      // What worked before comes back; only a first connection can be refused for good.
      const isHopeless = progress.connections === 0 && isFinal(error)
      if (isHopeless) throw gaveUp(error, progress, '')
      if (now() - lastProgressAt > retryMs) {
        throw gaveUp(error, progress, ` for ${retryMs / 1000} s (--retry-seconds)`)
      }
      await wait(PAUSE_MS)
    }
  }
}

/** Sends over one connection until all is acknowledged; rejects when the connection ends first. */
async function sendOver(
  session: Session,
  queue: Queue,
  options: SenderOptions,
  progress: Progress,
  acknowledged: () => void,
): Promise<void> {
  const { window, perSecond, now = Date.now, wait = pause } = options
  const inFlight = new Set<Promise<void>>()
  const startedAt = now()
  let sentHere = 0
  let broken: unknown
  try {
    for (let message = queue.next(); message !== undefined; message = queue.next()) {
      const sending = message
      const done: Promise<void> = session
        .publish(sending)
        .then(() => {
          queue.acknowledge(sending)
          acknowledged()
        })
        .catch((error) => {
          broken ??= error
        })
        .finally(() => inFlight.delete(done))
      inFlight.add(done)
      progress.sent += 1
      sentHere += 1
      if (perSecond !== undefined) {
        const early = startedAt + (sentHere * 1000) / perSecond - now()
        if (early > 0) await wait(early)
      }
      if (inFlight.size >= window) await Promise.race(inFlight)
      if (broken !== undefined) break
    }
    await Promise.all(inFlight)
    if (broken !== undefined) throw broken
  } catch (error) {
    session.cut()
    queue.rewind()
    throw error
  }
}

/** Takes messages from their source and keeps those not acknowledged, in their order. */
class Queue {
  readonly #source: Iterator<Outgoing>
  #again: Outgoing[] = []
  #waiting = new Set<Outgoing>()

  constructor(messages: Iterable<Outgoing>) {
    this.#source = messages[Symbol.iterator]()
  }

  next(): Outgoing | undefined {
    const message = this.#again.shift() ?? this.#fromSource()
    if (message !== undefined) this.#waiting.add(message)
    return message
  }

  #fromSource(): Outgoing | undefined {
    const { done, value } = this.#source.next()
    return done ? undefined : value
  }

  acknowledge(message: Outgoing): void {
    this.#waiting.delete(message)
  }

  /** What waits goes before what was to be sent again anyway: it is older. */
  rewind(): void {
    this.#again = [...this.#waiting, ...this.#again]
    this.#waiting.clear()
  }
}

/** A certificate nobody trusts and a refused CONNECT do not get better by waiting. */
function isFinal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const refused = typeof code === 'number' && code >= 1 && code <= 5 && code !== 3
  return (
    refused ||
    (typeof code === 'string' && /^ERR_(SSL|TLS|OSSL)|CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
  )
}

function gaveUp(cause: unknown, progress: Progress, patience: string): Failure {
  const why = cause instanceof Failure && cause.cause ? oneLine(cause.cause) : oneLine(cause)
  return new Failure(
    `nothing got through to the broker${patience}: ${why}; ${progress.acknowledged} readings were acknowledged, and sending them again does no harm`,
    { cause },
  )
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}
