import type { ListedAllowance } from '../../functions/adapters/allowances.ts'
import { textTable } from './table.ts'

const COLUMNS = [
  { title: 'node' },
  { title: 'serial' },
  { title: 'may claim' },
  { title: 'claims', isNumber: true },
  { title: 'renewals', isNumber: true },
  { title: 'allowed by' },
]

/** The allow-list, by node. */
export function showAllowances(all: readonly ListedAllowance[], nowMs: number): string {
  if (all.length === 0) return 'nobody is on the allow-list\n'
  const rows = [...all]
    .sort((a, b) => (a.esp32Name < b.esp32Name ? -1 : 1))
    .map((it) => [
      it.esp32Name,
      it.serial,
      until(it, nowMs),
      String(it.claims.length),
      String(it.renewals),
      it.allowedBy,
    ])
  return textTable(COLUMNS, rows)
}

function until({ withdrawnAtMs, untilMs }: ListedAllowance, nowMs: number): string {
  if (withdrawnAtMs !== null) return `no, since ${new Date(withdrawnAtMs).toISOString()}`
  const instant = new Date(untilMs).toISOString()
  return untilMs <= nowMs ? `no, until ${instant}` : `until ${instant}`
}
