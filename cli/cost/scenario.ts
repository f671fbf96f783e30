import { stageConfig } from '../../infra/stages.ts'

/** What a site has, and how it is set: everything the bill follows from besides prices and measured units. */
export interface Scenario {
  readonly nodes: number
  /** Seconds between two readings of a node. */
  readonly periodS: number
  /** Readings a message holds. */
  readonly batch: number
  /** Channels a reading tells of. */
  readonly channels: number
  /** Telemetry and heartbeats go straight to their rules, not through the broker. */
  readonly basicIngest: boolean
  /** Months the system has run; storage is that of the last one. */
  readonly ageMonths: number
  readonly rawRetentionDays: number
  /** Answers of the API a day, all readers together. */
  readonly answersPerDay: number
  readonly ledgerWindowS: number
  readonly tallyWindowS: number
}

const { rawRetentionDays, ledgerWindowSeconds, tallyWindowSeconds } = stageConfig('prod')

/** A site as the stage `prod` is set and the firmware comes, unless told otherwise. */
export const USUAL: Scenario = {
  nodes: 100,
  periodS: 30,
  batch: 1,
  channels: 0,
  basicIngest: false,
  ageMonths: 12,
  rawRetentionDays,
  answersPerDay: 20_000,
  ledgerWindowS: ledgerWindowSeconds,
  tallyWindowS: tallyWindowSeconds,
}

/** A month of the model. */
export const MONTH_DAYS = 30
export const MONTH_S = MONTH_DAYS * 86_400
