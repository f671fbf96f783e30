import { openApiDocument } from '../contract/openapi.ts'
import { classrooms } from './classrooms.ts'
import { costVersions } from './cost-versions.ts'
import { energyOfDay, energySummary } from './deprecated.ts'
import { breakdown } from './devices.ts'
import type { Endpoints } from './dispatch.ts'
import { exportCsv } from './export.ts'
import { health } from './health.ts'
import { ledger } from './ledger.ts'
import { audit, job, reconciliations, tickets } from './lists.ts'
import { calendar, monthly } from './months.ts'
import { nodes } from './nodes.ts'
import { summary } from './summary.ts'
import { timeline } from './timeline.ts'

/** Every read of the API, by the operation of the contract it works for. */
export const ENDPOINTS = {
  health: async (_query, { ports: { control, pauses, now } }) => ({
    answer: await health(control, pauses, now),
  }),
  openapi: async () => ({ answer: openApiDocument() }),
  classrooms,
  summary,
  timeline,
  deviceBreakdown: breakdown,
  monthly,
  calendar,
  exportCsv,
  listCostVersions: costVersions,
  getJob: job,
  nodes,
  ledger,
  tickets,
  reconciliations,
  audit,
  energySummary,
  energyOfDay,
} satisfies Endpoints
