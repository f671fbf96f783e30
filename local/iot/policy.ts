import * as z from 'zod'

/** What is known of a connection when a policy is evaluated. Missing facts match nothing. */
export interface Facts {
  clientId: string
  certificateId: string
  /** The thing the certificate is attached to and whose name is the client id. */
  thing?: { name: string; typeName?: string; attributes: Readonly<Record<string, string>> }
  /** `LastWill` and `PersistentConnect`, as far as the CONNECT asks for them. */
  connectAttributes: readonly string[]
}

/** A policy document checked and ready to be decided on. */
export interface Policy {
  readonly name: string
  readonly statements: readonly Statement[]
}

interface Statement {
  effect: 'Allow' | 'Deny'
  actions: readonly string[]
  resources: readonly string[]
  conditions: readonly Condition[]
}

interface Condition {
  quantifier: 'all' | 'any'
  operator: Operator
  key: string
  values: readonly string[]
}

/** The answer, with what decided it for the log. */
export interface Decision {
  allowed: boolean
  reason: string
}

/** Decides one action on one resource ARN, for one connection. */
export type Decide = (action: string, resource: string) => Decision

type Operator = keyof typeof OPERATORS

const OPERATORS = {
  Bool: (actual: string, wanted: string) => actual.toLowerCase() === wanted.toLowerCase(),
  StringEquals: (actual: string, wanted: string) => actual === wanted,
  StringNotEquals: (actual: string, wanted: string) => actual !== wanted,
  StringEqualsIgnoreCase: (actual: string, wanted: string) =>
    actual.toLowerCase() === wanted.toLowerCase(),
  StringLike: (actual: string, wanted: string) => wildcard(wanted).test(actual),
} as const

const oneOrMore = z.union([z.string(), z.array(z.string()).min(1)])
const conditionValue = z.union([
  z.string(),
  z.boolean(),
  z.array(z.union([z.string(), z.boolean()])),
])
const documentSchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Id: z.string().optional(),
  Statement: z
    .union([z.array(z.unknown()), z.unknown().transform((statement) => [statement])])
    .pipe(
      z.array(
        z.strictObject({
          Sid: z.string().optional(),
          Effect: z.enum(['Allow', 'Deny']),
          Action: oneOrMore,
          Resource: oneOrMore,
          Condition: z.record(z.string(), z.record(z.string(), conditionValue)).optional(),
        }),
      ),
    ),
})

const VARIABLE = /\$\{([^}]*)\}/g
const LITERALS: Readonly<Record<string, string>> = { '*': '*', '?': '?', $: '$' }

/**
 * Checks an AWS IoT policy document.
 * @throws an Error naming the policy and the piece that is not understood, since a piece that were
 * skipped would allow here what AWS refuses.
 */
export function parsePolicy(name: string, document: unknown): Policy {
  const parsed = documentSchema.safeParse(document)
  if (!parsed.success) throw new Error(`policy ${name}: ${z.prettifyError(parsed.error)}`)
  const statements = parsed.data.Statement.map((statement) => ({
    effect: statement.Effect,
    actions: [statement.Action].flat(),
    resources: [statement.Resource].flat(),
    conditions: Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => parseCondition(name, operator, key, values)),
    ),
  }))
  for (const { resources, conditions } of statements) {
    for (const text of [...resources, ...conditions.flatMap(({ values }) => values)]) {
      for (const [, variable] of text.matchAll(VARIABLE)) checkKey(name, variable ?? '')
    }
  }
  return { name, statements }
}

function parseCondition(name: string, text: string, key: string, value: unknown): Condition {
  const [, quantifier, operator] = /^(?:(ForAllValues|ForAnyValue):)?(.+)$/.exec(text) ?? []
  if (!operator || !(operator in OPERATORS)) {
    throw new Error(
      `policy ${name}: condition operator ${text} is not understood, only ${Object.keys(OPERATORS).join(', ')} are`,
    )
  }
  checkKey(name, key)
  return {
    quantifier: quantifier === 'ForAllValues' ? 'all' : 'any',
    operator: operator as Operator,
    key,
    values: [value].flat().map(String),
  }
}

