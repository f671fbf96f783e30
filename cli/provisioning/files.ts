import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
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

/** Writes `device.crt`, `device.key` (readable by the owner only) and `ca.crt` into a directory. */
export function writeCredentials(directory: string, credentials: Credentials): void {
  mkdirSync(directory, { recursive: true })
  write(join(directory, 'ca.crt'), credentials.caPem, 0o644)
  write(join(directory, 'device.key'), credentials.keyPem, 0o600)
  write(join(directory, 'device.crt'), credentials.certificatePem, 0o644)
}

/** Each file appears whole or not at all, and with its mode from the first byte on. */
function write(path: string, text: string, mode: number): void {
  const part = `${path}.part`
  writeFileSync(part, text, { mode })
  chmodSync(part, mode)
  renameSync(part, path)
}

/** Reads them back. Throws a Failure that names the missing file and how to make it. */
export function readCredentials(directory: string): Credentials {
  return {
    certificatePem: read(directory, 'device.crt'),
    keyPem: read(directory, 'device.key'),
    caPem: read(directory, 'ca.crt'),
  }
}

function read(directory: string, name: string): string {
  const path = join(directory, name)
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Failure(
      `${path} cannot be read; make the node's certificate with \`autovolt provision\`, or name its directory with --certs`,
      { cause },
    )
  }
}
