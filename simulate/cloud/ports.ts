import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { closingStore } from '../../functions/adapters/closings.ts'
import { controlStore } from '../../functions/adapters/control.ts'
import { decisionsOf } from '../../functions/adapters/decisions.ts'
import { journal } from '../../functions/adapters/journal.ts'
import { factsOf, nodeStore } from '../../functions/adapters/nodes.ts'
import { quarantineStore } from '../../functions/adapters/quarantine.ts'
import { rawStore } from '../../functions/adapters/raw.ts'
import { rollupStore } from '../../functions/adapters/rollups.ts'
import { tariffStore } from '../../functions/adapters/tariffs.ts'
import { unfinishedStore } from '../../functions/adapters/unfinished.ts'
import { registerParts } from '../../functions/domain/reading.ts'
import { remembered } from '../../functions/ledger/remembered.ts'

export const SITE_ZONE = 'Asia/Kolkata'
/** Nothing kept is old enough to go. */
const QUARANTINE_DAYS = 90
const RAW_DAYS = 730

/** In whose time the use cases run, and who hears of a register that could not be booked or rolled up. */
export interface Surroundings {
  readonly now: () => number
  readonly failed: (register: string, error: unknown) => void
  /** For how long the facts of a node are taken as they were read. */
  readonly rememberMs: number
}

/** What ingest, ledger, presence and rollup work with, over the real tables in one process. */
export function portsOver(
  client: DynamoDBDocumentClient,
  table: (name: string) => string,
  { now, failed, rememberMs }: Surroundings,
) {
  const nodes = nodeStore(client, table('nodes'), table('control'))
  const control = controlStore(client, table('control'))
  const quarantine = quarantineStore(client, table('quarantine'), QUARANTINE_DAYS)
  const chains = journal(client, { ledger: table('ledger'), nodes: table('nodes') })
  const rememberedNode = remembered((name: string) => nodes.get(name), rememberMs, now)
  const nodeOf = (register: string) => rememberedNode(registerParts(register).esp32Name)
  return {
    nodes,
    control,
    quarantine,
    raw: rawStore(client, table('telemetry'), RAW_DAYS),
    booking: {
      journal: chains,
      facts: async (register: string) => factsOf(await nodeOf(register), register),
      decisions: async (register: string) => decisionsOf(await nodeOf(register), register),
      control,
      quarantine,
      now,
      failed,
    },
    rolling: {
      journal: chains,
      nodes,
      rollups: rollupStore(client, table('rollups')),
      control,
      closings: closingStore(client, table('control')),
      tariffs: tariffStore(client, table('control')),
      unfinished: unfinishedStore(client, table('control'), now),
      timeLeftMs: () => 1,
      siteTimeZone: SITE_ZONE,
      now,
      failed,
    },
  }
}
