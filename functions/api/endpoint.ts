import type * as z from 'zod'
import type { AuditStore } from '../adapters/audit.ts'
import type { ControlStore } from '../adapters/control.ts'
import type { ControlLists } from '../adapters/control-lists.ts'
import type { Problem } from '../adapters/http.ts'
import type { JobStore } from '../adapters/jobs.ts'
import type { JournalReader } from '../adapters/journal.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import type { PauseStore } from '../adapters/pauses.ts'
import type { TariffStore } from '../adapters/tariffs.ts'
import type { RouteContract } from '../contract/api/route.ts'
import type { Caller } from './caller.ts'
import type { ReadPorts } from './fresh.ts'

/** All that the read API reads. */
export interface ApiPorts extends ReadPorts {
  readonly nodes: NodeStore
  readonly journal: JournalReader
  readonly control: ControlStore
  readonly pauses: Pick<PauseStore, 'current'>
  readonly tariffs: Pick<TariffStore, 'priceBook'>
  readonly jobs: Pick<JobStore, 'get'>
  readonly audit: AuditStore
  readonly lists: ControlLists
  readonly currency: string
}

/** Who asks, and what can be read. */
export interface Context {
  readonly caller: Caller
  readonly ports: ApiPorts
}

/** What comes of a request that was understood. A refusal is a value. */
export type Reply<Answer> =
  | { readonly answer: Answer; readonly headers?: Record<string, string> }
  | { readonly problem: Problem }

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : Record<string, never>

/** The work of one route: its checked input to what its contract says it answers. */
export type Endpoint<Route extends RouteContract> = (
  query: Parsed<Route['query']>,
  context: Context,
  params: Parsed<Route['params']>,
) => Promise<Reply<z.output<Route['answer']['schema']>>>

/** A query that its schema takes but its meaning does not: the parameter, and why. */
export function invalidQuery(parameter: string, detail: string): { problem: Problem } {
  const errors = [{ parameter, detail }]
  return {
    problem: { status: 400, title: 'Invalid query', detail: `${parameter}: ${detail}`, errors },
  }
}

/** The same for a classroom there is not and for one the caller may not see. */
export function unknownClassroom(classroom: string): { problem: Problem } {
  const detail = `no node was ever assigned to the classroom "${classroom}"`
  return { problem: { status: 404, title: 'Unknown classroom', detail } }
}
