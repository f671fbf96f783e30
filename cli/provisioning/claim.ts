import type { Stack } from '../stack/stack.ts'
import { certificatesWith, endCertificate } from './certificates.ts'
import { claimDirectory } from './files.ts'
import { makeIdentity } from './identity.ts'
import { issuer, withIot } from './thing.ts'

/**
 * Makes the claim certificate that nodes without an identity are flashed with. With `replace` those
 * before it end: nodes that hold one of them need the new one to claim.
 */
export async function makeClaim(
  stack: Stack,
  options: { out?: string; replace: boolean },
  nowMs = Date.now(),
): Promise<{ directory: string; ended: number }> {
  const directory = options.out ?? claimDirectory(stack.dataDir)
  return withIot(stack, async (iot) => {
    const { ca } = await stack.mqtt()
    const before = options.replace ? await certificatesWith(iot, stack.claimPolicy) : []
    const made = await makeIdentity(
      directory,
      `${stack.claimPolicy}`,
      ca,
      issuer(iot, [stack.claimPolicy], null),
      { nowMs },
    )
    const former = before.filter(({ id }) => id !== made.certificateId)
    for (const certificate of former) await endCertificate(iot, certificate, 'REVOKED', null)
    return { directory, ended: former.length }
  })
}
