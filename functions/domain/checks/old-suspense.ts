import { type Finding, instant } from './finding.ts'
import type { NodeView } from './view.ts'

/** Energy that was seen and not credited, and that no later reading has decided for too long. */
export function oldSuspense({ registers, limits, nowMs }: NodeView): Finding[] {
  return registers.flatMap(({ register, lines }) =>
    lines
      .filter(({ kind, toMs }) => kind === 'suspense' && nowMs - toMs > limits.suspense_ms)
      .map(
        ({ fromMs, toMs, energyMwh, between }): Finding => ({
          rule: 'old_suspense',
          register,
          window: `${instant(fromMs)}/${instant(toMs)}`,
          fromMs: toMs,
          severity: 'medium',
          evidence: {
            energy_mwh: energyMwh,
            from: instant(fromMs),
            to: instant(toMs),
            readings: between,
          },
        }),
      ),
  )
}
