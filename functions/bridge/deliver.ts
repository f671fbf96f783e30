import type { FormerMessage } from './former.ts'

/** Null where the former system took a message; else why it will not take it, however often it is sent. */
export type Deliver = (message: FormerMessage) => Promise<string | null>

/** Longer than a system takes that is well. */
const PATIENCE_MS = 10_000
/** Refusals that say something of the moment, or of who asks, and nothing of the message. */
const FOR_NOW = [401, 403, 407, 408, 421, 425, 429]

/**
 * Posts to the former system's ingestion. Its answer of the 400s means the message.
 * @throws Error that names the address and why it could not be reached, or does not work
 */
export function deliverTo(url: string, patienceMs = PATIENCE_MS): Deliver {
  return async ({ key, body }) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      // A post that is sent elsewhere would arrive as a get.
      redirect: 'error',
      signal: AbortSignal.timeout(patienceMs),
    }).catch((cause: unknown) => {
      throw new Error(`${url} cannot be reached: ${reasonOf(cause)}`, { cause })
    })
    const said = (await answer.text()).slice(0, 200)
    if (answer.ok) return null
    const reason = `${answer.status} ${said}`.trim()
    const { status } = answer
    if (status >= 400 && status < 500 && !FOR_NOW.includes(status)) return reason
    throw new Error(`${url} does not take messages now: ${reason}`)
  }
}

/** The cause says more than "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message !== ''
    ? error.cause.message
    : error.message
}
