import type { Finding } from './finding.ts'
import { finished, type NodeView } from './view.ts'

/** The whole site, in a finding that concerns no register. */
export const SITE = 'site'

/**
 * Energy of a closed day has no price. It concerns the classroom, not the register, and goes on day
 * after day, so all of a month is one finding; where there is no tariff at all, of the whole site.
 */
export function noTariff(view: NodeView): Finding[] {
  const months = new Map<
    string,
    { classroom: string; month: string; fromMs: number; mwh: number }
  >()
  for (const register of view.registers) {
    for (const { day, classroom, unpricedMwh } of finished(view, register)) {
      if (unpricedMwh === 0) continue
      const month = day.date.slice(0, 7)
      const key = `${month} ${classroom}`
      const known = months.get(key) ?? { classroom, month, fromMs: day.startMs, mwh: 0 }
      known.mwh += unpricedMwh
      months.set(key, known)
    }
  }
  return [...months.values()].map(
    ({ classroom, month, fromMs, mwh }): Finding => ({
      rule: 'no_tariff',
      register: view.hasTariffs ? `classroom:${classroom}` : SITE,
      window: month,
      fromMs,
      severity: 'medium',
      evidence: view.hasTariffs ? { classroom, unpriced_mwh: mwh } : { tariffs: 0 },
    }),
  )
}
