import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { Failure } from '../failure.ts'
import { nodeRecord } from '../show/registers.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { certificatesOf, endCertificate, type Held } from './certificates.ts'
import { thingDirectory } from './files.ts'
import { isPending, makeIdentity, put } from './identity.ts'
import { recordedBy } from './provision.ts'
import { openRegistry } from './registry.ts'
import { issuer, withIot } from './thing.ts'

/** A rotation that is under way, beside the files of the node. */
const Rotation = z.object({
  since_ms: z.int(),
  /** The certificates that are to end. */
  from: z.array(z.string()),
  /** The one that follows them, once it is made. */
  certificate_id: z.string().optional(),
})
type Rotation = z.infer<typeof Rotation>
const STATE = 'rotation.json'

/** How a rotation stands. */
export interface Rotated {
  readonly directory: string
  readonly certificateId: string
  /** Certificates that were ended; none while the node has not been seen with the new one. */
  readonly ended: readonly string[]
  readonly isDone: boolean
  readonly sinceMs: number
}

export interface RotateOptions {
  out?: string
  /** After this the former certificates end, seen or not. */
  graceMs?: number
  nowMs?: number
}

/**
 * Gives a node a new key and certificate, and ends the former ones once it has connected with the new
 * one. Called again it goes on where it was: a key is made once, and nothing ends before its time.
 */
export async function rotateNode(
  stack: Stack,
  esp32Name: string,
  options: RotateOptions = {},
): Promise<Rotated> {
  const directory = options.out ?? thingDirectory(stack.dataDir, esp32Name)
  const nowMs = options.nowMs ?? Date.now()
  const save = (rotation: Rotation) => {
    mkdirSync(directory, { recursive: true })
    put(join(directory, STATE), JSON.stringify(rotation), 0o600)
    return rotation
  }
  return withIot(stack, async (iot) => {
    const held = await certificatesOf(iot, esp32Name)
    let rotation = read(directory) ?? save({ since_ms: nowMs, from: held.map(({ id }) => id) })
    if (rotation.certificate_id === undefined || isPending(directory)) {
      const { ca } = await stack.mqtt()
      const issue = issuer(iot, stack.devicePolicies, esp32Name)
      await makeIdentity(directory, esp32Name, ca, issue, {
        nowMs,
        made: async (certificate_id) => {
          rotation = save({ ...rotation, certificate_id })
        },
      })
      await note(stack, esp32Name, 'issued', rotation.certificate_id ?? '', nowMs)
    }
    const certificateId = rotation.certificate_id ?? ''
    const isOver = options.graceMs !== undefined && nowMs - rotation.since_ms >= options.graceMs
    const answer = { directory, certificateId, sinceMs: rotation.since_ms }
    if (!isOver && (await connectedWith(stack, esp32Name)) !== certificateId) {
      return { ...answer, ended: [], isDone: false }
    }
    const former = held.filter(({ id }) => rotation.from.includes(id))
    await end(stack, iot, esp32Name, former, nowMs)
    rmSync(join(directory, STATE), { force: true })
    return { ...answer, ended: former.map(({ id }) => id), isDone: true }
  })
}

/**
 * Ends what a node that renewed its certificate by itself left behind: all but the one it is connected
 * with, which must be the newest. @returns those that were ended
 */
export async function settleRenewal(
  stack: Stack,
  esp32Name: string,
  nowMs = Date.now(),
): Promise<string[]> {
  return withIot(stack, async (iot) => {
    const held = await certificatesOf(iot, esp32Name)
    const newest = held.at(-1)
    const inUse = await connectedWith(stack, esp32Name)
    if (newest === undefined || newest.id !== inUse) {
      const seen = inUse === null ? 'was not seen' : `was last seen with ${inUse}`
      throw new Failure(
        `${esp32Name} ${seen}, not with its newest certificate ${newest?.id ?? '(none)'}; nothing was ended`,
      )
    }
    const former = held.slice(0, -1)
    await end(stack, iot, esp32Name, former, nowMs)
    return former.map(({ id }) => id)
  })
}

/** The certificate of the node's newest connection, by the broker's word; null when there was none. */
async function connectedWith(stack: Stack, esp32Name: string): Promise<string | null> {
  const record = await withTables(stack, (tables) => nodeRecord(tables, stack, esp32Name))
  return record.presence?.session?.certificate_id ?? null
}

async function end(
  stack: Stack,
  iot: Parameters<typeof endCertificate>[0],
  esp32Name: string,
  certificates: readonly Held[],
  nowMs: number,
): Promise<void> {
  for (const certificate of certificates) {
    await endCertificate(iot, certificate, 'INACTIVE', esp32Name)
    await note(stack, esp32Name, 'replaced', certificate.id, nowMs)
  }
}

async function note(
  stack: Stack,
  esp32Name: string,
  event: 'issued' | 'replaced',
  certificateId: string,
  nowMs: number,
): Promise<void> {
  const registry = openRegistry(stack)
  try {
    await registry.note(esp32Name, { event, certificateId }, recordedBy(), nowMs)
  } finally {
    registry.close()
  }
}

function read(directory: string): Rotation | undefined {
  const path = join(directory, STATE)
  if (!existsSync(path)) return undefined
  const parsed = Rotation.safeParse(JSON.parse(readFileSync(path, 'utf8')))
  if (parsed.success) return parsed.data
  throw new Failure(`${path} is not what a rotation writes; move it away to begin anew`)
}
