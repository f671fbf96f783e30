import type { Notice } from '../adapters/notices.ts'
import type { ReconciliationStore, Run } from '../adapters/reconciliations.ts'

export interface TellPorts {
  readonly runs: Pick<ReconciliationStore, 'save'>
  /** Gives a run's figures to those who watch them. They are out when it comes back. */
  readonly measure: (run: Run) => void
  readonly notify: (notice: Notice) => Promise<void>
  /** Counts a notice that could not be sent, which raises an alarm. */
  readonly refused: (run: Run, error: string) => void
  readonly now: () => number
}

/** The notice of a run could not be sent; it will be tried again. */
export class NotTold extends Error {
  override readonly name = 'NotTold'
}

/** Telling takes moments; whoever has not done it after this has died. */
const TELLING_MS = 30_000
/** The first, its two repeats, and those of the two nights after. */
export const MOST_ATTEMPTS = 5
const REASON_LENGTH = 300

/** What a run that ends has still to give out. */
export const toTell = (notice: Notice | null, nowMs: number): Run['untold'] => ({
  notice,
  until_ms: nowMs + TELLING_MS,
  attempts: 1,
  measured: false,
})

/**
 * Gives out the figures and the notice of a run that is over, and remembers afterwards that it did: a crash in
 * between may make them twice, and never loses them. A notice that was refused as often as it is tried stays
 * in the run, with the reason. Throws NotTold where it will be tried again.
 */
export async function tell(run: Run, ports: TellPorts): Promise<Run> {
  const { untold } = run
  if (untold === null) return run
  if (!untold.measured) ports.measure(run)
  const { notice, attempts } = untold
  if (notice === null) return saved({ ...run, untold: null }, ports)
  try {
    await ports.notify(notice)
  } catch (cause) {
    const error = (cause instanceof Error ? cause.message : String(cause)).slice(0, REASON_LENGTH)
    if (attempts >= MOST_ATTEMPTS) return givenUp(run, notice, error, ports)
    ports.refused(run, error)
    await saved({ ...run, untold: { ...untold, measured: true } }, ports)
    throw new NotTold(`run ${run.run_id} was not told of, attempt ${attempts}: ${error}`, { cause })
  }
  return saved({ ...run, untold: null }, ports)
}

/** Tells of a run in place of one who died over it. @returns null when it was told, or its teller may be alive */
export async function tellInstead(run: Run, ports: TellPorts): Promise<Run | null> {
  const nowMs = ports.now()
  const { untold } = run
  if (untold === null || nowMs < untold.until_ms) return null
  const { notice, measured } = untold
  const attempts = untold.attempts + 1
  if (notice !== null && attempts > MOST_ATTEMPTS) {
    if (!measured) ports.measure(run)
    return givenUp(run, notice, 'whoever was to send it died over it', ports)
  }
  const again = { notice, until_ms: nowMs + TELLING_MS, attempts, measured }
  const taken: Run = { ...run, revision: run.revision + 1, untold: again }
  return (await ports.runs.save(taken)) ? tell(taken, ports) : null
}

function givenUp(run: Run, notice: Notice, error: string, ports: TellPorts): Promise<Run> {
  ports.refused(run, error)
  return saved({ ...run, untold: null, not_told: { ...notice, error } }, ports)
}

async function saved(run: Run, { runs }: Pick<TellPorts, 'runs'>): Promise<Run> {
  const next: Run = { ...run, revision: run.revision + 1 }
  await runs.save(next)
  return next
}
