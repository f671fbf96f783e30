import * as z from 'zod'
import type { Resource } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import type { AlarmState } from './alarm.ts'

export const COMPOSITE = 'AWS::CloudWatch::CompositeAlarm'
export const COMPOSITE_PROPERTIES = [
  'AlarmName',
  'AlarmDescription',
  'AlarmRule',
  'AlarmActions',
  'OKActions',
  'InsufficientDataActions',
  'ActionsEnabled',
  // No effect here: tags only describe.
  'Tags',
] as const

const schema = z.object({
  AlarmName: z.string(),
  AlarmDescription: z.string().default(''),
  AlarmRule: z.string(),
  AlarmActions: z.array(z.string()).default([]),
  OKActions: z.array(z.string()).default([]),
  InsufficientDataActions: z.array(z.string()).default([]),
  ActionsEnabled: z.coerce.boolean().default(true),
})

/** An alarm over other alarms. */
export interface CompositeAlarm {
  readonly name: string
  readonly arn: string
  readonly description: string
  /** Over critical alarms alone. */
  readonly severity: 'critical'
  /** Names of the alarms it asks. */
  readonly children: readonly string[]
  isRaised(stateOf: (name: string) => AlarmState): boolean
  readonly actions: Readonly<Record<AlarmState, readonly string[]>>
}

/** Reads a composite alarm of the template. Throws `CannotRunLocally` for a rule that is not understood. */
export function compositeAlarm(resource: Resource, names: ReadonlySet<string>): CompositeAlarm {
  const it = schema.parse(resource.properties)
  const { isRaised, children } = parsed(resource, it.AlarmRule)
  const [unknown] = children.filter((name) => !names.has(name))
  if (unknown !== undefined) {
    const why = `there is no alarm "${unknown}" in the app`
    throw refuse(resource, 'AlarmRule', why, 'Name an alarm of the app.')
  }
  return {
    name: it.AlarmName,
    arn: String(resource.attributes.Arn),
    description: it.AlarmDescription,
    severity: 'critical',
    children,
    isRaised,
    actions: it.ActionsEnabled
      ? { ALARM: it.AlarmActions, OK: it.OKActions, INSUFFICIENT_DATA: it.InsufficientDataActions }
      : { ALARM: [], OK: [], INSUFFICIENT_DATA: [] },
  }
}

function parsed(resource: Resource, rule: string) {
  try {
    return parseRule(rule)
  } catch (error) {
    const todo = 'Write the rule with ALARM(…), OK(…), AND, OR and NOT.'
    throw refuse(resource, 'AlarmRule', error instanceof Error ? error.message : '', todo)
  }
}

type Rule = (stateOf: (name: string) => AlarmState) => boolean

const TOKEN =
  /\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*"?([^")]+)"?\s*\)|(AND|OR|NOT|TRUE|FALSE|[()]))/y

/**
 * Reads a rule: `ALARM("name")`, `OK(…)`, `INSUFFICIENT_DATA(…)`, with AND, OR, NOT and parentheses; AND binds
 * tighter than OR. An ARN stands for the name at its end.
 * @throws Error with the part that is not understood
 */
export function parseRule(text: string): { isRaised: Rule; children: string[] } {
  const children = new Set<string>()
  let at = 0
  const peek = () => {
    TOKEN.lastIndex = at
    return TOKEN.exec(text)
  }
  const fail = () => new Error(`"${text.slice(at).trim() || 'its end'}" is not expected there`)
  const accept = (word: string) => {
    const match = peek()
    if (match?.[3] !== word) return false
    at = TOKEN.lastIndex
    return true
  }
  const some = (): Rule => {
    const parts = [every()]
    while (accept('OR')) parts.push(every())
    return (stateOf) => parts.some((part) => part(stateOf))
  }
  const every = (): Rule => {
    const parts = [one()]
    while (accept('AND')) parts.push(one())
    return (stateOf) => parts.every((part) => part(stateOf))
  }
  const one = (): Rule => {
    if (accept('NOT')) {
      const inner = one()
      return (stateOf) => !inner(stateOf)
    }
    if (accept('TRUE')) return () => true
    if (accept('FALSE')) return () => false
    if (accept('(')) {
      const inner = some()
      if (!accept(')')) throw fail()
      return inner
    }
    const match = peek()
    if (match?.[1] === undefined || match[2] === undefined) throw fail()
    at = TOKEN.lastIndex
    const state = match[1] as AlarmState
    const name = match[2].startsWith('arn:') ? match[2].split(':').slice(6).join(':') : match[2]
    children.add(name)
    return (stateOf) => stateOf(name) === state
  }
  const isRaised = some()
  if (at < text.trimEnd().length) throw fail()
  return { isRaised, children: [...children] }
}
