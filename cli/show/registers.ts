import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { type NodeRecord, nodeStore } from '../../functions/adapters/nodes.ts'
import { registerKey } from '../../functions/domain/reading.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** What the registry says of a node. Throws a Failure when nobody provisioned it. */
export async function nodeRecord(
  client: DynamoDBDocumentClient,
  stack: Stack,
  esp32Name: string,
): Promise<NodeRecord> {
  const record = await nodeStore(client, stack.table('nodes')).get(esp32Name)
  if (record.registered || record.watermarks.size > 0) return record
  throw new Failure(
    `${esp32Name} is not registered; make it known with \`autovolt provision ${esp32Name} --classroom <name>\``,
  )
}

/**
 * Every register a node may have readings in: those the ledger knows, its own, and one for each
 * channel it was provisioned with.
 */
export function possibleRegisters(record: NodeRecord): string[] {
  const channels = record.facts.flatMap(({ device_id }) =>
    device_id === null ? [] : [registerKey(record.esp32Name, device_id)],
  )
  return [...new Set([...registersOf(record), ...channels])]
}

/** The registers of a node: its own first, then channels that publish on their own. */
export function registersOf(record: NodeRecord): string[] {
  return [...new Set([record.esp32Name, ...[...record.watermarks.keys()].sort()])]
}
