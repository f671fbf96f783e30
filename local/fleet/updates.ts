import * as z from 'zod'
import { checkImage, descriptionOf, PROJECT } from '../../cli/firmware/image.ts'
import type { Session } from '../../cli/mqtt/session.ts'
import type { NodeSpec } from './model/campus.ts'
import type { NodeState, World } from './model/node.ts'
import { attempted, installed, knownOutcome, type Outcome } from './model/update.ts'

/** What a node's updates need; the state stays the driver's. */
export interface UpdateParts {
  readonly spec: NodeSpec
  readonly world: World
  state(): NodeState
  /** Makes a state the node's, on flash. */
  keep(next: NodeState): void
  /** True for an image that does not prove itself on this node. */
  isFaulty(version: string): boolean
}

/** Jobs as a node with the current firmware takes them: firmware/main/jobs.c and ota.c, in their order. */
export interface Updates {
  /** Listens for jobs on a new connection, and asks for one. */
  connected(session: Session): Promise<void>
}

/** A text of a document; what is none, or is too long to hold, is not there. */
const text = (most: number) => z.string().max(most).optional().catch(undefined)

/** What AWS IoT Jobs tells of the job a thing is at. */
const Told = z.object({
  execution: z
    .object({
      jobId: z.string(),
      jobDocument: z.object({
        operation: text(3071),
        version: text(31),
        url: text(3071),
      }),
    })
    .optional(),
})
type Execution = NonNullable<z.output<typeof Told>['execution']>

const DOWNLOAD_MS = 15_000

export function makeUpdates(parts: UpdateParts): Updates {
  const { spec, world } = parts
  const prefix = `$aws/things/${spec.esp32_name}/jobs/`
  let isAtIt = false

  /** What came of it; undefined when the node restarts into the new image, and reports then. */
  async function work({ jobId, jobDocument }: Execution): Promise<Outcome | undefined> {
    const { operation, version, url } = jobDocument
    if (operation !== 'update_firmware') {
      return { status: 'REJECTED', reason: 'operation_unknown' }
    }
    const known = knownOutcome(parts.state(), { id: jobId, version, url })
    if (known !== undefined || version === undefined || url === undefined) return known
    parts.keep(attempted(parts.state(), jobId))
    const wrong = await fetchAndCheck(url, version)
    if (wrong !== undefined) return { status: 'FAILED', reason: wrong }
    // Without power meanwhile there is nothing to restart: it is asked again when the power is back.
    if (parts.state().boot === null) return undefined
    const image = { jobId, version, isFaulty: parts.isFaulty(version) }
    parts.keep(installed(spec, parts.state(), world, image))
    return undefined
  }

  async function take(session: Session, payload: Buffer): Promise<void> {
    const told = Told.safeParse(jsonOf(payload))
    const execution = told.data?.execution
    if (execution === undefined || isAtIt) return
    isAtIt = true
    try {
      const outcome = await work(execution)
      if (outcome === undefined || !session.isOpen) return
      const statusDetails = {
        reason: outcome.reason,
        firmware_ver: parts.state().firmwareVersion,
      }
      const payload = JSON.stringify({ status: outcome.status, statusDetails })
      await session.publish({ topic: `${prefix}${execution.jobId}/update`, payload })
    } finally {
      isAtIt = false
    }
  }

  return {
    async connected(session) {
      const ask = () => session.publish({ topic: `${prefix}start-next`, payload: '{}' })
      // A connection that breaks is followed by another, which asks again.
      const quietly = (work: Promise<void>) => void work.catch(() => {})
      session.hear(`${prefix}start-next/accepted`, (payload) => quietly(take(session, payload)))
      const heard = (payload: Buffer) => {
        if (Told.safeParse(jsonOf(payload)).data?.execution !== undefined) quietly(ask())
      }
      try {
        await session.subscribe(`${prefix}notify-next`, heard)
      } catch {
        // AWS ends the connection of who publishes what it may not: a refusal is taken for all.
        return
      }
      await ask()
    },
  }
}

/** @returns why the image is not installed, in the words of firmware/main/ota.c */
async function fetchAndCheck(url: string, version: string): Promise<string | undefined> {
  let bytes: Buffer
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) })
    if (!answer.ok) return 'not_reached'
    bytes = Buffer.from(await answer.arrayBuffer())
  } catch {
    return 'not_reached'
  }
  const described = descriptionOf(bytes)
  if (described === undefined) return 'image_unreadable'
  if (described.project !== PROJECT) return 'other_project'
  if (described.version !== version) return 'other_version'
  try {
    checkImage(bytes)
  } catch {
    return 'image_not_valid'
  }
  return undefined
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}
