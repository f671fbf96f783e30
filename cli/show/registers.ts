import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { type NodeRecord, nodeStore } from '../../functions/adapters/nodes.ts'
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
    `--node: ${esp32Name} is not registered; make it known with \`autovolt provision\``,
  )
}

/** The registers of a node: its own first, then channels that publish on their own. */
export function registersOf(record: NodeRecord): string[] {
  return [...new Set([record.esp32Name, ...[...record.watermarks.keys()].sort()])]
}
