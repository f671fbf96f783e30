import type { AllowanceStore } from '../adapters/allowances.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import { type HookAnswer, HookRequest, Serial } from '../contract/claim.ts'
import { judge } from '../domain/allowance.ts'

export interface HookPorts {
  readonly allowances: Pick<AllowanceStore, 'get' | 'given'>
  readonly nodes: Pick<NodeStore, 'presence'>
  readonly now: () => number
  /** Hears why somebody was refused. */
  readonly refused: (reason: string, request: { clientId: string; serial: string }) => void
}

/**
 * Lets a node in, or not. What it becomes is decided by the list, never by what it says: name and
 * group override whatever was sent along.
 */
export async function answer(event: unknown, ports: HookPorts): Promise<HookAnswer> {
  const request = HookRequest.parse(event)
  const { clientId, certificateId } = request
  const said = request.parameters.SerialNumber ?? ''
  const no = (reason: string): HookAnswer => {
    ports.refused(reason, { clientId, serial: said.slice(0, 64) })
    return { allowProvisioning: false }
  }
  const serial = Serial.safeParse(said)
  if (!serial.success) return no(serial.error.issues[0]?.message ?? 'the serial number is wrong')
  const allowance = await ports.allowances.get(serial.data)
  const presence = allowance === null ? null : await ports.nodes.presence(allowance.esp32Name)
  const atMs = ports.now()
  const verdict = judge({ serial: serial.data, clientId }, allowance, presence, atMs)
  if (!verdict.allowed || allowance === null) {
    return no(verdict.allowed ? 'there is no allowance' : verdict.reason)
  }
  if (!(await ports.allowances.given(allowance, { certificateId, how: verdict.how, atMs }))) {
    return no('the allowance changed in this very moment; the node asks again')
  }
  return {
    allowProvisioning: true,
    parameterOverrides: { ThingName: allowance.esp32Name, ThingGroup: allowance.thingGroup },
  }
}
