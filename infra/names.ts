import type { StageConfig } from './config.ts'

/**
 * The physical name of a resource: `autovolt-<stage>-<name>`. Tables, functions and queues have
 * fixed names so that the command line and a person reading a log find them without a lookup.
 */
export function physicalName(config: StageConfig, name: string): string {
  return `autovolt-${config.stage}-${name}`
}

/**
 * Where `autovolt token` waits for the answer of a sign-in. Cognito compares the whole URL, so the
 * port is fixed; plain http is allowed because nothing leaves the machine.
 */
export const LOOPBACK_CALLBACK = 'http://localhost:8976/callback'

/** What the thing groups of classrooms begin with: `autovolt-<stage>-room-`. */
export function thingGroupPrefix({ stage }: { stage: string }): string {
  return `autovolt-${stage}-room-`
}

/** The alias through which every function is called; a deployment moves it from version to version. */
export const LIVE = 'live'

/** What the jobs of firmware releases begin with: `autovolt-<stage>-fw-`. */
export function releasePrefix({ stage }: { stage: string }): string {
  return `autovolt-${stage}-fw-`
}

/** Where images lie in the bucket of releases. */
export const RELEASE_IMAGES = 'images/'
