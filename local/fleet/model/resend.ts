import type { NodeSpec } from './campus.ts'
import type { NodeState, Reading } from './node.ts'
import { type Batch, repeatMessage, type WireMessage } from './wire.ts'

/** Sequence numbers, both ends included. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Readings the node is asked for again. */
export interface Wanted extends Span {
  readonly id: string
  readonly expiresAtMs: number
  readonly counterEpoch: number
}

/** Ranges that wait to be sent again; a node takes no more. */
export const MAX_WAITING = 4
/** Requests a node remembers, so that it obeys each once. */
const MAX_OBEYED = 16

/** Why a node does not obey, in the order and the words of the firmware; null when it does. */
export function refusal(
  state: NodeState,
  wanted: Wanted,
  waiting: number,
  nowMs: number,
): string | null {
  if (state.obeyed.includes(wanted.id)) return 'repeated'
  if (wanted.expiresAtMs <= nowMs) return 'expired'
  if (wanted.counterEpoch !== state.counterEpoch) return 'other_counter_epoch'
  if (wanted.from > state.sequenceNo) return 'not_yet_measured'
  return waiting >= MAX_WAITING ? 'too_many_resends' : null
}

/** The node after it took a request. */
export function obeyed(state: NodeState, id: string): NodeState {
  return { ...state, obeyed: [...state.obeyed, id].slice(-MAX_OBEYED) }
}

/** What a node answers to a request. */
export function replyMessage(
  spec: NodeSpec,
  state: NodeState,
  nowMs: number,
  answer: { readonly id: string | null; readonly reason: string | null },
): WireMessage {
  const { id, reason } = answer
  const payload = JSON.stringify({
    schema: 1,
    esp32_name: spec.esp32_name,
    boot_id: state.boot?.id ?? '',
    id,
    command: 'resend',
    status: reason === null ? 'done' : 'refused',
    ...(reason !== null && { reason }),
    configuration_revision: 1,
    measured_at: nowMs,
  })
  return { channel: 'reply', payload, retain: false }
}

/**
 * The next message of a range asked for: the readings held from its beginning up to the first hole. What
 * is not held any more is announced, with the first reading behind it; where that lies beyond the range,
 * it is said again only to carry the word.
 *
 * @param held readings on the flash from `span.from` on, in order; of the end of the range one beyond it
 * @returns the message, which settles the range up to its last number; null when nothing is held at all
 */
export function repeatBatch(
  spec: NodeSpec,
  state: NodeState,
  span: Span,
  held: readonly Reading[],
): Batch | null {
  const first = held[0]
  if (first === undefined) return null
  const gap =
    first.sequenceNo === span.from
      ? null
      : { fromSequenceNo: span.from, toSequenceNo: Math.min(span.to, first.sequenceNo - 1) }
  const isBeyond = first.sequenceNo > span.to
  const run = held.filter(
    ({ sequenceNo }, at) => sequenceNo === first.sequenceNo + at && sequenceNo <= span.to,
  )
  const message = repeatMessage(spec, state, isBeyond ? [first] : run, gap)
  return isBeyond ? { ...message, upToSequenceNo: span.to } : message
}
