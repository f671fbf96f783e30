import * as z from 'zod'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** An alarm and how it stands, wherever it is watched. */
export interface AlarmStanding {
  readonly name: string
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
  readonly sinceMs: number
  readonly reason: string
  readonly description: string
}

const Standings = z.array(
  z.object({
    name: z.string(),
    state: z.literal(['OK', 'ALARM', 'INSUFFICIENT_DATA']),
    sinceMs: z.number(),
    reason: z.string(),
    description: z.string(),
  }),
)

/** All alarms of a stack, composite ones included. */
export function alarmsOf(stack: Stack): Promise<AlarmStanding[]> {
  return stack.control === undefined ? onAws(stack) : onThisMachine(stack.control)
}

async function onThisMachine(control: string): Promise<AlarmStanding[]> {
  const answer = await fetch(`${control}/local/alarms`)
  if (!answer.ok) throw new Failure(`GET ${control}/local/alarms answered ${answer.status}`)
  return Standings.parse(await answer.json())
}

async function onAws(stack: Stack): Promise<AlarmStanding[]> {
  const { CloudWatchClient, paginateDescribeAlarms } = await import('@aws-sdk/client-cloudwatch')
  const client = new CloudWatchClient(stack.client('cloudwatch'))
  const found: AlarmStanding[] = []
  const pages = paginateDescribeAlarms(
    { client },
    { AlarmNamePrefix: `autovolt-${stack.stage}-`, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
  )
  for await (const { MetricAlarms = [], CompositeAlarms = [] } of pages) {
    for (const it of [...CompositeAlarms, ...MetricAlarms]) {
      found.push({
        name: it.AlarmName ?? '',
        state: it.StateValue ?? 'INSUFFICIENT_DATA',
        sinceMs: (it.StateTransitionedTimestamp ?? it.StateUpdatedTimestamp)?.getTime() ?? 0,
        reason: it.StateReason ?? '',
        description: it.AlarmDescription ?? '',
      })
    }
  }
  return found
}

/** What to print: the raised ones with their meaning, then how many there are; all of them when asked. */
export function linesOf(alarms: readonly AlarmStanding[], all: boolean): string[] {
  const raised = alarms.filter(({ state }) => state === 'ALARM')
  const shown = all ? [...alarms].sort((a, b) => (a.name < b.name ? -1 : 1)) : raised
  const lines = shown.flatMap((it) => {
    const since = new Date(it.sinceMs).toISOString()
    const head = `${it.state.padEnd(18)}${it.name}  since ${since}`
    return it.state === 'ALARM' ? [head, `  ${it.reason}`, `  ${it.description}`] : [head]
  })
  const silent = alarms.filter(({ state }) => state === 'INSUFFICIENT_DATA').length
  lines.push(`${alarms.length} alarms, ${raised.length} raised, ${silent} without data`)
  return lines
}
