import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { allowanceStore } from '../../functions/adapters/allowances.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { certificatesIfAny, cutConnection, endCertificate } from './certificates.ts'
import { thingDirectory } from './files.ts'
import { forgetPending } from './identity.ts'
import { recordedBy } from './provision.ts'
import { openRegistry } from './registry.ts'
import { withIot } from './thing.ts'

/** What a revocation did. */
export interface Revoked {
  readonly certificates: readonly string[]
  /** True when a connection was open, and is not any more. */
  readonly wasConnected: boolean
  /** Serial numbers that are off the allow-list now. */
  readonly withdrawn: readonly string[]
}

export interface RevokeOptions {
  readonly nowMs?: number
  /** @default - sleeps */
  readonly wait?: (ms: number) => Promise<unknown>
}

/** A claim that the hook has let in has its certificate within so long: the service waits 5 s for a hook. */
const REGISTERED_WITHIN_MS = 5_000

/**
 * Takes a node's identity away: no claim brings it a new one, every certificate is revoked and stripped
 * of its policies, and an open connection is cut. A claim that was let in before may attach another one
 * meanwhile; so they are listed again until there is none. Safe to repeat, and to be repeated when it was
 * ended half way. What the node measured before stays.
 */
export async function revokeNode(
  stack: Stack,
  esp32Name: string,
  reason: string | undefined,
  { nowMs = Date.now(), wait = delay }: RevokeOptions = {},
): Promise<Revoked> {
  const withdrawn = await withdrawAllowances(stack, esp32Name, nowMs)
  const certificates: string[] = []
  const note = { esp32Name, reason, nowMs }
  certificates.push(...(await endAll(stack, note, certificates)))
  let wasConnected = await cutConnection(stack, esp32Name)
  // Who stood on the list may be in the middle of a claim.
  if (withdrawn.length > 0) await wait(REGISTERED_WITHIN_MS)
  while (true) {
    const more = await endAll(stack, note, certificates)
    if (more.length === 0) return { certificates, wasConnected, withdrawn }
    certificates.push(...more)
    wasConnected = (await cutConnection(stack, esp32Name)) || wasConnected
  }
}

/**
 * Revokes what a node has at the moment, and what is being made for it here.
 *
 * @param before those that were ended already: a thing loses them some seconds later
 * @returns the others
 */
function endAll(
  stack: Stack,
  note: { esp32Name: string; reason: string | undefined; nowMs: number },
  before: readonly string[],
): Promise<string[]> {
  const { esp32Name, reason, nowMs } = note
  return withIot(stack, async (iot) => {
    const attached = (await certificatesIfAny(iot, esp32Name)) ?? []
    const held = attached.filter(({ id }) => !before.includes(id))
    const directory = thingDirectory(stack.dataDir, esp32Name)
    // One that was being made must not come to life after this.
    const pending = forgetPending(directory)
    rmSync(join(directory, 'rotation.json'), { force: true })
    const all = [...held]
    if (pending !== undefined && !held.some(({ id }) => id === pending.id)) {
      all.push({ ...pending, status: 'INACTIVE', createdAtMs: nowMs })
    }
    const registry = openRegistry(stack)
    try {
      for (const certificate of all) {
        const isHeld = held.includes(certificate)
        await endCertificate(iot, certificate, 'REVOKED', isHeld ? esp32Name : null)
        const event = { event: 'revoked', certificateId: certificate.id, reason } as const
        await registry.note(esp32Name, event, recordedBy(), nowMs)
      }
    } finally {
      registry.close()
    }
    return all.map(({ id }) => id)
  })
}

/** Takes a node from the allow-list. @returns the serial numbers it stood there with */
export function withdrawAllowances(
  stack: Stack,
  esp32Name: string,
  nowMs = Date.now(),
): Promise<string[]> {
  return withTables(stack, async (client) => {
    const store = allowanceStore(client, stack.table('control'))
    const own = (await store.all()).filter(
      (it) => it.esp32Name === esp32Name && it.withdrawnAtMs === null,
    )
    for (const { serial } of own) await store.withdraw(serial, nowMs)
    return own.map(({ serial }) => serial)
  })
}

/** @throws a Failure where nothing was to be taken away, since that is seldom what was meant */
export function needSomething({ certificates, withdrawn }: Revoked, esp32Name: string): void {
  if (certificates.length > 0 || withdrawn.length > 0) return
  throw new Failure(
    `${esp32Name} has no certificate and is not on the allow-list: nothing to revoke`,
  )
}
