import type { Entry } from '../domain/journal.ts'
import { type Line, lineIdentity } from '../domain/line.ts'

/**
 * Checks every line ever posted, also those that stand no more: energy is negative only where a line
 * takes another back, and only a line that stands can be taken back.
 */
export function signProblems(entries: readonly Entry[]): string[] {
  const problems: string[] = []
  const standing = new Map<string, number>()
  for (const entry of entries) {
    entry.lines.forEach((line, index) => {
      const name = `entry ${entry.n}, line ${index + 1} (${line.kind}, ${line.energyMwh} mWh)`
      const amounts = amountsOf(line)
      if (!line.reverses && amounts.some((amount) => amount < 0)) {
        problems.push(`${name} is negative and reverses nothing`)
      }
      if (line.reverses && amounts.some((amount) => amount > 0)) {
        problems.push(`${name} reverses and is not negative`)
      }
      const identity = lineIdentity(line)
      const count = (standing.get(identity) ?? 0) + (line.reverses ? -1 : 1)
      if (count < 0) problems.push(`${name} takes back a line that does not stand`)
      else standing.set(identity, count)
    })
  }
  return problems
}

function amountsOf(line: Line): number[] {
  const channels = line.channels.flatMap((channel) => [channel.energyMwh, channel.onTimeS])
  return [line.energyMwh, line.onTimeS, ...channels]
}
