import * as z from 'zod'
import { Classroom, Esp32Name, LocalDay } from '../names.ts'
import { instant, next_cursor, paged } from './quantities.ts'
import { BASE, route } from './route.ts'

const MAX_PAGE = 200
const USUAL_PAGE = 50
/** Readings set aside at once, and the length of an identity. */
const MAX_SET_ASIDE = 100
const MAX_READING_ID = 128

export const TicketStatus = z.literal(['open', 'acknowledged', 'resolved'])

/** What resolving a ticket can append to the ledger. */
export const TicketAction = z.literal(['accept', 'estimate', 'set_aside'])

const who = z.string().nullable()
const when = instant.nullable()

/** A finding a person must look at; one for each rule, register and window. */
export const TicketAnswer = z.object({
  id: z.string(),
  rule: z.string().describe('what was checked, such as `sequence_gap`'),
  register: z.string().describe('also the name of a node, `classroom:<name>`, or `site`'),
  window: z.string().describe('tells matters of one rule and register apart'),
  severity: z.literal(['info', 'low', 'medium', 'high']),
  status: TicketStatus,
  classroom: z.string().nullable(),
  occurrences: z.int().describe('runs that found it'),
  evidence: z.record(z.string(), z.unknown()).describe('readings, entries and figures'),
  opened_at: instant,
  last_found_at: instant,
  acknowledged_by: who,
  acknowledged_at: when,
  resolved_by: who.describe('`system` where a later run did not find it any more'),
  resolved_at: when,
  resolution: z.string().nullable().describe('`explained`, or the words of a person'),
  actions: z
    .array(TicketAction)
    .describe('what resolving it can have done; none where no energy is undecided'),
  decision: z
    .object({
      action: TicketAction,
      n: z.int().describe('its number among the decisions about the register'),
      set_aside: z.array(z.string()).describe('readings that are passed over as odd'),
    })
    .nullable()
    .describe('what was decided; the ledger follows within moments'),
})

export const TicketsAnswer = z.object({
  tickets: z.array(TicketAnswer),
  next_cursor,
})

const count = z.int()

/** A nightly check of everything, or one that was asked for. */
export const ReconciliationAnswer = z.object({
  run_id: z.string(),
  status: z.literal(['planning', 'running', 'done', 'failed']),
  requested_by: z.string().describe('`schedule`, or who asked'),
  started_at: instant,
  finished_at: when,
  duration_ms: count.nullable(),
  from_date: LocalDay,
  to_date: LocalDay,
  nodes: count,
  proof: z
    .object({
      registers: count,
      readings_accepted: count,
      readings_booked: count,
      readings_unbooked: count.describe(
        'accepted ten minutes ago or longer, and not in the ledger',
      ),
      messages_quarantined: count,
      messages_unreadable: count.describe('raw events that cannot be opened'),
      suspense_lines: count,
      suspense_mwh: count,
      entries_walked: count,
      days_compared: count,
    })
    .nullable()
    .describe('what was looked at and proved; null until the run is over'),
  checks: z.record(z.string(), count).describe('findings by rule'),
  repairs: count,
  repaired: z
    .array(
      z.object({ rule: z.string(), register: z.string(), window: z.string(), done: z.string() }),
    )
    .describe('the first hundred'),
  tickets_opened: count,
  tickets_closed: count,
  restated_days: count,
  resends: count.describe('ranges of readings that nodes were asked for again'),
  failures: z.array(z.object({ esp32_name: z.string(), error: z.string() })),
  error: z.string().nullable(),
  not_told: z
    .object({ subject: z.string(), message: z.string(), error: z.string() })
    .nullable()
    .describe('the message to administrators that could not be sent, and why'),
})

export const ReconciliationsAnswer = z.object({
  runs: z.array(ReconciliationAnswer),
  next_cursor,
})

