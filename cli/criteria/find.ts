import { setTimeout as delay } from 'node:timers/promises'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { controlStore } from '../../functions/adapters/control.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import { nodeStore } from '../../functions/adapters/nodes.ts'
import { reconciliationStore } from '../../functions/adapters/reconciliations.ts'
import { dateAt } from '../../functions/domain/calendar.ts'
import { likelyReasons } from '../../functions/domain/legacy/reasons.ts'
import { comparedDays } from '../legacy/compare.ts'
import { openTickets } from '../reconciliation/tickets.ts'
import { registersOf } from '../show/registers.ts'
import type { Stack } from '../stack/stack.ts'
import { type Findings, unaccounted } from './judge.ts'

const DAY_MS = 86_400_000
const IN_TIME_MS = 60_000
/** The newest entries of a register speak for it: a campus has millions. */
const ENTRIES = 500
/** Counts of two streams come apart by what is under way and by the tally's window. */
const LOOK_EVERY_MS = 1_000
const RUNS = 100

/**
 * Finds what the criteria are judged by, over the last days. Waits up to `patienceMs` for counts to meet
 * that are only under way.
 */
export async function find(
  client: DynamoDBDocumentClient,
  stack: Stack,
  { days, patienceMs, nowMs }: { days: number; patienceMs: number; nowMs: number },
): Promise<Findings> {
  const control = controlStore(client, stack.table('control'))
  let counts = await control.counts()
  for (let waited = 0; unaccounted(counts) !== 0 && waited < patienceMs; waited += LOOK_EVERY_MS) {
    await delay(LOOK_EVERY_MS)
    counts = await control.counts()
  }
  const sinceMs = nowMs - days * DAY_MS
  const recent = await reconciliationStore(client, stack.table('control')).recent(RUNS)
  const runs = recent.filter(({ started_at_ms }) => started_at_ms >= sinceMs)
  const proved = recent.find(({ status }) => status === 'done')
  const tickets = await openTickets(client, stack)
  const compared = await comparedDays(
    client,
    stack,
    dateAt(sinceMs, stack.siteTimeZone),
    dateAt(nowMs, stack.siteTimeZone),
  )
  return {
    former: formerOf(compared),
    counts,
    unbooked: proved?.proof?.readings_unbooked ?? null,
    booked: await bookedSince(client, stack, sinceMs),
    runs: runs.map(({ status, finished_at_ms }) => ({ status, finishedAtMs: finished_at_ms })),
    highTickets: tickets.filter(({ severity }) => severity === 'high').map(({ id }) => id),
  }
}

/** Days that both systems have figures of; null where the former one has none at all. */
function formerOf(compared: Awaited<ReturnType<typeof comparedDays>>): Findings['former'] {
  if (compared.every(({ former }) => former.length === 0)) return null
  const both = compared.filter(({ former, own }) => former.length > 0 && own !== null)
  const unexplained = both
    .filter((it) => likelyReasons(it).some(({ kind }) => kind === 'unexplained'))
    .map(({ day, classroom }) => `${day.date} ${classroom}`)
  return { days: both.length, unexplained }
}

/** How soon readings were booked, by the newest entries of every register. */
async function bookedSince(client: DynamoDBDocumentClient, stack: Stack, sinceMs: number) {
  const journal = journalReader(client, stack.table('ledger'))
  const sum = { readings: 0, inTime: 0 }
  for await (const record of nodeStore(client, stack.table('nodes')).all()) {
    for (const register of registersOf(record)) {
      const head = await journal.head(register)
      if (head === null || head.bookedAtMs < sinceMs) continue
      const entries = await journal.entries(register, Math.max(1, head.n - ENTRIES + 1), ENTRIES)
      for (const { bookedAtMs, readings } of entries) {
        if (bookedAtMs < sinceMs) continue
        sum.readings += readings.length
        sum.inTime += readings.filter((it) => bookedAtMs - it.receivedAtMs <= IN_TIME_MS).length
      }
    }
  }
  return sum
}
