import type { Finding } from './finding.ts'
import type { NodeView } from './view.ts'

/** A node counts energy that no classroom gets, since nobody ever said where it stands. */
export function unassignedNode({ esp32Name, isAssigned, registers }: NodeView): Finding[] {
  const counting = registers.filter(({ readings }) => readings.length > 0)
  if (isAssigned || counting.length === 0) return []
  return [
    {
      rule: 'unassigned_node',
      register: esp32Name,
      window: 'registration',
      fromMs: null,
      severity: 'medium',
      evidence: {
        registers: counting.map(({ register }) => register),
        readings: counting.reduce((all, { readings }) => all + readings.length, 0),
      },
    },
  ]
}
