import { sum } from '../rollup/figures.ts'
import type { Finding } from './finding.ts'
import { finished, type NodeView, type RegisterView } from './view.ts'

/**
 * Something was on for long and used nothing: a load that is broken, or a meter that does not see it.
 * Of channels only those are asked that count for themselves: what others get is a share.
 */
export function zeroWhileOn(view: NodeView): Finding[] {
  const least = view.limits.zero_on_s
  return view.registers.flatMap((register) => {
    const counting = countingChannels(register)
    return finished(view, register).flatMap(({ day, figures, classroom }): Finding[] => {
      const totalMwh = [...figures.devices.values()].reduce(
        (all, { energyMwh }) => all + sum(energyMwh),
        figures.quality.suspenseMwh,
      )
      const finding = (deviceId: string | null, onS: number): Finding => ({
        rule: 'zero_while_on',
        register: register.register,
        window: deviceId === null ? day.date : `${day.date} ${deviceId}`,
        fromMs: day.startMs,
        severity: deviceId === null ? 'medium' : 'low',
        evidence: { classroom, device_id: deviceId, on_s: onS, energy_mwh: 0 },
      })
      const devices = [...figures.devices].map(([id, series]) => ({
        id,
        onS: sum(series.onTimeS),
        mwh: sum(series.energyMwh),
      }))
      const onS = devices.reduce((most, device) => Math.max(most, device.onS), sum(figures.onTimeS))
      if (totalMwh === 0) return onS < least ? [] : [finding(null, onS)]
      return devices
        .filter(({ id, onS: own, mwh }) => counting.has(id) && mwh === 0 && own >= least)
        .map(({ id, onS: own }) => finding(id, own))
    })
  })
}

function countingChannels({ readings }: RegisterView): ReadonlySet<string | null> {
  return new Set(
    readings.flatMap(({ channels }) =>
      channels.filter(({ energyMwh }) => energyMwh !== null).map(({ deviceId }) => deviceId),
    ),
  )
}
