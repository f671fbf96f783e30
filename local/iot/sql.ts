/** One message as a topic rule sees it. `topic` is without a Basic Ingest prefix. */
export interface Message {
  topic: string
  payload: Buffer
  clientId: string
  /** Certificate id of the publisher. */
  principal: string
  receivedAtMs: number
  traceId: string
}

/** A rule's SQL, ready to run. */
export interface Statement {
  /** Topic filter of FROM. */
  from: string
  /**
   * The event for the actions. Values that are undefined for a message are left out, as AWS does.
   * @throws when the payload is read as JSON and is none.
   */
  select(message: Message): Record<string, unknown>
}

/** A piece of SQL this engine does not know; the message holds the piece. */
export class UnsupportedSql extends Error {}

type Value = (message: Message) => unknown
type Token = { kind: 'word' | 'number' | 'string' | 'sign'; text: string }

const TOKEN = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|(\d+(?:\.\d+)?)|'((?:[^']|'')*)'|"([^"]*)"|(\S))/g

function tokenize(sql: string): Token[] {
  const tokens: Token[] = []
  for (const [, word, number, single, double, sign] of sql.trim().matchAll(TOKEN)) {
    if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
    else tokens.push({ kind: 'string', text: single?.replaceAll("''", "'") ?? double ?? '' })
  }
  return tokens
}

/** The JSON object in a payload, for `*` and attribute paths. */
function jsonOf(message: Message): Record<string, unknown> {
  const parsed: unknown = JSON.parse(message.payload.toString('utf8'))
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Error('the payload is JSON but not an object')
  }
  return parsed as Record<string, unknown>
}

/** Functions without arguments that read the message. */
const FACTS: Readonly<Record<string, Value>> = {
  clientid: (message) => message.clientId,
  principal: (message) => message.principal,
  timestamp: (message) => message.receivedAtMs,
  traceid: (message) => message.traceId,
}

/**
 * Parses the part of the AWS IoT SQL the templates use: `SELECT <values> FROM '<filter>'` with `*`,
 * topic(), topic(n), clientid(), principal(), timestamp(), traceid(), encode(*, 'base64'), literals
 * and attribute paths, each with an AS name.
 * @throws {UnsupportedSql} for everything else, WHERE included.
 */
export function parseSql(sql: string): Statement {
  const tokens = tokenize(sql)
  let at = 0
  const rest = () =>
    tokens
      .slice(at, at + 6)
      .map(({ text }) => text)
      .join(' ')
  const is = (text: string, token = tokens[at]) =>
    token !== undefined && token.kind !== 'string' && token.text.toUpperCase() === text
  const take = (text: string) => {
    if (!is(text)) throw new UnsupportedSql(`«${rest()}» where ${text} should stand`)
    at += 1
  }
  const word = (kind: Token['kind']) => {
    const token = tokens[at]
    if (token?.kind !== kind) throw new UnsupportedSql(`«${rest()}» where a ${kind} should stand`)
    at += 1
    return token.text
  }

  const call = (name: string): Value => {
    take('(')
    const fact = FACTS[name]
    if (fact) {
      take(')')
      return fact
    }
    if (name === 'topic') {
      if (is(')')) {
        at += 1
        return (message) => message.topic
      }
      const position = Number(word('number'))
      take(')')
      return (message) => message.topic.split('/')[position - 1]
    }
    if (name === 'encode') {
      take('*')
      take(',')
      const encoding = word('string')
      if (encoding !== 'base64') throw new UnsupportedSql(`encode(*, '${encoding}')`)
      take(')')
      return (message) => message.payload.toString('base64')
    }
    throw new UnsupportedSql(`function ${name}()`)
  }

  const value = (): { run: Value; name?: string } => {
    const token = tokens[at]
    if (token?.kind === 'string') {
      at += 1
      return { run: () => token.text }
    }
    if (token?.kind === 'number') {
      at += 1
      return { run: () => Number(token.text) }
    }
    const first = word('word')
    if (is('(')) return { run: call(first.toLowerCase()), name: first }
    const path = [first]
    while (is('.')) {
      at += 1
      path.push(word('word'))
    }
    return { run: (message) => attribute(jsonOf(message), path), name: path.at(-1) ?? first }
  }

  const columns: { name?: string; run: Value }[] = []
  take('SELECT')
  do {
    if (columns.length > 0) take(',')
    if (is('*')) {
      at += 1
      columns.push({ run: jsonOf })
      continue
    }
    const { run, name: implied } = value()
    let name = implied
    if (is('AS')) {
      at += 1
      name = word('word')
    }
    if (name === undefined) throw new UnsupportedSql(`«${rest()}»: a literal needs an AS name`)
    columns.push({ name, run })
  } while (is(','))
  take('FROM')
  const from = word('string')
  if (at < tokens.length) throw new UnsupportedSql(`«${rest()}»`)

  return {
    from,
    select(message) {
      const event: Record<string, unknown> = {}
      for (const { name, run } of columns) {
        const result = run(message)
        if (name === undefined) Object.assign(event, result)
        else if (result !== undefined) event[name] = result
      }
      return event
    },
  }
}

function attribute(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.hasOwn(value, part) ? (value as Record<string, unknown>)[part] : undefined
  }
  return value
}