function checkKey(name: string, key: string): void {
  if (key in LITERALS || key in KEYS || /^iot:Connection\.Thing\.Attributes\[[^\]]+\]$/.test(key)) {
    return
  }
  throw new Error(
    `policy ${name}: \${${key}} is not understood, only ${Object.keys(KEYS).join(', ')} are`,
  )
}

const KEYS: Readonly<Record<string, (facts: Facts) => readonly string[]>> = {
  'iot:ClientId': (facts) => [facts.clientId],
  'iot:CertificateId': (facts) => [facts.certificateId],
  'iot:ConnectAttributes': (facts) => facts.connectAttributes,
  'iot:Connection.Thing.ThingName': (facts) => (facts.thing ? [facts.thing.name] : []),
  'iot:Connection.Thing.ThingTypeName': (facts) =>
    facts.thing?.typeName ? [facts.thing.typeName] : [],
  'iot:Connection.Thing.IsAttached': (facts) => [String(facts.thing !== undefined)],
}

function valuesOf(key: string, facts: Facts): readonly string[] {
  const known = KEYS[key]
  if (known) return known(facts)
  const attribute = /^iot:Connection\.Thing\.Attributes\[([^\]]+)\]$/.exec(key)?.[1]
  const value = attribute === undefined ? undefined : facts.thing?.attributes[attribute]
  return value === undefined ? [] : [value]
}

/** Replaces policy variables; undefined when one has no value, and then the statement cannot match. */
function expand(text: string, facts: Facts, quote: (value: string) => string): string | undefined {
  let complete = true
  const expanded = text.replace(VARIABLE, (_, variable: string) => {
    const literal = LITERALS[variable]
    const value = literal ?? valuesOf(variable, facts)[0]
    if (value === undefined) complete = false
    return value === undefined ? '' : quote(value)
  })
  return complete ? expanded : undefined
}

/** A pattern with * (any characters, also /) and ? (one character). Quoted parts match themselves. */
function wildcard(pattern: string): RegExp {
  const source = pattern.replace(/\\([\s\S])|([\s\S])/g, (_, quoted?: string, plain?: string) => {
    if (quoted !== undefined) return escaped(quoted)
    if (plain === '*') return '[\\s\\S]*'
    return plain === '?' ? '[\\s\\S]' : escaped(plain ?? '')
  })
  return new RegExp(`^${source}$`, 'u')
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

const quoteAll = (value: string) => value.replace(/[\s\S]/gu, '\\$&')

function holds(condition: Condition, facts: Facts): boolean {
  const actual = valuesOf(condition.key, facts)
  const wanted = condition.values.flatMap((value) => expand(value, facts, (it) => it) ?? [])
  const negative = condition.operator === 'StringNotEquals'
  const test = OPERATORS[condition.operator]
  const matches = (value: string) =>
    negative ? wanted.every((it) => test(value, it)) : wanted.some((it) => test(value, it))
  if (condition.quantifier === 'all') return actual.every(matches)
  return negative && actual.length === 0 ? true : actual.some(matches)
}

/**
 * Prepares the decision for one connection: variables are filled in and patterns compiled once.
 * A matching Deny wins over any Allow; without a matching Allow the answer is no.
 */
export function compile(policies: readonly Policy[], facts: Facts): Decide {
  const live = policies.flatMap((policy) =>
    policy.statements
      .filter(({ conditions }) => conditions.every((condition) => holds(condition, facts)))
      .map((statement) => ({
        policy: policy.name,
        effect: statement.effect,
        actions: statement.actions.map(wildcard),
        resources: statement.resources
          .flatMap((resource) => expand(resource, facts, quoteAll) ?? [])
          .map(wildcard),
      })),
  )
  return (action, resource) => {
    const matching = live.filter(
      (it) => it.actions.some((a) => a.test(action)) && it.resources.some((r) => r.test(resource)),
    )
    const deny = matching.find(({ effect }) => effect === 'Deny')
    if (deny) return { allowed: false, reason: `${deny.policy} denies ${action} on ${resource}` }
    const allow = matching[0]
    if (allow) return { allowed: true, reason: `${allow.policy} allows ${action} on ${resource}` }
    return {
      allowed: false,
      reason: `${policies.length === 0 ? 'no policy is attached, so nothing' : 'no statement'} allows ${action} on ${resource}`,
    }
  }
}
