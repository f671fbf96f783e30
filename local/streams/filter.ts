/** Says whether a stream record passes. */
export type Filter = (record: unknown) => boolean

/**
 * Compiles a filter pattern of an event source mapping, in EventBridge's form: objects match by
 * every key, lists by any item. Items may be text, numbers, booleans, null, `{exists}`,
 * `{prefix}`, `{suffix}` or `{"anything-but": […]}`. Throws an `Error` for anything else.
 */
export function compileFilter(pattern: unknown): Filter {
  if (!isObject(pattern)) throw new Error(`a pattern is an object, not ${JSON.stringify(pattern)}`)
  const fields = Object.entries(pattern).map(([name, rule]) => {
    const matches = Array.isArray(rule) ? anyOf(rule) : compileFilter(rule)
    return (record: unknown) => matches(isObject(record) ? record[name] : undefined)
  })
  return (record) => fields.every((field) => field(record))
}

function anyOf(rules: unknown[]): Filter {
  const tests = rules.map(compileItem)
  return (value) => tests.some((test) => test(value))
}

function compileItem(rule: unknown): Filter {
  if (!isObject(rule)) {
    if (Array.isArray(rule)) throw new Error('a list inside a list of values')
    return (value) => value === rule
  }
  const [name, argument, ...more] = Object.entries(rule).flat()
  if (more.length > 0) throw new Error(`several conditions in ${JSON.stringify(rule)}`)
  if (name === 'exists' && typeof argument === 'boolean') {
    return (value) => (value !== undefined) === argument
  }
  if (name === 'prefix' && typeof argument === 'string') {
    return (value) => typeof value === 'string' && value.startsWith(argument)
  }
  if (name === 'suffix' && typeof argument === 'string') {
    return (value) => typeof value === 'string' && value.endsWith(argument)
  }
  if (name === 'anything-but') {
    const refused = anyOf(Array.isArray(argument) ? argument : [argument])
    return (value) => value !== undefined && !refused(value)
  }
  throw new Error(`the condition ${JSON.stringify(rule)} is not supported`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
