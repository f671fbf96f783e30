import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  IoTClient,
} from '@aws-sdk/client-iot'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** What AWS IoT made for a node. */
export interface ThingAndCertificate {
  thingArn: string
  certificateArn: string
  certificatePem: string
}

/**
 * Registers the thing, has the request signed, and attaches policy and thing to the certificate.
 * `register` runs once the thing exists and before a certificate does. Making an existing thing
 * again is no error, so a call that broke off can be repeated.
 */
export async function registerThing(
  stack: Stack,
  esp32Name: string,
  csrPem: string,
  register: (thingArn: string) => Promise<void>,
): Promise<ThingAndCertificate> {
  const iot = new IoTClient(stack.client('iot'))
  try {
    const thing = await iot.send(new CreateThingCommand({ thingName: esp32Name }))
    const thingArn = present(thing.thingArn, 'CreateThing', 'thingArn')
    await register(thingArn)
    const certificate = await iot.send(
      new CreateCertificateFromCsrCommand({
        certificateSigningRequest: csrPem,
        setAsActive: true,
      }),
    )
    const made = (value: string | undefined, field: string) =>
      present(value, 'CreateCertificateFromCsr', field)
    const principal = made(certificate.certificateArn, 'certificateArn')
    await Promise.all([
      iot.send(new AttachPolicyCommand({ policyName: stack.devicePolicy, target: principal })),
      iot.send(new AttachThingPrincipalCommand({ thingName: esp32Name, principal })),
    ])
    return {
      thingArn,
      certificateArn: principal,
      certificatePem: made(certificate.certificatePem, 'certificatePem'),
    }
  } finally {
    iot.destroy()
  }
}

function present(value: string | undefined, call: string, field: string): string {
  if (value === undefined || value === '') throw new Failure(`${call} answered without ${field}`)
  return value
}
