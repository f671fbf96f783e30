import { LambdaClient } from '@aws-sdk/client-lambda'
import { journalReader } from '../../functions/adapters/journal.ts'
import { rawItems } from '../../functions/adapters/raw.ts'
import { refuseWhilePaused } from '../booking/paused.ts'
import { nodeRecord, possibleRegisters } from '../show/registers.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { receivedIn } from './errands.ts'
import { bookRaw } from './raw-events.ts'

/** Whose raw events, received in `[fromMs, toMs)`. */
export interface Range {
  readonly node: string
  readonly fromMs: number
  readonly toMs: number
}

/** Unbooked events printed for a register; the first says most. */
const PRINTED = 10

/** Hands a node's raw events to the ledger again, register by register, and tells what came of it. */
export async function rebookNode(
  stack: Stack,
  range: Range,
  tell: (line: string) => void,
): Promise<{ events: number; unbooked: number }> {
  const lambda = new LambdaClient(stack.client('lambda'))
  const total = { events: 0, unbooked: 0 }
  try {
    await withTables(stack, async (tables) => {
      await refuseWhilePaused(stack, tables)
      const record = await nodeRecord(tables, stack, range.node)
      const journal = journalReader(tables, stack.table('ledger'))
      // A head that cannot be read is one of the things this is for.
      const entries = async (register: string) =>
        String(
          await journal.head(register).then(
            (head) => head?.n ?? 0,
            () => '?',
          ),
        )
      for (const register of possibleRegisters(record)) {
        const before = await entries(register)
        const items = rawItems(tables, stack.table('telemetry'), register)
        const { events, unbooked } = await bookRaw(receivedIn(items, range.fromMs, range.toMs), {
          stack,
          tables,
          lambda,
        })
        total.events += events
        total.unbooked += unbooked.length
        if (events === 0) continue
        tell(
          `${register}: ${events} raw events, ${unbooked.length} not booked, entries ${before} → ${await entries(register)}`,
        )
        for (const { id, reason } of unbooked.slice(0, PRINTED)) tell(`  ${id}: ${reason}`)
      }
    })
    return total
  } finally {
    lambda.destroy()
  }
}