export const TicketChange = z.strictObject({
  status: z.literal(['acknowledged', 'resolved'], 'must be acknowledged or resolved'),
  resolution: z
    .string()
    .trim()
    .min(1)
    .max(1_000)
    .optional()
    .describe('why it is resolved; needed to resolve'),
  action: TicketAction.optional().describe(
    'what to append: `accept` the whole rise as measured, leave the `estimate` and believe no more, or pass over the later reading as odd (`set_aside`); one of the ticket’s `actions`',
  ),
  readings: z
    .array(z.string().min(1).max(MAX_READING_ID, `must have at most ${MAX_READING_ID} characters`))
    .min(1, 'must name at least one reading')
    .max(MAX_SET_ASIDE, `must name at most ${MAX_SET_ASIDE} readings`)
    .optional()
    .describe(
      'with `set_aside`: the readings that are odd, where it is not the later one alone; of those in the evidence',
    ),
})

export const AuditAnswer = z.object({
  entries: z.array(
    z.object({
      id: z.string(),
      at: instant,
      actor: z.object({ sub: z.string(), username: z.string(), role: z.string() }),
      action: z.string().describe('such as `cost_version.create`'),
      target: z.string().describe('the id of what it was done to'),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
  next_cursor,
})

export const tickets = route({
  method: 'GET',
  path: `${BASE}/tickets`,
  access: 'operate',
  summary: 'Findings a person must look at',
  query: z.strictObject({
    status: TicketStatus.optional(),
    severity: z.literal(['low', 'medium', 'high']).optional(),
    classroom: Classroom.optional(),
    esp32_name: Esp32Name.optional(),
    ...paged(MAX_PAGE, USUAL_PAGE),
  }),
  answer: { status: 200, schema: TicketsAnswer },
  errors: [400],
})

export const reconciliations = route({
  method: 'GET',
  path: `${BASE}/reconciliations`,
  access: 'operate',
  summary: 'Runs of the reconciliation, the newest first',
  query: z.strictObject({ ...paged(MAX_PAGE, USUAL_PAGE) }),
  answer: { status: 200, schema: ReconciliationsAnswer },
  errors: [400],
})

export const changeTicket = route({
  method: 'PATCH',
  path: `${BASE}/tickets/{id}`,
  access: 'operate',
  summary: 'Says that somebody looks at a ticket, or that it is settled',
  description:
    'A ticket goes from `open` to `acknowledged` to `resolved`. One that is resolved stays so while its evidence is the same; other evidence opens it again. With an `action` the ledger takes back what stands of the step in question and posts what was decided, within moments; another action on a resolved ticket follows the former one.',
  params: z.strictObject({ id: z.string().min(1).max(256) }),
  body: TicketChange,
  answer: { status: 200, schema: TicketAnswer },
  errors: [400, 404, 409, 413],
})

export const startReconciliation = route({
  method: 'POST',
  path: `${BASE}/reconciliations`,
  access: 'operate',
  summary: 'Starts a run of the reconciliation',
  description: 'Answers at once; `GET /reconciliations` tells how far it is and what came of it.',
  answer: {
    status: 202,
    schema: z.object({ run_id: z.string(), status_url: z.string() }),
  },
  errors: [],
})

export const audit = route({
  method: 'GET',
  path: `${BASE}/audit`,
  access: 'admin',
  summary: 'Who changed what and when, the newest first',
  query: z.strictObject({ ...paged(MAX_PAGE, USUAL_PAGE) }),
  answer: { status: 200, schema: AuditAnswer },
  errors: [400],
})

export type TicketChange = z.infer<typeof TicketChange>
export type TicketAnswer = z.infer<typeof TicketAnswer>
export type ReconciliationAnswer = z.infer<typeof ReconciliationAnswer>
export type TicketsAnswer = z.infer<typeof TicketsAnswer>
export type ReconciliationsAnswer = z.infer<typeof ReconciliationsAnswer>
export type AuditAnswer = z.infer<typeof AuditAnswer>
