import { energyOf } from '../amounts.ts'
import { dateAt, localDay } from '../calendar.ts'
import type { PlacedReading } from '../reading.ts'
import type { Finding } from './finding.ts'
import { finished, type NodeView } from './view.ts'

/** Lines longer than this may hide that something was on in between. */
const LONGEST_MS = 15 * 60_000

/**
 * Energy was counted while node and channels said that everything was off, more than what the parts
 * that are never off take. A relay that sticks, or a load behind the relays.
 */
export function useWhileOff(view: NodeView): Finding[] {
  const { standby_mw, off_least_mwh } = view.limits
  return view.registers.flatMap((register) => {
    const byId = new Map(register.readings.map((reading) => [reading.id, reading]))
    const used = new Map<string, { overMwh: number; energyMwh: number; ms: number }>()
    for (const line of register.lines) {
      const ms = line.toMs - line.fromMs
      if (line.kind !== 'measured' || ms > LONGEST_MS || line.onTimeS > 0) continue
      if (line.channels.some(({ onTimeS }) => onTimeS > 0)) continue
      if (!line.between.every((id) => isAllOff(byId.get(id)))) continue
      const date = dateAt(line.fromMs, view.zone)
      const known = used.get(date) ?? { overMwh: 0, energyMwh: 0, ms: 0 }
      known.overMwh += line.energyMwh - energyOf(standby_mw, ms)
      known.energyMwh += line.energyMwh
      known.ms += ms
      used.set(date, known)
    }
    const over = new Set(finished(view, register).map(({ day }) => day.date))
    return [...used]
      .filter(([date, { overMwh }]) => over.has(date) && overMwh >= off_least_mwh)
      .map(
        ([date, { energyMwh, ms }]): Finding => ({
          rule: 'use_while_off',
          register: register.register,
          window: date,
          fromMs: localDay(date, view.zone).startMs,
          severity: 'low',
          evidence: { energy_mwh: energyMwh, off_ms: ms },
        }),
      )
  })
}

/** True when a reading tells of switches, and of none that is on. */
function isAllOff(reading: PlacedReading | undefined): boolean {
  if (reading === undefined) return false
  const states = [reading.on, ...reading.channels.map(({ on }) => on)].filter((on) => on !== null)
  return states.length > 0 && !states.includes(true)
}
