import * as z from 'zod'
import { ThingName } from '../contract/names.ts'
import type { PresenceState } from '../domain/presence.ts'
import type { Span } from '../domain/uptime.ts'

/** What is known of a node's connection; written on change only. */
export const PresenceItem = z.object({
  esp32_name: ThingName,
  kind: z.literal('presence'),
  online: z.boolean(),
  boot_id: z.string().optional(),
  changed_at_ms: z.int(),
  last_seen_ms: z.int(),
  first_seen_ms: z.int().optional(),
  offline_from_ms: z.int().optional(),
  doubted_at_ms: z.int().optional(),
  session: z
    .object({
      id: z.string(),
      version: z.int(),
      open: z.boolean(),
      at_ms: z.int(),
      opened_at_ms: z.int().optional(),
      certificate_id: z.string().optional(),
    })
    .optional(),
  revision: z.int().optional(),
  firmware_ver: z.string().optional(),
  mac: z.string().optional(),
  wifi_rssi: z.number().optional(),
  heap: z.number().optional(),
  backlog: z.int().optional(),
  reset_reason: z.string().optional(),
})

/** The outages of a node that ended on one day (UTC): one item, whatever their number. */
export const OutagesItem = z.object({
  esp32_name: ThingName,
  kind: z.string().startsWith('outages#'),
  spans: z.array(z.tuple([z.int(), z.int()])),
})
/** Uptime is told over 30 days; what is looked into later is a matter of weeks. */
const OUTAGES_KEPT_S = 92 * 86_400

/** Puts presence, on the condition that it is what it was. */
export function presencePut(table: string, next: PresenceState, previous: PresenceState | null) {
  const revision = previous?.revision
  const unchanged =
    revision === undefined
      ? {
          ConditionExpression:
            'last_seen_ms = :seen AND changed_at_ms = :changed AND attribute_not_exists(revision)',
          ExpressionAttributeValues: {
            ':seen': previous?.last_seen_ms,
            ':changed': previous?.changed_at_ms,
          },
        }
      : {
          ConditionExpression: 'revision = :revision',
          ExpressionAttributeValues: { ':revision': revision },
        }
  return {
    TableName: table,
    Item: { ...next, revision: (revision ?? 0) + 1 },
    ...(previous === null
      ? { ConditionExpression: 'attribute_not_exists(esp32_name)' }
      : unchanged),
  }
}

/** Adds an outage to the item of the day it ended on. */
export function outageUpdate(table: string, esp32Name: string, { fromMs, toMs }: Span) {
  const day = new Date(toMs).toISOString().slice(0, 10)
  return {
    TableName: table,
    Key: { esp32_name: esp32Name, kind: `outages#${day}` },
    UpdateExpression:
      'SET spans = list_append(if_not_exists(spans, :none), :span), expires_at = :expires',
    ExpressionAttributeValues: {
      ':none': [],
      ':span': [[fromMs, toMs]],
      ':expires': Math.floor(toMs / 1000) + OUTAGES_KEPT_S,
    },
  }
}
