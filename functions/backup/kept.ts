import type { BackedUpTable, TypedItem } from '../adapters/backups.ts'

/**
 * Kinds that are not copied, since they say how far this account has come with its own work: who starts
 * anew has to find them out by himself, and would be misled by another's. All others are copied, also
 * those there will be one day.
 */
const OWN_WORK: Readonly<Record<BackedUpTable, RegExp>> = {
  // Counts of health, runs with their pieces, anchors that a bucket here holds, whether booking is paused, and
  // notes for some days.
  control: /^(count|counted|received-5m|run|reconcile#.*|anchors|pause|idempotency|unfinished)$/,
  // Who is connected, how far the rollup is and which assignments it has followed.
  nodes: /^(presence|stays|watermark#.*)$/,
}

/** Whether an item belongs into a copy: what nobody could make anew from readings. */
export function isKept(table: BackedUpTable, item: TypedItem): boolean {
  return !OWN_WORK[table].test(item.kind?.S ?? '')
}
