import { restarted } from '../evidence.ts'
import type { PlacedReading } from '../reading.ts'
import type { Finding } from './finding.ts'
import { finished, type NodeView } from './view.ts'

/** A counter that begins anew, or a node that restarts, more often in a day than it should. */
export function resetRate(view: NodeView): Finding[] {
  const { resets_a_day, restarts_a_day } = view.limits
  return view.registers.flatMap((register) =>
    finished(view, register).flatMap(({ day, figures, classroom }): Finding[] => {
      const { resets } = figures.quality
      const own = register.readings.filter(({ tMs }) => tMs >= day.startMs && tMs < day.endMs)
      const restarts = own.filter((to, at) => at > 0 && restarted(own[at - 1] as PlacedReading, to))
      if (resets <= resets_a_day && restarts.length <= restarts_a_day) return []
      return [
        {
          rule: 'reset_rate',
          register: register.register,
          window: day.date,
          fromMs: day.startMs,
          severity: 'medium',
          evidence: { classroom, resets, restarts: restarts.length },
        },
      ]
    }),
  )
}
