import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  IoTClient,
  ListThingGroupsForThingCommand,
  RemoveThingFromThingGroupCommand,
  ResourceAlreadyExistsException,
  UpdateCertificateCommand,
  UpdateThingCommand,
} from '@aws-sdk/client-iot'
import { thingGroupPrefix } from '../../infra/names.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { groupName } from './group.ts'
import type { Issuer } from './identity.ts'

/** Runs work with a client of AWS IoT; no socket outlives it. */
export async function withIot<T>(stack: Stack, work: (iot: IoTClient) => Promise<T>): Promise<T> {
  const iot = new IoTClient(stack.client('iot'))
  try {
    return await work(iot)
  } finally {
    iot.destroy()
  }
}

/** Makes the thing with its type; one that is there gets the type. @returns its ARN */
export async function makeThing(iot: IoTClient, stack: Stack, thingName: string): Promise<string> {
  const thingTypeName = stack.thingType
  try {
    const thing = await iot.send(new CreateThingCommand({ thingName, thingTypeName }))
    return present(thing.thingArn, 'CreateThing', 'thingArn')
  } catch (error) {
    // A thing made before there were types, or by other hands.
    if (!(error instanceof ResourceAlreadyExistsException) || thingTypeName === undefined) {
      throw error
    }
    await iot.send(new UpdateThingCommand({ thingName, thingTypeName }))
    const thing = await iot.send(new CreateThingCommand({ thingName, thingTypeName }))
    return present(thing.thingArn, 'CreateThing', 'thingArn')
  }
}

/** Makes the group of a classroom where it is missing. @returns its name */
export async function makeGroup(iot: IoTClient, stack: Stack, classroom: string): Promise<string> {
  const thingGroupName = groupName(stack.stage, classroom)
  try {
    await iot.send(
      new CreateThingGroupCommand({
        thingGroupName,
        thingGroupProperties: { thingGroupDescription: `Nodes of ${classroom}` },
      }),
    )
  } catch (error) {
    if (!(error instanceof ResourceAlreadyExistsException)) throw error
  }
  return thingGroupName
}

/** Puts a thing into the group of a classroom, and out of those of others; null for none. @returns the group */
export async function placeThing(
  iot: IoTClient,
  stack: Stack,
  thingName: string,
  classroom: string | null,
): Promise<string | null> {
  const wanted = classroom === null ? null : await makeGroup(iot, stack, classroom)
  const { thingGroups = [] } = await iot.send(new ListThingGroupsForThingCommand({ thingName }))
  const names = thingGroups.flatMap(({ groupName: name }) => name ?? [])
  if (wanted !== null && !names.includes(wanted)) {
    await iot.send(new AddThingToThingGroupCommand({ thingGroupName: wanted, thingName }))
  }
  const rooms = names.filter((name) => name.startsWith(thingGroupPrefix({ stage: stack.stage })))
  for (const thingGroupName of rooms.filter((name) => name !== wanted)) {
    await iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName, thingName }))
  }
  return wanted
}

/** Certificates for a thing, or (without one) for what the policies alone open. */
export function issuer(
  iot: IoTClient,
  policyNames: readonly string[],
  thingName: string | null,
): Issuer {
  return {
    async sign(certificateSigningRequest) {
      const made = await iot.send(
        new CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: false }),
      )
      const field = (value: string | undefined, name: string) =>
        present(value, 'CreateCertificateFromCsr', name)
      return {
        id: field(made.certificateId, 'certificateId'),
        arn: field(made.certificateArn, 'certificateArn'),
        pem: field(made.certificatePem, 'certificatePem'),
      }
    },
    async install(principal, certificateId) {
      for (const policyName of policyNames) {
        await iot.send(new AttachPolicyCommand({ policyName, target: principal }))
      }
      if (thingName !== null) {
        await iot.send(new AttachThingPrincipalCommand({ thingName, principal }))
      }
      await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'ACTIVE' }))
    },
  }
}

function present(value: string | undefined, call: string, field: string): string {
  if (value === undefined || value === '') throw new Failure(`${call} answered without ${field}`)
  return value
}
