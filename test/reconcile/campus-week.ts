import type { NodeRecord } from '../../functions/adapters/nodes.ts'
import { toItem } from '../../functions/adapters/raw.ts'
import type { Repairs } from '../../functions/adapters/repairs.ts'
import type { Ticket, TicketStore } from '../../functions/adapters/tickets.ts'
import { fromWire } from '../../functions/adapters/wire.ts'
import { TelemetryMessage } from '../../functions/contract/wire.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import { book } from '../../functions/ledger/book.ts'
import type { NodePorts, RunWindow } from '../../functions/reconcile/node.ts'
import type { NodeSpec } from '../../local/fleet/model/campus.ts'
import { scriptedIncidents } from '../../local/fleet/model/incidents.ts'
import { acknowledged, advance, newNode } from '../../local/fleet/model/node.ts'
import { makeTimetable } from '../../local/fleet/model/timetable.ts'
import { nextBatch } from '../../local/fleet/model/wire.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'

const ZONE = 'Asia/Kolkata'
const HOUR_MS = 3_600_000
/** 2026-01-05, a Monday, at midnight of the site; and two o'clock a week later. */
export const MONDAY_MS = Date.UTC(2026, 0, 4, 18, 30)
export const RUN_MS = MONDAY_MS + 7 * 24 * HOUR_MS + 2 * HOUR_MS

export const WINDOW: RunWindow = {
  runId: 'r1',
  hasTariffs: true,
  fromDate: '2026-01-05',
  fromMs: MONDAY_MS,
}

/** Tables of one node in memory. */
export interface SeededNode {
  readonly ports: NodePorts
  readonly tickets: Map<string, Ticket>
  readonly readings: number
  readonly messages: number
  /** Packed content of the journal's entries and of the raw events. */
  readonly bytes: { readonly journal: number; readonly raw: number }
}

/** A node's undisturbed days on the simulated campus, as they would lie in the tables afterwards. */
export async function seeded(
  spec: NodeSpec,
  days: number,
  periodMs: number,
  everyMs: number,
): Promise<SeededNode> {
  const load = makeTimetable(7, ZONE).loadOf(spec)
  const world = { seed: 7, load, incidents: scriptedIncidents([]), periodMs }
  const journal = memoryJournal()
  const raw: Record<string, unknown>[] = []
  let readings = 0
  let state = newNode(spec, MONDAY_MS, 7)
  let nowMs = MONDAY_MS
  const endMs = MONDAY_MS + days * 24 * HOUR_MS + 2 * HOUR_MS
  while (nowMs < endMs) {
    nowMs = Math.min(nowMs + everyMs, endMs)
    state = advance(spec, state, nowMs, world)
    for (
      let batch = nextBatch(spec, state, nowMs, periodMs);
      batch !== undefined;
      batch = nextBatch(spec, state, nowMs, periodMs)
    ) {
      const message = TelemetryMessage.parse(JSON.parse(batch.payload))
      const own = fromWire(message, nowMs)
      const register = spec.esp32_name
      const stored = {
        register,
        count: own.length,
        text: batch.payload,
        receivedAtMs: nowMs,
        via: 'mqtt' as const,
      }
      raw.push(toItem(stored, own[0]?.id ?? '', 730))
      await book(register, own, { journal, facts: async () => NO_FACTS, now: () => nowMs })
      readings += own.length
      state = acknowledged(state, batch.upToSequenceNo)
    }
  }
  const tickets = new Map<string, Ticket>()
  const record: NodeRecord = {
    esp32Name: spec.esp32_name,
    registered: true,
    createdAtMs: MONDAY_MS,
    assignments: [{ classroom: spec.classroom, fromMs: 0 }],
    assignedAtMs: MONDAY_MS,
    followed: null,
    presence: {
      esp32_name: spec.esp32_name,
      kind: 'presence',
      online: true,
      changed_at_ms: MONDAY_MS,
      last_seen_ms: endMs,
    },
    facts: [],
    watermarks: new Map([[spec.esp32_name, 0]]),
  }
  const rawRange: NodePorts['rawRange'] = async function* (_register, { from, to, limit }) {
    const found = raw.filter(({ id }) => String(id) >= from && String(id) <= to)
    found.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
    yield* limit === undefined ? found : found.slice(0, limit)
  }
  const ports: NodePorts = {
    journal,
    rawRange,
    atEase: { journal, rawRange },
    rollups: { day: async () => null },
    pricer: pricer({ versions: [], repricings: [] }, ZONE),
    siteTimeZone: ZONE,
    nodes: { get: async () => record },
    tickets: memoryTickets(tickets),
    repairs: noRepairs,
    pauses: { current: async () => null },
    quarantined: async () => 0,
    inbox: { resend: async () => {} },
    now: () => endMs,
  }
  const bytes = {
    journal: journal.stored.reduce((sum, { body }) => sum + body.byteLength, 0),
    raw: raw.reduce((sum, { payload }) => sum + (payload as Uint8Array).byteLength, 0),
  }
  return { ports, tickets, readings, messages: raw.length, bytes }
}

function memoryTickets(tickets: Map<string, Ticket>): TicketStore {
  return {
    get: async (id) => tickets.get(id) ?? null,
    of: async (owner) => [...tickets.values()].filter(({ id }) => id.startsWith(`${owner}~`)),
    async save(ticket) {
      if ((tickets.get(ticket.id)?.revision ?? 0) !== ticket.revision - 1) return false
      tickets.set(ticket.id, ticket)
      return true
    },
  }
}

const noRepairs: Repairs = {
  book: async () => ['there is nothing to repair'],
  restate: async () => {},
  rebuild: async () => 0,
}
