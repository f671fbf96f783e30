import type * as z from 'zod'

/**
 * Who may call a route: anybody, or somebody of at least this role with a token of this scope.
 * viewer < operator < admin.
 */
export type Access = 'public' | 'read' | 'operate' | 'admin'

/** One route of the HTTP API, all of it: checks, types, documents and the client are made from this. */
export interface RouteContract {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** As API Gateway writes it: `/things/{id}`. */
  readonly path: string
  readonly access: Access
  readonly summary: string
  /** Markdown: what a caller has to know beyond the summary. */
  readonly description?: string
  /** Of texts, as they arrive; a repeated parameter is no list. */
  readonly query?: z.ZodObject
  readonly params?: z.ZodObject
  readonly body?: z.ZodType
  /** Takes an `Idempotency-Key`: a repeat within a day changes nothing and gets the first answer. */
  readonly idempotent?: boolean
  readonly answer: Answer
  /** The statuses of problem details a caller of this route has to reckon with. */
  readonly errors: readonly (400 | 404 | 409 | 413 | 422)[]
  /** Replaced by another route: since when, until when, and by which. */
  readonly deprecated?: {
    readonly since: string
    readonly until: string
    readonly successor: string
  }
}

/** What a route answers when all is well. */
export interface Answer {
  readonly status: 200 | 201 | 202
  /** `application/json` unless said otherwise. */
  readonly type?: 'text/csv'
  readonly schema: z.ZodType
}

/** Checks a route and keeps its exact type. */
export const route = <const Route extends RouteContract>(contract: Route): Route => contract

/** Where all routes but the former ones are. */
export const BASE = '/api/power-analytics'
