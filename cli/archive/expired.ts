import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ArchiveReader,
  archiveReader,
  messageOf,
} from '../../functions/adapters/archive-reader.ts'
import type { Reading } from '../../functions/domain/reading.ts'
import { archivedReadings } from '../../functions/verify/archived.ts'
import type { Stack } from '../stack/stack.ts'
import { withArchive } from './place.ts'

/** Readings of raw events that may have expired, as the archive has them. */
export interface Expired extends Disposable {
  /** Messages that were found. */
  readonly messages: number
  readonly unreadable: UnreadableLines
  readings(register: string): readonly Reading[]
}

/** Lines that hold no message: nobody knows of which node they are. */
export interface UnreadableLines {
  readonly count: number
  /** Objects that hold any. */
  readonly objects: number
  /** The first of them; an archive that is damaged may have more than fit into memory. */
  readonly first: readonly UnreadableLine[]
  /** The object of the last one. */
  readonly lastKey: string | null
}

/** A line of the archive, by its object, and why it cannot be read. */
export interface UnreadableLine {
  readonly key: string
  readonly line: number
  readonly reason: string
}

/** Unreadable lines told one by one. */
const FIRST = 10

/**
 * Goes through the archive once, up to where the raw events are kept, and lays the messages down by
 * node in a temporary folder: an archive of years does not fit into memory, those of a node do.
 *
 * @returns null where the stage has no archive
 */
export async function expiredMessages(
  stack: Stack,
  node: string | undefined,
  keptFromMs: number,
): Promise<Expired | null> {
  try {
    return await withArchive(stack, { bucket: undefined, region: undefined }, ({ s3, bucket }) =>
      laidDown(archiveReader(s3, bucket), node, keptFromMs),
    )
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return null
    throw error
  }
}

/** The messages of an archive from before an instant, by node in a folder of their own. */
export async function laidDown(
  reader: ArchiveReader,
  node: string | undefined,
  keptFromMs: number,
): Promise<Expired> {
  const folder = mkdtempSync(join(tmpdir(), 'autovolt-archive-'))
  const nodes = new Set<string>()
  const first: UnreadableLine[] = []
  const unreadable = { count: 0, objects: 0, first, lastKey: null as string | null }
  let messages = 0
  const layDown = (key: string, lines: readonly string[]) => {
    const byNode = new Map<string, string[]>()
    lines.forEach((line, at) => {
      const parsed = messageOf(line)
      if ('reason' in parsed) {
        if (first.length < FIRST) first.push({ key, line: at + 1, reason: parsed.reason })
        unreadable.count += 1
        if (unreadable.lastKey !== key) unreadable.objects += 1
        unreadable.lastKey = key
        return
      }
      const { esp32_name, channel, received_at } = parsed.message
      const isOther = node !== undefined && esp32_name !== node
      if (isOther || channel !== 'telemetry' || received_at >= keptFromMs) return
      const known = byNode.get(esp32_name) ?? []
      known.push(line)
      byNode.set(esp32_name, known)
      messages += 1
    })
    for (const [name, some] of byNode) {
      nodes.add(name)
      appendFileSync(fileOf(folder, name), `${some.join('\n')}\n`)
    }
  }
  const dispose = () => rmSync(folder, { recursive: true, force: true })
  try {
    for await (const { key } of reader.objects({ fromMs: 0, toMs: keptFromMs })) {
      layDown(key, await reader.lines(key))
    }
  } catch (error) {
    dispose()
    throw error
  }
  return {
    messages,
    unreadable,
    readings(register) {
      const [name = ''] = register.split('/')
      if (!nodes.has(name)) return []
      const lines = readFileSync(fileOf(folder, name), 'utf8').split('\n').slice(0, -1)
      return lines.flatMap((line) => {
        const parsed = messageOf(line)
        const said = 'message' in parsed ? archivedReadings(parsed.message) : null
        return said?.register === register ? said.readings : []
      })
    },
    [Symbol.dispose]: dispose,
  }
}

/** Names come from the archive, so they are no path of their own. */
const fileOf = (folder: string, name: string) => join(folder, encodeURIComponent(name))
