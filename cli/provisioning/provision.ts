import { userInfo } from 'node:os'
import { restateNode } from '../redrive/restate.ts'
import type { Stack } from '../stack/stack.ts'
import { thingDirectory, writeCredentials } from './files.ts'
import { makeKeyAndRequest } from './key.ts'
import {
  type FactsGiven,
  type Known,
  type NodeEntry,
  openRegistry,
  otherClassroom,
  UNTIL_KNOWN_MS,
} from './registry.ts'
import { registerThing } from './thing.ts'

/** What provisioning did. */
export interface Provisioned {
  directory: string
  certificateArn: string
  /** False when the node was registered before and only got a further certificate. */
  isNew: boolean
  /** Entries by which booked lines were restated, since the facts given hold for their time. */
  restated: number
}

/** What may be left to the defaults. */
export interface ProvisionOptions {
  /** @default `<dataDir>/things/<esp32_name>` */
  out?: string
  nowMs?: number
}

/**
 * Makes a node known: key and certificate, thing, policy, registry entry, and the three files it
 * connects with. Safe to repeat: a registered node gets a further certificate and keeps its
 * assignment. Facts of the past restate what was booked by others. Throws a Failure when it is assigned
 * to another classroom, before anything is made.
 */
export async function provisionNode(
  stack: Stack,
  entry: NodeEntry,
  options: ProvisionOptions = {},
): Promise<Provisioned> {
  const directory = options.out ?? thingDirectory(stack.dataDir, entry.esp32Name)
  const registry = openRegistry(stack)
  try {
    const [known, key, broker] = await Promise.all([
      registry.read(entry.esp32Name),
      makeKeyAndRequest(entry.esp32Name),
      stack.mqtt(),
    ])
    if (known.classroom !== undefined && known.classroom !== entry.classroom) {
      throw otherClassroom(entry.esp32Name, known.classroom, entry.classroom)
    }
    // The registry comes first: a classroom lost to another call at the same time must not leave
    // a certificate behind, while an entry without a certificate is completed by the next call.
    const thing = await registerThing(stack, entry.esp32Name, key.csrPem, (thingArn) =>
      registry.write(entry, known, thingArn, recordedBy(), options.nowMs ?? Date.now()),
    )
    writeCredentials(directory, {
      certificatePem: thing.certificatePem,
      keyPem: key.keyPem,
      caPem: broker.ca,
    })
    const nowMs = options.nowMs ?? Date.now()
    const restated = isOfThePast(entry, known, nowMs)
      ? await restateNode(stack, entry.esp32Name, null)
      : new Map<string, number>()
    return {
      directory,
      certificateArn: thing.certificateArn,
      isNew: !known.isRegistered,
      restated: [...restated.values()].reduce((sum, entries) => sum + entries, 0),
    }
  } finally {
    registry.close()
  }
}

/**
 * True when lines may be booked already, or be booked before every worker knows, that the facts given
 * say otherwise of. Asked again for the same facts it still is, so that a call that ended half way is
 * completed by the next.
 */
export function isOfThePast(entry: FactsGiven, known: Known, nowMs: number): boolean {
  const isNothing =
    entry.ratingMw === undefined && entry.rolloverMwh === undefined && entry.channels.length === 0
  if (!known.isRegistered || isNothing) return false
  const fromMs = entry.effectiveFromMs ?? (known.facts.length === 0 ? 0 : nowMs + UNTIL_KNOWN_MS)
  return fromMs < nowMs + UNTIL_KNOWN_MS
}

/** Who recorded it, for the registry. A process without a passwd entry has a number only. */
export function recordedBy(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    return `cli:uid-${process.getuid?.() ?? 'unknown'}`
  }
}
