import * as z from 'zod'
import { Classroom } from '../names.ts'
import { instant, next_cursor, paged } from './quantities.ts'
import { BASE, route } from './route.ts'

const MAX_PAGE = 200
const USUAL_PAGE = 50

/** A finding a person must look at. What a rule adds of its own stands beside. */
export const TicketAnswer = z.looseObject({ id: z.string() })

export const TicketsAnswer = z.object({
  tickets: z.array(TicketAnswer),
  next_cursor,
})

/** A nightly check of everything, or one that was asked for. */
export const ReconciliationAnswer = z.looseObject({ id: z.string() })

export const ReconciliationsAnswer = z.object({
  reconciliations: z.array(ReconciliationAnswer),
  next_cursor,
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
    status: z.string().max(32).optional(),
    classroom: Classroom.optional(),
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

export const audit = route({
  method: 'GET',
  path: `${BASE}/audit`,
  access: 'admin',
  summary: 'Who changed what and when, the newest first',
  query: z.strictObject({ ...paged(MAX_PAGE, USUAL_PAGE) }),
  answer: { status: 200, schema: AuditAnswer },
  errors: [400],
})

export type TicketsAnswer = z.infer<typeof TicketsAnswer>
export type ReconciliationsAnswer = z.infer<typeof ReconciliationsAnswer>
export type AuditAnswer = z.infer<typeof AuditAnswer>
