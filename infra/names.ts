import type { StageConfig } from './config.ts'

/**
 * The physical name of a resource: `autovolt-<stage>-<name>`. Tables, functions and queues have
 * fixed names so that the command line and a person reading a log find them without a lookup.
 */
export function physicalName(config: StageConfig, name: string): string {
  return `autovolt-${config.stage}-${name}`
}
