import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { NodeState } from './model/node.ts'

const Counter = z.strictObject({
  device_id: z.string(),
  energyMwh: z.int(),
  restMwMs: z.int(),
  onMs: z.int(),
})

const Reading = z.strictObject({
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
  unsent: z.array(Reading),
  gaps: z.array(z.strictObject({ fromSequenceNo: z.int(), toSequenceNo: z.int() })),
  restart: z.strictObject({ reason: z.string(), lossBoundMwh: z.int() }).nullable(),
})

/** The flash of the simulated nodes: one file a node. */
export interface Flash {
  /** Undefined for a node that never ran. Throws when a file is not what `write` wrote. */
  read(esp32Name: string): NodeState | undefined
  /** On disk when it returns, whole or not at all. */
  write(esp32Name: string, state: NodeState): void
}

/** Opens `<dataDir>/fleet/`. */
export function openFlash(dataDir: string): Flash {
  const folder = join(dataDir, 'fleet')
  mkdirSync(folder, { recursive: true })
  const fileOf = (esp32Name: string) => join(folder, `${esp32Name}.json`)
  return {
    read: (esp32Name) => {
      const file = fileOf(esp32Name)
      let text: string
      try {
        text = readFileSync(file, 'utf8')
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      }
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
  }
}
