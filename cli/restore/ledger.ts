import { rebookNode } from '../redrive/rebook.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { recordsOf } from './rollups.ts'

/**
 * Books the raw events of all nodes, or of one, into a ledger that was lost or put back to an earlier
 * time. What is booked stays as it is, so it may be stopped and started again.
 */
export async function restoreLedger(
  stack: Stack,
  node: string | undefined,
  tell: (line: string) => void,
): Promise<{ events: number; unbooked: number }> {
  const total = { events: 0, unbooked: 0 }
  const names = await withTables(stack, async (tables) => {
    const all: string[] = []
    for await (const { esp32Name, registered, watermarks } of recordsOf(tables, stack, node)) {
      if (registered || watermarks.size > 0) all.push(esp32Name)
    }
    return all.sort()
  })
  for (const name of names) {
    const range = { node: name, fromMs: 0, toMs: Number.POSITIVE_INFINITY }
    const { events, unbooked } = await rebookNode(stack, range, tell)
    total.events += events
    total.unbooked += unbooked
  }
  return total
}
