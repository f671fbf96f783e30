import { parseStageConfig, type StageConfig, type StageInput, StageName } from './config.ts'

/** What each stage sets otherwise than the defaults of the configuration. */
const stages: Record<StageName, Omit<StageInput, 'stage'>> = {
  // One machine: data may go, figures are wanted at once, and load tests are welcome.
  local: {
    protectData: false,
    corsOrigins: ['http://localhost:3001'],
    tallyWindowSeconds: 2,
    ledgerWindowSeconds: 0,
    rollout: 'all-at-once',
    apiThrottle: { rate: 2_000, burst: 4_000 },
    archive: { bufferSeconds: 60, bufferMb: 4, replicaRegion: 'ap-south-1' },
    // Nobody is mailed here: what would be sent lies in <data-dir>/notices.ndjson.
    alarmEmail: 'admin@autovolt.example',
    onCallEmail: 'on-call@autovolt.example',
    escalationEmail: 'escalation@autovolt.example',
  },
  dev: {
    corsOrigins: ['http://localhost:3001'],
    logRetentionDays: 7,
    logLevel: 'INFO',
    tallyWindowSeconds: 10,
    rollout: 'all-at-once',
  },
  // The origins of staging and prod are reserved names nobody can own (RFC 2606) until the site
  // sets its own, here or with `-c corsOrigins=…`.
  staging: {
    corsOrigins: ['https://staging.autovolt.example'],
  },
  prod: {
    corsOrigins: ['https://autovolt.example'],
    logRetentionDays: 90,
  },
}

/**
 * The configuration of a stage. `overrides` wins over what the stage sets; undefined members
 * count as absent. Throws an error naming each wrong field.
 */
export function stageConfig(stage: unknown, overrides: Partial<StageInput> = {}): StageConfig {
  const name = StageName.safeParse(stage)
  if (!name.success) {
    throw new Error(
      `stage must be one of ${StageName.options.join(', ')} (is ${JSON.stringify(stage)})`,
    )
  }
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined)
  return parseStageConfig({
    ...stages[name.data],
    ...Object.fromEntries(given),
    stage: name.data,
  })
}
