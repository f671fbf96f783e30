import type { FailureQueue } from '../adapters/failures.ts'
import type { FormerRejected } from '../contract/failures.ts'
import type { RuleEvent } from '../contract/rule-event.ts'
import { classroomAt } from '../domain/assignment.ts'
import { readMessage } from '../ingest/read.ts'
import type { Deliver } from './deliver.ts'
import { toFormer } from './former.ts'
import type { Standing } from './standing.ts'

export interface BridgePorts {
  readonly deliver: Deliver
  readonly standing: Standing
  readonly failureQueue: FailureQueue<FormerRejected>
  /** Whose messages the former system gets: these nodes, and those that stand in these classrooms. */
  readonly chosen: { readonly nodes: readonly string[]; readonly classrooms: readonly string[] }
  readonly now: () => number
}

/** What became of a message; the first two count readings. */
export interface Bridged {
  readonly delivered: number
  readonly rejected: number
  /** Why nothing was sent, where nothing was. */
  readonly left?: 'other node' | 'not accepted'
}

/**
 * Sends the readings of a message to the former system, each at least once. What ingest quarantines is not
 * sent. A reading that is refused is put aside with the reason and the others go on; an unreachable system
 * throws, so that the whole message is tried again.
 *
 * @param redriven a refusal throws too: who asks is told, and keeps the message
 */
export async function bridge(
  event: RuleEvent,
  ports: BridgePorts,
  redriven: boolean,
): Promise<Bridged> {
  const { esp32_name: esp32Name, received_at: receivedAtMs } = event
  const { chosen } = ports
  const isNamed = chosen.nodes.includes(esp32Name)
  if (!isNamed && chosen.classrooms.length === 0) return left('other node')
  const classroom = classroomAt(await ports.standing(esp32Name), receivedAtMs)
  if (!isNamed && (classroom === null || !chosen.classrooms.includes(classroom))) {
    return left('other node')
  }
  const read = readMessage({ esp32Name, payload: Buffer.from(event.payload, 'base64') })
  if ('reason' in read) return left('not accepted')
  const refused: string[] = []
  const messages = toFormer(read.message, { esp32Name, classroom, receivedAtMs })
  for (const message of messages) {
    const reason = await ports.deliver(message)
    if (reason !== null) refused.push(`${message.key}: ${reason}`)
  }
  const [first] = refused
  if (first !== undefined) {
    const reason = refused.length === 1 ? first : `${first} (and ${refused.length - 1} more)`
    if (redriven) throw new Error(`the former system refused ${reason}`)
    const at_ms = ports.now()
    await ports.failureQueue.put({ kind: 'former-rejected', event, reason, at_ms })
  }
  return { delivered: messages.length - refused.length, rejected: refused.length }
}

const left = (why: Bridged['left']) => ({ delivered: 0, rejected: 0, left: why })
