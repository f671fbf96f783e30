import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import * as z from 'zod'
import { Serial } from '../../functions/contract/claim.ts'
import { Classroom, Esp32Name } from '../../functions/contract/names.ts'
import { Failure, usage } from '../failure.ts'
import { PositiveThousandths } from '../quantity.ts'
import { parseChannels } from './channels.ts'
import type { NodeEntry } from './registry.ts'

/** A row of a campus file: a node, and the serial number it is to claim its identity with, if it is. */
export interface CampusRow {
  readonly line: number
  readonly entry: NodeEntry
  readonly serial?: string
}

const COLUMNS = ['node', 'classroom', 'rating_w', 'rollover_wh', 'channels', 'serial'] as const
const MOST_ROWS = 100_000

const optional = <T>(schema: z.ZodType<T>) =>
  z.union([z.literal('').transform(() => undefined), schema]).optional()

const Row = z.strictObject({
  node: Esp32Name,
  classroom: Classroom,
  rating_w: optional(PositiveThousandths),
  rollover_wh: optional(PositiveThousandths),
  channels: z.string().optional(),
  serial: optional(Serial),
})

/**
 * Reads `node,classroom,rating_w,rollover_wh,channels,serial`, the last four of which may be left out.
 * Channels are `id:watts`, parted by semicolons. Every wrong row is told with its line, column, limit
 * and value, and nothing is done while there is one.
 */
export function readCampus(path: string): CampusRow[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw usage(`--csv: ${path} cannot be read (${(cause as Error).message})`)
  }
  return parseCampus(text, path)
}

/** The same of a text; `name` stands before the line in errors. */
export function parseCampus(text: string, name: string): CampusRow[] {
  const records = recordsOf(text, name)
  if (records.length === 0) throw usage(`${name}: there is no row below the header`)
  if (records.length > MOST_ROWS) {
    throw usage(`${name}: at most ${MOST_ROWS} rows, got ${records.length}`)
  }
  const wrong: string[] = []
  const rows = records.flatMap(({ record, info }) => {
    try {
      return [toRow(record, info.lines)]
    } catch (error) {
      wrong.push(`${name}:${info.lines}: ${(error as Error).message}`)
      return []
    }
  })
  for (const column of ['node', 'serial'] as const) wrong.push(...repeated(rows, column, name))
  if (wrong.length > 0) {
    const rest = wrong.length > 20 ? `\n… and ${wrong.length - 20} more` : ''
    throw new Failure(`${wrong.slice(0, 20).join('\n')}${rest}`, { exitCode: 2 })
  }
  return rows
}

interface Parsed {
  record: Record<string, string>
  info: { lines: number }
}

function recordsOf(text: string, name: string): Parsed[] {
  const columns = (header: string[]) => {
    const unknown = header.find((column) => !(COLUMNS as readonly string[]).includes(column))
    if (unknown !== undefined) {
      throw usage(
        `${name}:1: there is no column "${unknown}", only ${COLUMNS.join(', ')}, parted by commas`,
      )
    }
    const missing = (['node', 'classroom'] as const).find((column) => !header.includes(column))
    if (missing !== undefined) throw usage(`${name}:1: the column "${missing}" is missing`)
    const twice = header.find((column, at) => header.indexOf(column) !== at)
    if (twice !== undefined) throw usage(`${name}:1: the column "${twice}" is there twice`)
    return header
  }
  try {
    const options = { bom: true, trim: true, info: true, skip_empty_lines: true, comment: '#' }
    return parse(text, { ...options, comment_no_infix: true, columns }) as unknown as Parsed[]
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw usage(`${name}: ${(cause as Error).message}`)
  }
}

function toRow(record: Record<string, string>, line: number): CampusRow {
  const parsed = Row.safeParse(record)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => {
      const column = String(issue.path[0] ?? 'row')
      const why = reasonOf(issue)
      // The contract's messages begin with the name of the field, which may be the column's too.
      return `${why.startsWith(column) ? why : `${column}: ${why}`} (is "${record[column] ?? ''}")`
    })
    throw new Error(faults.join('; '))
  }
  const { node, classroom, rating_w, rollover_wh, channels = '', serial } = parsed.data
  const given = channels.split(';').filter((each) => each.trim() !== '')
  const entry: NodeEntry = {
    esp32Name: node,
    classroom,
    ratingMw: rating_w,
    rolloverMwh: rollover_wh,
    channels: parseChannels(
      'channels',
      given.map((each) => each.trim()),
    ),
  }
  return { line, entry, ...(serial !== undefined && { serial }) }
}

/** Of a union the last branch is the one that was meant: the first is an empty cell. */
function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union') return issue.message
  return issue.errors.at(-1)?.[0]?.message ?? issue.message
}

function repeated(rows: readonly CampusRow[], column: 'node' | 'serial', name: string): string[] {
  const seen = new Map<string, number>()
  return rows.flatMap(({ line, entry, serial }) => {
    const value = column === 'node' ? entry.esp32Name : serial
    if (value === undefined) return []
    const first = seen.get(value)
    if (first === undefined) seen.set(value, line)
    return first === undefined
      ? []
      : [`${name}:${line}: ${column} "${value}" is in line ${first} already`]
  })
}
