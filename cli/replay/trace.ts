import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import * as z from 'zod'
import { Failure } from '../failure.ts'
import { Thousandths } from '../quantity.ts'

/** One row of a trace: the power shown at a second of its day by the recorder's clock. */
export interface TraceRow {
  /** 0 is 00:00:00. */
  wallSecond: number
  powerMw: number
}

/** What the wire takes as the power of one reading. */
const MAX_POWER_MW = 10_000_000_000
const FIELDS = ['time', 'watts (1 s)', 'watts (8 s)'] as const

const Moment = z
  .string()
  .regex(
    /^\d{1,2}\/\d{1,2}\/\d{4} \d{1,2}:\d{2}:\d{2}$/,
    'must be day/month/year hour:minute:second',
  )
  .transform((text) => text.split(/[/ :]/).map(Number) as Digits)
  .refine(isDate, 'is a date that no calendar has')
  .refine(([, , , h, m, s]) => h < 24 && m < 60 && s < 60, 'is a time that no clock shows')
type Digits = [day: number, month: number, year: number, h: number, m: number, s: number]

const Watts = Thousandths.refine(
  (milliwatts) => milliwatts <= MAX_POWER_MW,
  `must be at most ${MAX_POWER_MW / 1000} W`,
)
const Row = z.tuple([Moment, Watts, Watts])

/**
 * Reads a trace, `day/month/year hour:minute:second;watts over 1 s;watts over 8 s` a row, plain or
 * gzipped. One file is one day, rows in order of time (several rows in one second do occur).
 * Throws a Failure that names file, line, field and value of the first wrong row.
 */
export async function readTrace(file: string): Promise<TraceRow[]> {
  const rows: TraceRow[] = []
  let first: { day: string } | undefined
  for await (const { line, record } of records(file)) {
    const where = `${file}, line ${line}`
    const [moment] = record
    const [time, power] = checked(record, where)
    const day = moment?.split(' ')[0] ?? ''
    first ??= { day }
    if (day !== first.day) {
      throw new Failure(
        `${where}: time must be on ${first.day} as in the first row (is "${moment}")`,
      )
    }
    const wallSecond = time[3] * 3600 + time[4] * 60 + time[5]
    if (wallSecond < (rows.at(-1)?.wallSecond ?? 0)) {
      throw new Failure(`${where}: time must not go back (is "${moment}")`)
    }
    rows.push({ wallSecond, powerMw: power })
  }
  if (rows.length === 0) throw new Failure(`${file}: must have at least one row (is empty)`)
  return rows
}

function checked(record: string[], where: string) {
  if (record.length !== FIELDS.length) {
    throw new Failure(
      `${where}: must have ${FIELDS.length} fields, ${FIELDS.join(';')} (has ${record.length}: "${record.join(';').slice(0, 80)}")`,
    )
  }
  const parsed = Row.safeParse(record)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const at = Number(issue?.path[0] ?? 0)
  throw new Failure(`${where}: ${FIELDS[at]} ${issue?.message} (is "${record[at]?.slice(0, 80)}")`)
}

/** The rows as text, with their line numbers. What the operating system or gzip says gets the file's name. */
async function* records(file: string): AsyncGenerator<{ line: number; record: string[] }> {
  const parser = parse({
    delimiter: ';',
    info: true,
    bom: true,
    quote: false,
    trim: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: 4096,
  })
  try {
    const text = await openText(file)
    text.on('error', (error) => parser.destroy(error))
    text.pipe(parser)
    for await (const { record, info } of parser) yield { line: info.lines, record }
  } catch (error) {
    if (error instanceof Failure) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure(`${file} cannot be read: ${why}`, { cause: error })
  }
}

/** Gzip is told by its first two bytes, so that the name of the file does not matter. */
async function openText(file: string): Promise<Readable> {
  const handle = await open(file)
  const start = Buffer.alloc(2)
  try {
    await handle.read(start, 0, 2, 0)
  } finally {
    await handle.close()
  }
  const bytes = createReadStream(file)
  if (start[0] !== 0x1f || start[1] !== 0x8b) return bytes
  const gunzip = createGunzip()
  bytes.on('error', (error) => gunzip.destroy(error))
  return bytes.pipe(gunzip)
}

function isDate([day, month, year]: Digits): boolean {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}
