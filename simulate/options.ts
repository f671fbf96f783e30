import { parseArgs } from 'node:util'
import { FAULTS, type Fault } from './truth/faults.ts'

export interface SimulateOptions {
  readonly seed: number
  readonly nodes: number
  readonly days: number
  readonly faults: readonly Fault[]
  /** The nightly run looks every so many nights. */
  readonly nights: number
  /** Nodes that share one engine; the next ones get a fresh one. */
  readonly campus: number
  /** The first node; others before it are left out. */
  readonly from: number
  readonly dataDir?: string | undefined
}

export const USAGE = `npm run simulate -- [--seed 1] [--nodes 16] [--days 3] [--faults all|none|${FAULTS[0]},…]
                    [--nights 1] [--campus 50] [--from 0] [--data-dir <folder>]`

/** Reads the command line. @throws Error naming the option, what it may be, and what it is, then the usage */
export function simulateOptions(args: readonly string[]): SimulateOptions {
  const values = valuesOf(args)
  const whole = (
    name: 'seed' | 'nodes' | 'days' | 'nights' | 'campus' | 'from',
    min: number,
    max: number,
  ) => {
    const value = Number(values[name])
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new Error(
      `--${name} must be a whole number from ${min} to ${max}, got "${values[name]}"\n${USAGE}`,
    )
  }
  return {
    seed: whole('seed', 0, 4_294_967_295),
    nodes: whole('nodes', 1, 9_999),
    days: whole('days', 1, 366),
    nights: whole('nights', 1, 366),
    campus: whole('campus', 1, 500),
    from: whole('from', 0, 9_999),
    faults: faultList(values.faults),
    dataDir: values['data-dir'],
  }
}

function valuesOf(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string', default: '1' },
        nodes: { type: 'string', default: '16' },
        days: { type: 'string', default: '3' },
        faults: { type: 'string', default: 'all' },
        nights: { type: 'string', default: '1' },
        campus: { type: 'string', default: '50' },
        from: { type: 'string', default: '0' },
        'data-dir': { type: 'string' },
      },
    })
    return values
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${USAGE}`, { cause: error })
  }
}

function faultList(text: string): readonly Fault[] {
  if (text === 'all') return FAULTS
  if (text === 'none') return []
  return text.split(',').map((name) => {
    const fault = FAULTS.find((it) => it === name)
    if (fault !== undefined) return fault
    throw new Error(
      `--faults must be all, none or a list of ${FAULTS.join(', ')}; got "${name}"\n${USAGE}`,
    )
  })
}
