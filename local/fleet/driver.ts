import type { Outgoing, Session } from '../../cli/mqtt/session.ts'
import { ResendRequest } from '../../functions/contract/commands.ts'
import type { NodeSpec } from './model/campus.ts'
import {
  acknowledged,
  advance,
  hasNetwork,
  type NodeState,
  newNode,
  resumed,
  type World,
} from './model/node.ts'
import {
  obeyed,
  refusal,
  repeatBatch,
  replyMessage,
  type Span,
  type Wanted,
} from './model/resend.ts'
import { rolledBack } from './model/update.ts'
import {
  heartbeatMessage,
  nextBatch,
  offlineMessage,
  onlineMessage,
  type WireMessage,
} from './model/wire.ts'
import type { Flash } from './store.ts'
import { makeUpdates } from './updates.ts'

/** What a node's driver needs; everything outside the model comes through here. */
export interface DriverParts {
  world: World
  flash: Flash
  now(): number
  open(spec: NodeSpec, will: Outgoing): Promise<Session>
  /** True for a firmware that does not prove itself on this node. */
  isFaulty(spec: NodeSpec, version: string): boolean
  /** Something went wrong that is no part of the play. */
  trouble(line: string): void
}

/** Moves one simulated node through real time and over real connections. */
export interface Driver {
  readonly spec: NodeSpec
  readonly state: NodeState
  readonly isOnline: boolean
  /** Lets time pass up to now, and starts what is to be sent. */
  tick(): void
  /** Tells the broker that the node goes, and closes the connection. */
  leave(): Promise<void>
  /** Drops the connection, if there still is one. */
  cut(): void
}

const HEARTBEAT_MS = 60_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 15_000
/** Read from flash for one message: as many as it takes, and the one behind them. */
const HELD_AT_ONCE = 26

