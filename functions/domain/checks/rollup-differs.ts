import { localDay } from '../calendar.ts'
import type { Finding } from './finding.ts'
import type { NodeView } from './view.ts'

/** Day items are what the ledger says, exactly. */
export function rollupDiffers({ registers, zone }: NodeView): Finding[] {
  return registers.flatMap(({ register, dayFaults }) =>
    dayFaults.map(
      ({ date, classroom, kind }): Finding => ({
        rule: 'rollup_differs',
        register,
        window: `${date} ${classroom} ${kind}`,
        fromMs: localDay(date, zone).startMs,
        severity: 'high',
        evidence: { date, classroom, kind },
      }),
    ),
  )
}
