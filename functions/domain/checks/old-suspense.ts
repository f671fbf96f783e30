import type { Line } from '../line.ts'
import { type Finding, instant } from './finding.ts'
import type { NodeView, RegisterView } from './view.ts'

/** Energy or readings that were seen and not credited, and that no later reading has decided for too long. */
export function oldSuspense({ registers, limits, nowMs }: NodeView): Finding[] {
  const isOld = (ms: number) => nowMs - ms > limits.suspense_ms
  return registers.flatMap((register) => [
    ...register.lines
      .filter(({ kind, toMs }) => kind === 'suspense' && isOld(toMs))
      .map(
        ({ fromMs, toMs, energyMwh, between }): Finding => ({
          rule: 'old_suspense',
          register: register.register,
          window: windowOf(fromMs, toMs, between),
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
    ...heldBack(register, isOld),
  ])
}

/** Readings that a clock put at one instant may have many steps there: each is decided by itself. */
function windowOf(fromMs: number, toMs: number, [, to]: Line['between']): string {
  const span = `${instant(fromMs)}/${instant(toMs)}`
  return fromMs === toMs ? `${span} ${to}` : span
}

/** A counter that fell just before it was heard of for the last time: the rules would wait for ever. */
function heldBack({ register, held }: RegisterView, isOld: (ms: number) => boolean): Finding[] {
  const [first] = held?.readings ?? []
  if (!held || first === undefined || !isOld(first.tMs)) return []
  const { after, readings } = held
  return [
    {
      rule: 'old_suspense',
      register,
      window: `held back since ${instant(first.tMs)}`,
      fromMs: null,
      severity: 'medium',
      evidence: {
        held_back: readings.length,
        counter_before_mwh: after.energyMwh,
        counter_mwh: first.energyMwh,
        from: instant(after.tMs),
        to: instant(readings.at(-1)?.tMs ?? first.tMs),
        readings: [after.id, ...readings.map(({ id }) => id)],
      },
    },
  ]
}