/** Starts where the node's flash left off. */
export function makeDriver(spec: NodeSpec, parts: DriverParts): Driver {
  const { world, flash, now } = parts
  const found = flash.read(spec.esp32_name)
  let state =
    found === undefined ? newNode(spec, now(), world.seed) : resumed(spec, found, now(), world)
  if (found === undefined) flash.write(spec.esp32_name, state)
  let session: Session | undefined
  let sessionBoot: string | undefined
  let sessionWasCut = false
  let busy = false
  let leaving = false
  let pauseMs = FIRST_PAUSE_MS
  let notBeforeMs = 0
  let heartbeatAtMs = 0
  /** Ranges asked for again, not sent yet. A restart forgets them. */
  const wanted: Span[] = []

  /** The model's rule made real: what may be published is on disk first. */
  const keep = (next: NodeState) => {
    const taken = next.unsent.filter((reading) => reading.sequenceNo > state.sequenceNo)
    if (taken.length > 0 && spec.firmware === 'current') {
      flash.append(spec.esp32_name, next.counterEpoch, taken)
    }
    const isNews =
      next.sequenceNo !== state.sequenceNo ||
      next.unsent !== state.unsent ||
      next.job !== state.job ||
      next.firmwareVersion !== state.firmwareVersion
    state = next
    if (isNews) flash.write(spec.esp32_name, state)
  }
  const updates = makeUpdates({
    spec,
    world,
    state: () => state,
    keep: (next) => keep(next),
    isFaulty: (version) => parts.isFaulty(spec, version),
  })
  const outgoing = (message: WireMessage): Outgoing => ({
    topic: `autovolt/${spec.esp32_name}/${message.channel}`,
    payload: message.payload,
    retain: message.retain,
  })

  async function connect(): Promise<Session> {
    sessionBoot = state.boot?.id
    const opened = await parts.open(spec, outgoing(offlineMessage(spec, state)))
    session = opened
    pauseMs = FIRST_PAUSE_MS
    const online = opened.publish(outgoing(onlineMessage(spec, state, now())))
    // The former firmware knows of no requests, nor of jobs.
    await Promise.all([online, ...(spec.firmware === 'current' ? listeners(opened) : [])])
    return opened
  }

  function listeners(open: Session): Promise<void>[] {
    return [listen(open), updates.connected(open)]
  }

  function listen(open: Session): Promise<void> {
    return open.subscribe(`autovolt/${spec.esp32_name}/resend`, (payload) => {
      const reply = outgoing(take(payload))
      // Who gets no answer asks again.
      open.publish(reply).catch(() => {})
    })
  }

  /** One message at a time: order matters more than speed when a backlog is told. */
  async function talk(): Promise<void> {
    const open = session?.isOpen ? session : await connect()
    if (now() >= heartbeatAtMs) {
      heartbeatAtMs = now() + HEARTBEAT_MS
      await open.publish(outgoing(heartbeatMessage(spec, state, now())))
    }
    let batch = nextBatch(spec, state, now(), world.periodMs)
    while (batch !== undefined && open.isOpen && !leaving) {
      await open.publish(outgoing(batch))
      keep(acknowledged(state, batch.upToSequenceNo))
      batch = nextBatch(spec, state, now(), world.periodMs)
    }
    while (wanted.length > 0 && open.isOpen && !leaving) await tellAgain(open)
  }

  /** Takes or refuses a request. @returns the answer */
  function take(payload: Buffer): WireMessage {
    const request = requestIn(payload)
    const answer = (id: string | null, reason: string | null) =>
      replyMessage(spec, state, now(), { id, reason })
    if ('reason' in request) return answer(null, request.reason)
    const reason = refusal(state, request, wanted.length, now())
    if (reason !== null) return answer(request.id, reason)
    state = obeyed(state, request.id)
    flash.write(spec.esp32_name, state)
    wanted.push({ from: request.from, to: Math.min(request.to, state.sequenceNo) })
    return answer(request.id, null)
  }

  /** One message of the first range that waits; what was acknowledged is not sent once more. */
  async function tellAgain(open: Session): Promise<void> {
    const span = wanted[0] as Span
    const held = flash.held(spec.esp32_name, state.counterEpoch, span.from, HELD_AT_ONCE)
    const batch = repeatBatch(spec, state, span, held)
    if (batch !== null) await open.publish(outgoing(batch))
    wanted.shift()
    const from = batch === null ? span.to + 1 : batch.upToSequenceNo + 1
    if (from <= span.to) wanted.unshift({ from, to: span.to })
  }

  function cut(): void {
    session?.cut()
    session = undefined
  }

  return {
    spec,
    get state() {
      return state
    },
    get isOnline() {
      return session?.isOpen ?? false
    },
    tick: () => {
      const nowMs = now()
      keep(advance(spec, state, nowMs, world))
      if (state.trial !== null && state.boot !== null && nowMs >= state.trial.untilMs) {
        keep(rolledBack(spec, state, world))
      }
      const isUp = state.boot !== null && state.trial === null
      const reachable = isUp && hasNetwork(spec, nowMs, world)
      if (session !== undefined && (!reachable || sessionBoot !== state.boot?.id)) {
        sessionWasCut = busy
        cut()
      }
      if (!reachable || busy || leaving || nowMs < notBeforeMs) return
      busy = true
      talk()
        .catch((error: unknown) => {
          // A connection that the play itself cut is gone already, and is no trouble.
          const isPlayed = session === undefined && sessionWasCut
          sessionWasCut = false
          cut()
          notBeforeMs = now() + pauseMs
          pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
          if (isPlayed || leaving) return
          const why = error instanceof Error ? error.message : String(error)
          parts.trouble(`${spec.esp32_name} lost the broker (${why}), tries again`)
        })
        .finally(() => {
          busy = false
        })
    },
    leave: async () => {
      leaving = true
      flash.write(spec.esp32_name, state)
      if (!session?.isOpen) return
      await session.publish(outgoing(offlineMessage(spec, state)))
      await session.end()
    },
    cut,
  }
}

/** A request as it came over the wire, or why it is none. */
function requestIn(payload: Buffer): Wanted | { readonly reason: string } {
  let json: unknown
  try {
    json = JSON.parse(payload.toString('utf8'))
  } catch {
    return { reason: 'a command must be a JSON object' }
  }
  const parsed = ResendRequest.safeParse(json)
  if (!parsed.success) return { reason: parsed.error.issues[0]?.message ?? 'malformed' }
  const { id, expires_at, counter_epoch, from_sequence_no, to_sequence_no } = parsed.data
  return {
    id,
    expiresAtMs: expires_at,
    counterEpoch: counter_epoch,
    from: from_sequence_no,
    to: to_sequence_no,
  }
}
