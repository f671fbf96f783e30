import type { Line } from '../domain/line.ts'
import type { Reading } from '../domain/reading.ts'

/**
 * Checks lines against the counters directly, without the rules that made them: a measured line is
 * the difference of its two readings, a reset line the whole of its later one, and no reading begins
 * or ends two counted lines, so energy is never counted twice.
 */
export function counterProblems(lines: readonly Line[], readings: readonly Reading[]): string[] {
  const problems: string[] = []
  const byId = new Map(readings.map((reading) => [reading.id, reading]))
  const begun = new Set<string>()
  const ended = new Set<string>()
  for (const line of lines) {
    const [from, to] = line.between.map((id) => byId.get(id))
    const name = `${line.kind} line ${line.between.join(' → ')}`
    if (line.energyMwh < 0) problems.push(`${name} has ${line.energyMwh} mWh and reverses nothing`)
    const hasNoCounter = line.flags.includes('power') || line.flags.includes('rated')
    if (hasNoCounter && from && to) continue
    if (from?.energyMwh == null || to?.energyMwh == null) {
      problems.push(`${name} stands between readings that are not booked with a counter`)
      continue
    }
    if (line.kind !== 'measured' && line.kind !== 'reset') continue
    const step = to.energyMwh - from.energyMwh
    const wrapped = line.flags.includes('rollover') ? line.energyMwh : step
    const counted = line.kind === 'measured' ? wrapped : to.energyMwh
    if (line.flags.includes('rollover') && step >= 0) problems.push(`${name} wraps without a fall`)
    if (line.energyMwh !== counted) {
      problems.push(`${name} has ${line.energyMwh} mWh, the counters say ${counted}`)
    }
    const shared = line.channels.reduce((sum, channel) => sum + channel.energyMwh, 0)
    if (shared > line.energyMwh)
      problems.push(`${name} gives its channels ${shared} mWh of ${line.energyMwh}`)
    if (begun.has(from.id) || ended.has(to.id)) problems.push(`${name} counts energy a second time`)
    begun.add(from.id)
    ended.add(to.id)
  }
  return problems
}
