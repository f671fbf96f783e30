import { oneLine } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { allowNode } from './allow.ts'
import type { CampusRow } from './campus-file.ts'
import { openCampusLog } from './campus-log.ts'
import { thingDirectory } from './files.ts'
import { isPending } from './identity.ts'
import { provisionNode, registerNode } from './provision.ts'
import { withIot } from './thing.ts'

/** What became of the rows of a campus file. */
export interface CampusDone {
  provisioned: number
  allowed: number
  /** Done by an earlier run: only what the registry lacked was added. */
  known: number
  failed: { line: number; node: string; reason: string }[]
  /** Nodes an earlier run began that this file does not name. */
  leftOver: string[]
  readonly log: string
}

type Outcome = 'provisioned' | 'allowed' | 'known'

export interface CampusOptions {
  /** How long nodes with a serial number have to claim. */
  forMs: number
  /** Hears of each row, in the order they are done. */
  progress: (line: string) => void
}

/** Rows worked on at the same time: AWS IoT takes some tens of registry calls a second. */
const AT_ONCE = 4

/**
 * Provisions the nodes of a file. A row that cannot be done does not hold up the others. Run again, with
 * the same file or a longer one, it goes on: no node gets a second certificate for it.
 */
export async function provisionCampus(
  stack: Stack,
  rows: readonly CampusRow[],
  options: CampusOptions,
): Promise<CampusDone> {
  const log = openCampusLog(stack.dataDir, stack.stage)
  const named = new Set(rows.map(({ entry }) => entry.esp32Name))
  const done: CampusDone = {
    provisioned: 0,
    allowed: 0,
    known: 0,
    failed: [],
    leftOver: log.unfinished().filter((node) => !named.has(node)),
    log: log.path,
  }
  let finished = 0
  const queue = [...rows]
  const worker = async () => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      const node = row.entry.esp32Name
      let said: string
      try {
        const outcome = await one(stack, row, log, options.forMs)
        done[outcome] += 1
        said = outcome === 'known' ? 'was done before' : outcome
      } catch (error) {
        said = `failed: ${oneLine(error)}`
        done.failed.push({ line: row.line, node, reason: oneLine(error) })
      }
      finished += 1
      options.progress(`[${finished}/${rows.length}] ${node} in ${row.entry.classroom}: ${said}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  done.failed.sort((a, b) => a.line - b.line)
  return done
}

async function one(
  stack: Stack,
  { entry, serial }: CampusRow,
  log: ReturnType<typeof openCampusLog>,
  forMs: number,
): Promise<Outcome> {
  const { esp32Name } = entry
  const step = log.stepOf(esp32Name)
  const wanted = serial === undefined ? 'done' : 'allowed'
  // A certificate that counts and whose files are in place wants its last line only.
  const isComplete = step === 'made' && !isPending(thingDirectory(stack.dataDir, esp32Name))
  if (step === wanted || (isComplete && serial === undefined)) {
    await withIot(stack, async (iot) => {
      const { registry } = await registerNode(stack, entry, iot, Date.now())
      registry.close()
    })
    if (step !== wanted) log.write(esp32Name, 'done')
    return 'known'
  }
  if (serial !== undefined) {
    await allowNode(stack, { ...entry, serial }, forMs)
    log.write(esp32Name, 'allowed')
    return 'allowed'
  }
  if (step !== 'begun' && step !== 'made') log.write(esp32Name, 'begun')
  await provisionNode(stack, entry, { made: (id) => log.write(esp32Name, 'made', id) })
  log.write(esp32Name, 'done')
  return 'provisioned'
}
