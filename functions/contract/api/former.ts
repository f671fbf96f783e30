import * as z from 'zod'
import { instant } from './quantities.ts'
import { BASE, route } from './route.ts'

/** Where dashboards of the former system still look. */
const FORMER = '/api/analytics'
const deprecated = { since: '2026-11-23', until: '2027-11-23' }

const Totals = z.object({
  consumption: z.number().describe('kilowatt-hours'),
  cost: z.number().nullable(),
  runtime: z.number().describe('hours, of all devices together'),
  onlineDevices: z.int(),
})

export const EnergySummaryAnswer = z.object({
  daily: Totals,
  monthly: Totals,
  devices: z.array(z.never()).describe('always empty: device-breakdown lists them'),
  timestamp: instant.nullable().describe('of when the figures are'),
})

export const EnergyOfDayAnswer = z.array(
  z.object({
    timestamp: instant,
    totalConsumption: z.number().describe('kilowatt-hours'),
    totalCostINR: z.number().nullable().describe('in the currency of the site'),
    byClassroom: z.record(z.string(), z.number()),
  }),
)

export const energySummary = route({
  method: 'GET',
  path: `${FORMER}/energy-summary`,
  access: 'read',
  summary: 'Today and this month of the campus',
  answer: { status: 200, schema: EnergySummaryAnswer },
  errors: [],
  deprecated: { ...deprecated, successor: `${BASE}/summary` },
})

export const energyOfDay = route({
  method: 'GET',
  path: `${FORMER}/energy/24h`,
  access: 'read',
  summary: 'The last 24 hours of the campus, by the hour',
  answer: { status: 200, schema: EnergyOfDayAnswer },
  errors: [],
  deprecated: { ...deprecated, successor: `${BASE}/timeline` },
})

export type EnergySummaryAnswer = z.infer<typeof EnergySummaryAnswer>
export type EnergyOfDayAnswer = z.infer<typeof EnergyOfDayAnswer>
