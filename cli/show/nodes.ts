import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { type NodeRecord, nodeStore } from '../../functions/adapters/nodes.ts'
import { classroomAt } from '../../functions/domain/assignment.ts'
import { isSilent } from '../../functions/domain/presence.ts'
import { basisPoints, UPTIME_DAYS, uptime } from '../../functions/domain/uptime.ts'
import type { Stack } from '../stack/stack.ts'
import { textTable } from './table.ts'

const COLUMNS = [
  { title: 'node' },
  { title: 'classroom' },
  { title: 'is' },
  { title: 'since' },
  { title: 'last seen' },
  { title: '7 days %', isNumber: true },
  { title: '30 days %', isNumber: true },
  { title: 'certificate' },
  { title: 'firmware' },
]

/** All nodes with their presence and uptime, by name. */
export async function showNodes(client: DynamoDBDocumentClient, stack: Stack): Promise<string> {
  const nowMs = Date.now()
  const rows: string[][] = []
  for await (const record of nodeStore(client, stack.table('nodes')).all()) {
    if (record.registered || record.presence !== null) rows.push(toRow(record, nowMs))
  }
  if (rows.length === 0) return 'no node is registered (`autovolt provision` makes one known)\n'
  return textTable(
    COLUMNS,
    rows.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  )
}

function toRow(record: NodeRecord, nowMs: number): string[] {
  const { presence, outages = [], assignments } = record
  const at = (ms: number | undefined) => (ms === undefined ? '-' : new Date(ms).toISOString())
  const percent = (days: number) => {
    const up = basisPoints(uptime({ presence, outages, assignments }, nowMs, days))
    return up === null ? '-' : (up / 100).toFixed(2)
  }
  const isOnline = presence?.online === true && !isSilent(presence, nowMs)
  return [
    record.esp32Name,
    classroomAt(assignments, nowMs) ?? '-',
    presence === null ? 'never heard' : isOnline ? 'online' : 'offline',
    at(presence?.changed_at_ms),
    at(presence?.last_seen_ms),
    percent(UPTIME_DAYS.week),
    percent(UPTIME_DAYS.month),
    presence?.session?.certificate_id?.slice(0, 12) ?? '-',
    presence?.firmware_ver ?? '-',
  ]
}
