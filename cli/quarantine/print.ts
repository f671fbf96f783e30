import type { QuarantineItem } from '../../functions/adapters/quarantine.ts'
import { type Column, textTable } from '../show/table.ts'
import { siteTime } from '../show/time.ts'
import { idOf, receivedAtMs } from './items.ts'

const COLUMNS: Column[] = [
  { title: 'id' },
  { title: 'received' },
  { title: 'kind' },
  { title: 'channel' },
  { title: 'bytes', isNumber: true },
  { title: 'released' },
  { title: 'reason' },
]
/** A reason is cut in a list; `show` has it whole. */
const REASON_CHARS = 100

export function itemsTable(items: readonly QuarantineItem[], zone: string): string {
  if (items.length === 0) return 'nothing is quarantined\n'
  return textTable(
    COLUMNS,
    items.map((item) => [
      idOf(item),
      siteTime(receivedAtMs(item), zone),
      item.quarantine_kind,
      item.channel,
      String(item.original_bytes),
      item.released_at_ms === undefined ? '-' : siteTime(item.released_at_ms, zone),
      item.reason.length > REASON_CHARS ? `${item.reason.slice(0, REASON_CHARS)}…` : item.reason,
    ]),
  )
}

/** Everything that is known of one message, and the message. */
export function itemText(item: QuarantineItem, zone: string): string {
  const size =
    item.original.byteLength < item.original_bytes
      ? `${item.original_bytes} bytes, of which the first ${item.original.byteLength} are kept`
      : `${item.original_bytes} bytes`
  const released =
    item.released_at_ms === undefined
      ? []
      : [
          `released  ${siteTime(item.released_at_ms, zone)} by ${item.released_by}: ${item.release_outcome}`,
        ]
  return [
    `id        ${idOf(item)}`,
    `received  ${siteTime(receivedAtMs(item), zone)}`,
    `channel   ${item.channel}`,
    `kind      ${item.quarantine_kind}`,
    `reason    ${item.reason}`,
    ...released,
    `kept      until ${siteTime(item.expires_at * 1000, zone)}`,
    `original  ${size}`,
    originalText(item.original),
    ...(item.released_as === undefined ? [] : ['released as', originalText(item.released_as)]),
    '',
  ].join('\n')
}

/** Text as text; what is no text as base64, which tells every byte. */
export function originalText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return `base64:${Buffer.from(bytes).toString('base64')}`
  }
}
