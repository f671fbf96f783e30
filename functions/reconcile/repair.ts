import type { Pause } from '../adapters/pauses.ts'
import type { Repair } from '../adapters/reconciliations.ts'
import type { Repairs } from '../adapters/repairs.ts'
import type { Seen } from './look.ts'

/** Raw events of a register that a run hands to the ledger, at most: some minutes of booking, of the fifteen it has. */
const MOST_EVENTS = 2_000

export interface Repaired extends Repair {
  /** Day items that were written. */
  readonly days: number
}

/**
 * Repairs what was seen of a node's registers, by the functions whose business it is: unbooked readings and
 * lines that are not what their readings say by the ledger, which appends; day items by the rollup, which
 * makes them anew. A register with a broken chain is left alone: whatever is added to it covers up. While booking is
 * paused nothing is handed to the ledger: a pause is there so that nothing is booked.
 */
export async function repair(
  seen: readonly Seen[],
  runId: string,
  pause: Pause | null,
  ports: { readonly repairs: Repairs },
): Promise<Repaired[]> {
  const done: Repaired[] = []
  for (const { view, raw, fromMs, isProved } of seen) {
    if (!isProved) continue
    const { register, unbooked, lineFaults, dayFaults } = view
    if (unbooked.length > 0 && pause === null) {
      const all = new Set(
        unbooked.map(({ id }) => raw.items.get(id)).filter((it) => it !== undefined),
      )
      const items = [...all].slice(0, MOST_EVENTS)
      const reasons = await ports.repairs.book(items)
      const outcome = reasons.length === 0 ? 'booked' : `not booked: ${reasons[0]}`
      const left = all.size - items.length
      const rest = left === 0 ? '' : `; ${left} more wait for the next run`
      done.push({
        rule: 'unbooked_reading',
        register,
        window: 'unbooked',
        done: `${unbooked.length} readings of ${all.size} raw events not booked: ${items.length} handed to the ledger, ${outcome}${rest}`,
        days: 0,
      })
    }
    if (lineFaults.length > 0 && pause === null) {
      await ports.repairs.restate(register, fromMs)
      const restated = `lines from ${new Date(fromMs).toISOString()} on restated by the ledger`
      done.push({ rule: 'lines_differ', register, window: 'lines', done: restated, days: 0 })
    }
    const dates = dayFaults.map(({ date }) => date).sort()
    const [from, to] = [dates[0], dates.at(-1)]
    if (from === undefined || to === undefined) continue
    const days = await ports.repairs.rebuild(register, { from, to }, `reconcile ${runId}`)
    done.push({
      rule: 'rollup_differs',
      register,
      window: from === to ? from : `${from}/${to}`,
      done: `${days} day items made anew from the ledger`,
      days,
    })
  }
  return done
}
