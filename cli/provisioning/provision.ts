import { userInfo } from 'node:os'
import { restateNode } from '../redrive/restate.ts'
import type { Stack } from '../stack/stack.ts'
import { thingDirectory } from './files.ts'
import { makeIdentity } from './identity.ts'
import {
  type FactsGiven,
  type Known,
  type NodeEntry,
  openRegistry,
  otherClassroom,
  type Registry,
  UNTIL_KNOWN_MS,
} from './registry.ts'
import { issuer, makeThing, placeThing, withIot } from './thing.ts'

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
  /** Hears of a certificate that counts, before its files are in place. */
  made?: (certificateId: string) => void
}

/**
 * Makes a node known: thing, type and group, registry entry, key and certificate with its policies, and
 * the three files it connects with. Safe to repeat: what an earlier call left half done is completed, a
 * registered node gets a further certificate and keeps its assignment. Facts of the past restate what
 * was booked by others. Throws a Failure when it is assigned to another classroom, before anything is
 * made.
 */
export async function provisionNode(
  stack: Stack,
  entry: NodeEntry,
  options: ProvisionOptions = {},
): Promise<Provisioned> {
  const directory = options.out ?? thingDirectory(stack.dataDir, entry.esp32Name)
  const nowMs = options.nowMs ?? Date.now()
  const { esp32Name } = entry
  return withIot(stack, async (iot) => {
    const broker = await stack.mqtt()
    // The registry comes first: a classroom lost to another call at the same time must not leave
    // a certificate behind, while an entry without a certificate is completed by the next call.
    const { isNew, restated, registry } = await registerNode(stack, entry, iot, nowMs)
    try {
      const { certificateArn } = await makeIdentity(
        directory,
        esp32Name,
        broker.ca,
        issuer(iot, stack.devicePolicies, esp32Name),
        {
          nowMs,
          made: async (certificateId) => {
            await registry.note(esp32Name, { event: 'issued', certificateId }, recordedBy(), nowMs)
            options.made?.(certificateId)
          },
        },
      )
      return { directory, certificateArn, isNew, restated }
    } finally {
      registry.close()
    }
  })
}

/** Makes thing, group and registry entry of a node, and no certificate. The registry is the caller's to close. */
export async function registerNode(
  stack: Stack,
  entry: NodeEntry,
  iot: Parameters<typeof makeThing>[0],
  nowMs: number,
): Promise<{ isNew: boolean; restated: number; thingGroup: string; registry: Registry }> {
  const { esp32Name, classroom } = entry
  const registry = openRegistry(stack)
  try {
    const known = await registry.read(esp32Name)
    if (known.classroom !== undefined && known.classroom !== classroom) {
      throw otherClassroom(esp32Name, known.classroom, classroom)
    }
    const thingArn = await makeThing(iot, stack, esp32Name)
    await registry.write(entry, known, thingArn, recordedBy(), nowMs)
    const thingGroup = await placeThing(iot, stack, esp32Name, classroom)
    const restated = isOfThePast(entry, known, nowMs)
      ? await restateNode(stack, esp32Name, null)
      : new Map<string, number>()
    return {
      isNew: !known.isRegistered,
      restated: [...restated.values()].reduce((sum, entries) => sum + entries, 0),
      thingGroup: thingGroup ?? '',
      registry,
    }
  } catch (error) {
    registry.close()
    throw error
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
