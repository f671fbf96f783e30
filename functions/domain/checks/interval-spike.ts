import { BLOCK_MS } from '../calendar.ts'
import { blockTotals } from '../rollup/figures.ts'
import { type Finding, instant } from './finding.ts'
import { finished, type NodeView } from './view.ts'

/**
 * The highest block of a day against the third-highest, as meter-data people do: a load that really
 * runs shows in more than two blocks. A day of one or two blocks has nothing to compare with.
 */
export function intervalSpike(view: NodeView): Finding[] {
  const { spike_percent, spike_least_mwh } = view.limits
  return view.registers.flatMap((register) =>
    finished(view, register).flatMap(({ day, figures, classroom }): Finding[] => {
      const blocks = blockTotals(figures)
      const [highest = 0, , third = 0] = [...blocks].sort((a, b) => b - a)
      const over = highest - third
      if (third <= 0 || over < spike_least_mwh || over * 100 <= third * spike_percent) return []
      const block = blocks.indexOf(highest)
      const blockMs = day.startMs + block * BLOCK_MS
      // Somebody has looked at it already, and believed the counter.
      const isDecided = register.lines.some(
        ({ kind, flags, fromMs, toMs }) =>
          kind === 'measured' &&
          flags.includes('decided') &&
          fromMs < blockMs + BLOCK_MS &&
          toMs > blockMs,
      )
      return [
        {
          rule: 'interval_spike',
          register: register.register,
          window: day.date,
          fromMs: day.startMs,
          severity: isDecided ? 'info' : 'medium',
          evidence: {
            classroom,
            block_from: instant(blockMs),
            highest_mwh: highest,
            third_highest_mwh: third,
          },
        },
      ]
    }),
  )
}
