import { audit, changeTicket, reconciliations, startReconciliation, tickets } from './control.ts'
import { createCostVersion, listCostVersions } from './cost-versions.ts'
import { exportCsv } from './export.ts'
import { deviceBreakdown, summary, timeline } from './figures.ts'
import { energyOfDay, energySummary } from './former.ts'
import { health, openapi } from './health.ts'
import { ledger } from './ledger.ts'
import { calendar, monthly } from './months.ts'
import { classrooms, nodes } from './places.ts'
import { getJob, recalculate } from './recalculate.ts'
import type { RouteContract } from './route.ts'
import { postTelemetry } from './telemetry.ts'

/**
 * The HTTP API, by the name of each operation: the one list from which requests are checked, and
 * types, the OpenAPI document, `docs/api.md` and the client are made.
 */
export const ROUTES = {
  health,
  openapi,
  classrooms,
  summary,
  timeline,
  deviceBreakdown,
  monthly,
  calendar,
  exportCsv,
  listCostVersions,
  createCostVersion,
  recalculate,
  getJob,
  nodes,
  ledger,
  postTelemetry,
  tickets,
  changeTicket,
  reconciliations,
  startReconciliation,
  audit,
  energySummary,
  energyOfDay,
} as const satisfies Record<string, RouteContract>

export type Routes = typeof ROUTES
export type Operation = keyof Routes
