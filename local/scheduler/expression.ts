import { Cron } from 'croner'
import { DateTime } from 'luxon'

/** When a schedule fires. Instants are epoch milliseconds; undefined is never again. */
export interface Timetable {
  /** The first instant after `afterMs`. */
  next(afterMs: number): number | undefined
}

const UNIT_MS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }

/**
 * Reads an expression of EventBridge Scheduler: `rate(15 minutes)`, `cron(0 2 * * ? *)` or
 * `at(2026-11-23T02:00:00)`, the last two in `zone`. Rates count from `anchorMs`, when the
 * schedule was made. Throws an `Error` saying what is not understood.
 */
export function timetable(expression: string, zone: string, anchorMs: number): Timetable {
  const match = /^(rate|cron|at)\((.+)\)$/.exec(expression.trim())
  const argument = match?.[2]?.trim() ?? ''
  switch (match?.[1]) {
    case 'rate':
      return rate(argument, anchorMs)
    case 'cron':
      return cron(argument, zone)
    case 'at':
      return once(argument, zone)
    default:
      throw new Error(`'${expression}' is none of rate(…), cron(…), at(…)`)
  }
}

function rate(argument: string, anchorMs: number): Timetable {
  const [count, unit] = argument.split(/\s+/)
  const unitMs = UNIT_MS[(unit ?? '').replace(/s$/, '')]
  if (!/^[1-9]\d*$/.test(count ?? '') || unitMs === undefined) {
    throw new Error(`'${argument}' is not a whole number of minutes, hours or days`)
  }
  const periodMs = Number(count) * unitMs
  return {
    next: (afterMs) => anchorMs + (Math.floor((afterMs - anchorMs) / periodMs) + 1) * periodMs,
  }
}

function cron(argument: string, zone: string): Timetable {
  const fields = argument.split(/\s+/)
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = fields
  if (fields.length !== 6 || dayOfWeek === undefined) {
    throw new Error(`cron(${argument}) has ${fields.length} fields instead of 6`)
  }
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new Error(`cron(${argument}) must have ? as one of day of month and day of week`)
  }
  const pattern = [
    '0',
    openStep(minute, 59),
    openStep(hour, 23),
    openStep(dayOfMonth === '?' ? '*' : dayOfMonth, 31),
    openStep(month, 12),
    openStep(weekdays(dayOfWeek), 6),
    year,
  ]
  const job = new Cron(pattern.join(' '), { timezone: zone, paused: true })
  return { next: (afterMs) => job.nextRun(new Date(afterMs))?.getTime() }
}

/** AWS takes `0/15` for "from 0, every 15"; croner wants the end said. */
function openStep(field = '*', last: number): string {
  return field.replace(/(^|,)(\d+)\//g, `$1$2-${last}/`)
}

/** AWS counts days of the week from 1 for Sunday, croner from 0. */
function weekdays(field: string): string {
  if (field === '?') return '*'
  if (/\dL/i.test(field)) throw new Error(`the day of week '${field}' is not supported`)
  return field
    .split(',')
    .map((part) => {
      const [, days, rest] = /^([^/#]*)(.*)$/.exec(part) ?? []
      return (days ?? '').replace(/\d/g, (day) => String(Number(day) - 1)) + (rest ?? '')
    })
    .join(',')
}

function once(argument: string, zone: string): Timetable {
  const at = DateTime.fromISO(argument, { zone })
  if (!at.isValid) throw new Error(`'${argument}' is not a local time: ${at.invalidExplanation}`)
  const atMs = at.toMillis()
  return { next: (afterMs) => (atMs > afterMs ? atMs : undefined) }
}
