import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { allowanceStore } from '../../functions/adapters/allowances.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { certificatesOf, cutConnection, endCertificate } from './certificates.ts'
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

/**
 * Takes a node's identity away: no claim brings it a new one, every certificate is revoked and stripped
 * of its policies, and an open connection is cut. Safe to repeat, and to be repeated when it was ended
 * half way. What the node measured before stays.
 */
export async function revokeNode(
  stack: Stack,
  esp32Name: string,
  reason: string | undefined,
  nowMs = Date.now(),
): Promise<Revoked> {
  const withdrawn = await withdrawAllowances(stack, esp32Name, nowMs)
  const certificates = await withIot(stack, async (iot) => {
    const held = await certificatesOf(iot, esp32Name)
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
        await endCertificate(iot, certificate, 'REVOKED', esp32Name)
        const event = { event: 'revoked', certificateId: certificate.id, reason } as const
        await registry.note(esp32Name, event, recordedBy(), nowMs)
      }
    } finally {
      registry.close()
    }
    return all.map(({ id }) => id)
  })
  const wasConnected = await cutConnection(stack, esp32Name)
  return { certificates, wasConnected, withdrawn }
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
