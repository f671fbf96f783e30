import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { FIRST_VERSION, type NodeState, type Reading } from './model/node.ts'

const Counter = z.strictObject({
  device_id: z.string(),
  energyMwh: z.int(),
  restMwMs: z.int(),
  onMs: z.int(),
})

const StoredReading = z.strictObject({
  sequenceNo: z.int(),
  bootId: z.string(),
  atMs: z.int(),
  uptimeS: z.int(),
  energyMwh: z.int(),
  powerMw: z.int(),
  channels: z.array(
    z.strictObject({
      device_id: z.string(),
      energyMwh: z.int(),
      powerMw: z.int(),
      onTimeS: z.int(),
    }),
  ),
  resetReason: z.string().optional(),
  lossBoundMwh: z.int().optional(),
})

const State: z.ZodType<NodeState> = z.strictObject({
  atMs: z.int(),
  counterEpoch: z.int(),
  sequenceNo: z.int(),
  boot: z.strictObject({ id: z.string(), atMs: z.int() }).nullable(),
  counters: z.array(Counter),
  stored: z.array(Counter),
  lostMwh: z.int(),
  unsent: z.array(StoredReading),
  gaps: z.array(z.strictObject({ fromSequenceNo: z.int(), toSequenceNo: z.int() })),
  restart: z.strictObject({ reason: z.string(), lossBoundMwh: z.int() }).nullable(),
  obeyed: z.array(z.string()).default([]),
  firmwareVersion: z.string().default(FIRST_VERSION.current),
  trial: z.strictObject({ former: z.string(), untilMs: z.int() }).nullable().default(null),
  job: z
    .strictObject({ id: z.string(), isInstalled: z.boolean(), attempts: z.int() })
    .nullable()
    .default(null),
})

/** A line of the journal. */
const Line = z.strictObject({ epoch: z.int(), reading: StoredReading })

/** Lines of a journal file; with two files a node holds its last eight to sixteen thousand readings. */
const MAX_LINES = 8_192

/** The flash of the simulated nodes: a file with the state of each, and a journal of what it measured. */
export interface Flash {
  /** Undefined for a node that never ran. Throws when a file is not what `write` wrote. */
  read(esp32Name: string): NodeState | undefined
  /** On disk when it returns, whole or not at all. */
  write(esp32Name: string, state: NodeState): void
  /** Adds readings to the journal, where they stay after they were acknowledged. The oldest go in time. */
  append(esp32Name: string, epoch: number, readings: readonly Reading[]): void
  /** The readings of an epoch that are still there, from a sequence number on, in order. */
  held(esp32Name: string, epoch: number, from: number, most: number): Reading[]
}

/**
 * Opens `<dataDir>/fleet/`.
 * @param maxLines of a journal file; a node holds up to twice as many readings
 */
export function openFlash(dataDir: string, maxLines = MAX_LINES): Flash {
  const folder = join(dataDir, 'fleet')
  mkdirSync(folder, { recursive: true })
  const fileOf = (esp32Name: string) => join(folder, `${esp32Name}.json`)
  const journalOf = (esp32Name: string) => join(folder, `${esp32Name}.ndjson`)
  const formerOf = (esp32Name: string) => join(folder, `${esp32Name}.former.ndjson`)
  const counts = new Map<string, number>()
  return {
    read: (esp32Name) => {
      const file = fileOf(esp32Name)
      const text = textOf(file)
      if (text === undefined) return undefined
      const parsed = State.safeParse(JSON.parse(text))
      if (parsed.success) return parsed.data
      const issue = parsed.error.issues[0]
      throw new Error(
        `${file}: ${issue?.path.join('.')} ${issue?.message}; remove the file to begin this node's counter anew`,
      )
    },
    write: (esp32Name, state) => {
      const file = fileOf(esp32Name)
      writeFileSync(`${file}.part`, JSON.stringify(state))
      renameSync(`${file}.part`, file)
    },
    append: (esp32Name, epoch, readings) => {
      const file = journalOf(esp32Name)
      let count = counts.get(esp32Name) ?? linesOf(file).length
      if (count >= maxLines) {
        renameSync(file, formerOf(esp32Name))
        count = 0
      }
      appendFileSync(
        file,
        readings.map((reading) => `${JSON.stringify({ epoch, reading })}\n`).join(''),
      )
      counts.set(esp32Name, count + readings.length)
    },
    held: (esp32Name, epoch, from, most) => {
      const found = new Map<number, Reading>()
      for (const file of [formerOf(esp32Name), journalOf(esp32Name)]) {
        for (const line of linesOf(file)) {
          const parsed = lineIn(line)
          if (parsed === null || parsed.epoch !== epoch) continue
          // After a kill a number may stand twice; the later reading is the one that was published.
          if (parsed.reading.sequenceNo >= from) {
            found.set(parsed.reading.sequenceNo, parsed.reading)
          }
        }
      }
      return [...found.values()].sort((a, b) => a.sequenceNo - b.sequenceNo).slice(0, most)
    },
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

const linesOf = (file: string) => (textOf(file) ?? '').split('\n').filter((line) => line !== '')

/** Null for a line that a kill left half written: it was never published. */
function lineIn(text: string): z.infer<typeof Line> | null {
  try {
    return Line.parse(JSON.parse(text))
  } catch {
    return null
  }
}
