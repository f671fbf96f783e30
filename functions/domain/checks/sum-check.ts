import { type PlacedReading, registerParts } from '../reading.ts'
import { blockTotals, sum } from '../rollup/figures.ts'
import type { Finding } from './finding.ts'
import { type DayView, finished, type NodeView, type RegisterView } from './view.ts'

/**
 * Channels of a node cannot count more than the node: neither those that publish on their own, nor
 * those that stand in its own readings. Less is normal, since not every load has a channel.
 */
export function sumCheck(view: NodeView): Finding[] {
  const own = view.registers.find(({ register }) => registerParts(register).deviceId === null)
  if (own === undefined) return []
  const others = view.registers.filter((register) => register !== own)
  return finished(view, own).flatMap((day): Finding[] => {
    const nodeMwh = sum(blockTotals(day.figures))
    const apart = others.flatMap((register) =>
      register.days.filter((it) => isSame(it, day)).map(({ figures }) => sum(blockTotals(figures))),
    )
    const within = counted(own, day)
    const claims = [
      ...(apart.length > 0 && nodeMwh > 0
        ? [{ of: 'registers', sumMwh: sum(apart), nodeMwh }]
        : []),
      ...(within === null ? [] : [{ of: 'channels', ...within }]),
    ]
    return claims
      .filter((claim) => isOver(claim, view.limits))
      .map(({ of, sumMwh, nodeMwh: ownMwh }) => ({
        rule: 'sum_check',
        register: own.register,
        window: `${day.day.date} ${of}`,
        fromMs: day.day.startMs,
        severity: 'medium',
        evidence: { classroom: day.classroom, node_mwh: ownMwh, channels_mwh: sumMwh },
      }))
  })
}

function isOver(
  { sumMwh, nodeMwh }: { sumMwh: number; nodeMwh: number },
  { sum_percent, sum_least_mwh }: NodeView['limits'],
): boolean {
  const over = sumMwh - nodeMwh
  return over >= sum_least_mwh && over * 100 > nodeMwh * sum_percent
}

const isSame = (a: DayView, b: DayView) => a.day.date === b.day.date && a.classroom === b.classroom

/** What node and channels counted over the readings of a day, without the steps in which one fell. */
function counted(
  { readings }: RegisterView,
  { day }: DayView,
): { nodeMwh: number; sumMwh: number } | null {
  const own = readings.filter(({ tMs }) => tMs >= day.startMs && tMs < day.endMs)
  const total = { nodeMwh: 0, sumMwh: 0 }
  let steps = 0
  own.slice(1).forEach((to, at) => {
    const from = own[at] as PlacedReading
    const step = stepOf(from, to)
    if (step === null) return
    steps += 1
    total.nodeMwh += step.nodeMwh
    total.sumMwh += step.sumMwh
  })
  return steps === 0 ? null : total
}

function stepOf(from: PlacedReading, to: PlacedReading) {
  if (from.epoch !== to.epoch || from.energyMwh === null || to.energyMwh === null) return null
  const before = new Map(from.channels.map((it) => [it.deviceId, it.energyMwh]))
  const rises = to.channels.map(({ deviceId, energyMwh }) => {
    const was = before.get(deviceId) ?? null
    return energyMwh === null || was === null ? null : energyMwh - was
  })
  const known = rises.filter((rise) => rise !== null)
  const nodeMwh = to.energyMwh - from.energyMwh
  if (known.length === 0 || nodeMwh < 0 || known.some((rise) => rise < 0)) return null
  return { nodeMwh, sumMwh: sum(known) }
}
