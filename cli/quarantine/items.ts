import {
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb'
import { QuarantineItem, type QuarantineKind } from '../../functions/adapters/quarantine.ts'
import { Failure, usage } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** What a person calls a quarantined message by. */
export function idOf(item: QuarantineItem): string {
  return `${item.esp32_name}/${item.received}`
}

/** The receipt a quarantined message had. */
export function receivedAtMs(item: QuarantineItem): number {
  return Date.parse(item.received.split('#')[0] ?? '')
}

/** Throws a usage Failure for a text that is no id, and a Failure for one nothing lies under. */
export async function findItem(
  client: DynamoDBDocumentClient,
  stack: Stack,
  id: string,
): Promise<QuarantineItem> {
  const slash = id.lastIndexOf('/')
  if (slash < 1) {
    throw usage(
      `<id> must be <esp32_name>/<received> as \`quarantine list\` prints it (is "${id}")`,
    )
  }
  const key = { esp32_name: id.slice(0, slash), received: id.slice(slash + 1) }
  const { Item } = await client.send(
    new GetCommand({ TableName: stack.table('quarantine'), Key: key, ConsistentRead: true }),
  )
  if (Item === undefined) throw new Failure(`nothing is quarantined under "${id}"`)
  return QuarantineItem.parse(Item)
}

/** The latest quarantined messages by receipt, oldest first. Without a node the table is read whole. */
export async function latestItems(
  client: DynamoDBDocumentClient,
  stack: Stack,
  filter: { node: string | undefined; kind: QuarantineKind | undefined; last: number },
): Promise<QuarantineItem[]> {
  const nowS = Date.now() / 1000
  let latest: QuarantineItem[] = []
  for await (const raw of items(client, stack, filter.node)) {
    const item = QuarantineItem.parse(raw)
    // DynamoDB takes expired items away when it comes to it.
    if (item.expires_at <= nowS) continue
    if (filter.kind !== undefined && item.quarantine_kind !== filter.kind) continue
    latest.push(item)
    if (latest.length >= 2 * filter.last) latest = newest(latest, filter.last)
  }
  return newest(latest, filter.last)
}

function newest(all: readonly QuarantineItem[], last: number): QuarantineItem[] {
  const sorted = all.toSorted((a, b) => (a.received < b.received ? -1 : 1))
  return sorted.slice(-last)
}

async function* items(client: DynamoDBDocumentClient, stack: Stack, node: string | undefined) {
  const TableName = stack.table('quarantine')
  let start: Record<string, unknown> | undefined
  do {
    const page =
      node === undefined
        ? await client.send(new ScanCommand({ TableName, ExclusiveStartKey: start }))
        : await client.send(
            new QueryCommand({
              TableName,
              KeyConditionExpression: 'esp32_name = :name',
              ExpressionAttributeValues: { ':name': node },
              ConsistentRead: true,
              ExclusiveStartKey: start,
            }),
          )
    yield* page.Items ?? []
    start = page.LastEvaluatedKey
  } while (start !== undefined)
}
