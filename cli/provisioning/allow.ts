import { allowanceStore, type ListedAllowance } from '../../functions/adapters/allowances.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { recordedBy, registerNode } from './provision.ts'
import type { NodeEntry } from './registry.ts'
import { withIot } from './thing.ts'

/** A node that is to claim its identity itself, and how it is recognised. */
export interface Allowed extends NodeEntry {
  /** The hardware address of its chip, 12 lower-case hexadecimal digits. */
  readonly serial: string
}

/**
 * Registers a node and puts it on the allow-list. A serial number stands for one node at a time; to give
 * a chip to another node, the first is taken off the list before.
 */
export async function allowNode(
  stack: Stack,
  entry: Allowed,
  forMs: number,
  nowMs = Date.now(),
): Promise<{ untilMs: number }> {
  const untilMs = nowMs + forMs
  await withTables(stack, async (client) => {
    const store = allowanceStore(client, stack.table('control'))
    const known = await store.get(entry.serial)
    if (known !== null && known.withdrawnAtMs === null && known.esp32Name !== entry.esp32Name) {
      throw new Failure(
        `serial ${entry.serial} is allowed for ${known.esp32Name}; take that off the list first: \`autovolt allow ${known.esp32Name} --withdraw\``,
      )
    }
    const thingGroup = await withIot(stack, async (iot) => {
      const registered = await registerNode(stack, entry, iot, nowMs)
      registered.registry.close()
      return registered.thingGroup
    })
    const { serial, esp32Name } = entry
    await store.allow({ serial, esp32Name, thingGroup, allowedAtMs: nowMs, untilMs }, recordedBy())
  })
  return { untilMs }
}

export function allowances(stack: Stack): Promise<ListedAllowance[]> {
  return withTables(stack, (client) => allowanceStore(client, stack.table('control')).all())
}
