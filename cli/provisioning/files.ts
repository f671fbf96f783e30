import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../failure.ts'

/** What a node needs to connect: its certificate, its key, and the root it trusts (PEM). */
export interface Credentials {
  certificatePem: string
  keyPem: string
  caPem: string
}

/** Where a node's credentials are when nobody says otherwise. */
export function thingDirectory(dataDir: string, esp32Name: string): string {
  return join(dataDir, 'things', esp32Name)
}

/** Where the claim certificate lies that a campus of nodes shares. */
export function claimDirectory(dataDir: string): string {
  return join(dataDir, 'claim')
}

const ADVICE =
  "make the node's certificate with `autovolt provision`, or name its directory with --certs"

/** Reads `device.crt`, `device.key` and `ca.crt`. Throws a Failure that names the missing file and gives the advice. */
export function readCredentials(directory: string, advice = ADVICE): Credentials {
  return {
    certificatePem: read(directory, 'device.crt', advice),
    keyPem: read(directory, 'device.key', advice),
    caPem: read(directory, 'ca.crt', advice),
  }
}

function read(directory: string, name: string, advice: string): string {
  const path = join(directory, name)
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Failure(`${path} cannot be read; ${advice}`, { cause })
  }
}
