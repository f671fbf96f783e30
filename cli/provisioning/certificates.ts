import {
  DescribeCertificateCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  type IoTClient,
  ListAttachedPoliciesCommand,
  ListTargetsForPolicyCommand,
  ListThingPrincipalsCommand,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot'
import { DeleteConnectionCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** A certificate of a thing. */
export interface Held {
  readonly id: string
  readonly arn: string
  readonly status: string
  readonly createdAtMs: number
}

/** The certificates attached to a thing, oldest first. Throws a Failure where there is no such thing. */
export async function certificatesOf(iot: IoTClient, thingName: string): Promise<Held[]> {
  const held = await certificatesIfAny(iot, thingName)
  if (held !== null) return held
  throw new Failure(`there is no thing ${thingName}; \`autovolt provision\` or a claim makes it`)
}

/** The same; null where there is no such thing. */
export async function certificatesIfAny(iot: IoTClient, thingName: string): Promise<Held[] | null> {
  const principals: string[] = []
  let nextToken: string | undefined
  try {
    do {
      const page = await iot.send(new ListThingPrincipalsCommand({ thingName, nextToken }))
      principals.push(...(page.principals ?? []))
      nextToken = page.nextToken
    } while (nextToken !== undefined)
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null
    throw error
  }
  return described(iot, principals)
}

/** The certificates a policy is attached to, oldest first. */
export async function certificatesWith(iot: IoTClient, policyName: string): Promise<Held[]> {
  const targets: string[] = []
  let marker: string | undefined
  do {
    const page: { targets?: string[]; nextMarker?: string } = await iot.send(
      new ListTargetsForPolicyCommand({ policyName, marker }),
    )
    targets.push(...(page.targets ?? []))
    marker = page.nextMarker
  } while (marker !== undefined)
  return described(iot, targets)
}

async function described(iot: IoTClient, arns: readonly string[]): Promise<Held[]> {
  const held: Held[] = []
  for (const arn of arns) {
    const id = /:cert\/([0-9a-f]{64})$/.exec(arn)?.[1]
    if (id === undefined) continue
    const { certificateDescription: it } = await iot.send(
      new DescribeCertificateCommand({ certificateId: id }),
    )
    const createdAtMs = it?.creationDate?.getTime() ?? 0
    held.push({ id, arn, status: it?.status ?? 'UNKNOWN', createdAtMs })
  }
  return held.sort((a, b) => a.createdAtMs - b.createdAtMs)
}

/**
 * Ends a certificate: it opens nothing from now on. REVOKED says it is not to be trusted, INACTIVE that
 * it was replaced. What hung on it is taken off, so that nothing comes back should somebody activate it.
 */
export async function endCertificate(
  iot: IoTClient,
  { id, arn }: Pick<Held, 'id' | 'arn'>,
  newStatus: 'INACTIVE' | 'REVOKED',
  thingName: string | null,
): Promise<void> {
  await iot.send(new UpdateCertificateCommand({ certificateId: id, newStatus }))
  const { policies = [] } = await iot.send(new ListAttachedPoliciesCommand({ target: arn }))
  for (const { policyName } of policies) {
    await iot.send(new DetachPolicyCommand({ policyName, target: arn }))
  }
  if (thingName !== null) {
    await iot.send(new DetachThingPrincipalCommand({ thingName, principal: arn }))
  }
}

/** Cuts a connection at once, where AWS IoT alone would take minutes. @returns false when none is open */
export async function cutConnection(stack: Stack, clientId: string): Promise<boolean> {
  const data = new IoTDataPlaneClient(stack.client('iot'))
  try {
    await data.send(new DeleteConnectionCommand({ clientId, cleanSession: true }))
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return false
    throw error
  } finally {
    data.destroy()
  }
}
