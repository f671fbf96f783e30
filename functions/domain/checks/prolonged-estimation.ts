import type { Finding } from './finding.ts'
import { type DayView, finished, type NodeView } from './view.ts'

/** Days in a row, up to the last finished one, of which most energy was never counted. */
export function prolongedEstimation(view: NodeView): Finding[] {
  const { estimated_days, estimated_percent, estimated_least_mwh } = view.limits
  const isEstimated = ({ figures }: DayView) => {
    const { measuredMwh, apportionedMwh, estimatedMwh } = figures.quality
    const totalMwh = measuredMwh + apportionedMwh + estimatedMwh
    return estimatedMwh >= estimated_least_mwh && estimatedMwh * 100 > totalMwh * estimated_percent
  }
  return view.registers.flatMap((register): Finding[] => {
    const days = finished(view, register)
    const run = days.slice(days.findLastIndex((day) => !isEstimated(day)) + 1)
    const [first, last] = [run[0], run.at(-1)]
    if (first === undefined || last === undefined || run.length < estimated_days) return []
    return [
      {
        rule: 'prolonged_estimation',
        register: register.register,
        window: last.day.date.slice(0, 7),
        fromMs: null,
        severity: 'medium',
        evidence: {
          classroom: last.classroom,
          from: first.day.date,
          to: last.day.date,
          days: run.length,
          estimated_mwh: run.reduce((all, day) => all + day.figures.quality.estimatedMwh, 0),
        },
      },
    ]
  })
}
