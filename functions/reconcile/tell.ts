import type { Notice } from '../adapters/notices.ts'
import type { ReconciliationStore, Run } from '../adapters/reconciliations.ts'

export interface TellPorts {
  readonly runs: Pick<ReconciliationStore, 'save'>
  /** Gives a run's figures to those who watch them. They are out when it comes back. */
  readonly measure: (run: Run) => void
  readonly notify: (notice: Notice) => Promise<void>
  readonly now: () => number
}

/** Telling takes moments; whoever has not done it after this has died. */
const TELLING_MS = 30_000

/** What a run that ends has still to give out. */
export const toTell = (notice: Notice | null, nowMs: number): Run['untold'] => ({
  notice,
  until_ms: nowMs + TELLING_MS,
})

/**
 * Gives out the figures and the notice of a run that is over, and remembers afterwards that it did: a crash in
 * between may make them twice, and never loses them.
 */
export async function tell(run: Run, ports: TellPorts): Promise<Run> {
  if (run.untold === null) return run
  ports.measure(run)
  if (run.untold.notice !== null) await ports.notify(run.untold.notice)
  const told: Run = { ...run, revision: run.revision + 1, untold: null }
  await ports.runs.save(told)
  return told
}

/** Tells of a run in place of one who died over it. @returns null when it was told, or its teller may be alive */
export async function tellInstead(run: Run, ports: TellPorts): Promise<Run | null> {
  const nowMs = ports.now()
  if (run.untold === null || nowMs < run.untold.until_ms) return null
  const { notice } = run.untold
  const taken: Run = { ...run, revision: run.revision + 1, untold: toTell(notice, nowMs) }
  return (await ports.runs.save(taken)) ? tell(taken, ports) : null
}
