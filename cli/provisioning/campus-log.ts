import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

/** How far a node came. `made`: its certificate counts, and its files are about to be put in place. */
const Line = z.object({
  node: z.string(),
  step: z.literal(['begun', 'made', 'allowed', 'done']),
  at: z.string(),
  certificate_id: z.string().optional(),
})
export type Step = z.infer<typeof Line>['step']

/** What was done for which node of a stage, so that a run that was ended can be gone on with. */
export interface CampusLog {
  readonly path: string
  /** The last step of a node; undefined for one that was never begun. */
  stepOf(esp32Name: string): Step | undefined
  /** Nodes that were begun and are neither done nor allowed. */
  unfinished(): string[]
  write(esp32Name: string, step: Step, certificateId?: string): void
}

/** Opens `<data-dir>/provisioning-<stage>.jsonl`. Each line is on disk before the step it permits. */
export function openCampusLog(dataDir: string, stage: string): CampusLog {
  mkdirSync(dataDir, { recursive: true })
  const path = join(dataDir, `provisioning-${stage}.jsonl`)
  const steps = new Map<string, Step>()
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  // A kill may have cut the last line; what it would have said has then not happened for us.
  for (const text of lines) {
    const line = Line.safeParse(jsonOf(text))
    if (line.success) steps.set(line.data.node, line.data.step)
  }
  const isCut = lines.length > 0 && lines.at(-1) !== ''
  if (isCut) appendFileSync(path, '\n')
  return {
    path,
    stepOf: (esp32Name) => steps.get(esp32Name),
    unfinished: () =>
      [...steps].flatMap(([node, step]) => (step === 'begun' || step === 'made' ? [node] : [])),
    write(node, step, certificate_id) {
      const line = { node, step, at: new Date().toISOString(), certificate_id }
      appendFileSync(path, `${JSON.stringify(line)}\n`, { mode: 0o600, flush: true })
      steps.set(node, step)
    },
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
