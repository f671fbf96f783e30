/** Where an intrinsic finds its values. Each function throws its own error when there is none. */
export interface Scope {
  ref(logicalId: string): unknown
  attribute(logicalId: string, attribute: string): unknown
  importValue(exportName: string): unknown
  /** The error for an intrinsic that is not supported or not well formed. */
  fail(why: string): Error
}

/** What `Ref: AWS::NoValue` resolves to: the property or list item disappears. */
export const NO_VALUE = Symbol('AWS::NoValue')

/**
 * Replaces every CloudFormation intrinsic in `value`. Supported: Ref, Fn::GetAtt, Fn::Join,
 * Fn::Sub, Fn::Select, Fn::Split, Fn::ImportValue, Fn::Base64. Any other throws `scope.fail`.
 */
export function resolveIntrinsics(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => resolveIntrinsics(item, scope)).filter((item) => item !== NO_VALUE)
  }
  if (!isObject(value)) return value
  const keys = Object.keys(value)
  const key = keys[0]
  if (keys.length === 1 && key !== undefined && (key === 'Ref' || key.startsWith('Fn::'))) {
    return intrinsic(key, value[key], scope)
  }
  const entries: [string, unknown][] = []
  for (const name of keys) {
    const resolved = resolveIntrinsics(value[name], scope)
    if (resolved !== NO_VALUE) entries.push([name, resolved])
  }
  return Object.fromEntries(entries)
}

function intrinsic(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return argument === 'AWS::NoValue' ? NO_VALUE : scope.ref(asText(argument, name, scope))
    case 'Fn::GetAtt': {
      const [id, ...attribute] = Array.isArray(argument)
        ? argument.map((part) => asText(resolveIntrinsics(part, scope), name, scope))
        : asText(argument, name, scope).split('.')
      if (id === undefined || attribute.length === 0) throw scope.fail('Fn::GetAtt needs two parts')
      return scope.attribute(id, attribute.join('.'))
    }
    case 'Fn::Join': {
      const [separator, list] = asList(resolveIntrinsics(argument, scope), name, scope)
      const items = asList(list, name, scope).map((item) => asText(item, name, scope))
      return items.join(asText(separator, name, scope))
    }
    case 'Fn::Split': {
      const [separator, text] = asList(resolveIntrinsics(argument, scope), name, scope)
      return asText(text, name, scope).split(asText(separator, name, scope))
    }
    case 'Fn::Select': {
      const [index, list] = asList(resolveIntrinsics(argument, scope), name, scope)
      const items = asList(list, name, scope)
      const item = items[Number(index)]
      if (item === undefined) {
        throw scope.fail(`Fn::Select asks for item ${String(index)} of a list of ${items.length}`)
      }
      return item
    }
    case 'Fn::Sub':
      return substitute(argument, scope)
    case 'Fn::ImportValue':
      return scope.importValue(asText(resolveIntrinsics(argument, scope), name, scope))
    case 'Fn::Base64':
      return Buffer.from(asText(resolveIntrinsics(argument, scope), name, scope)).toString('base64')
    default:
      throw scope.fail(`the intrinsic ${name} is not supported`)
  }
}

function substitute(argument: unknown, scope: Scope): string {
  const [template, variables] = Array.isArray(argument) ? argument : [argument, {}]
  const own = isObject(variables) ? variables : {}
  return asText(template, 'Fn::Sub', scope).replace(/\$\{(!?)([^}]+)\}/g, (_, literal, name) => {
    // `${!Name}` is how a template writes a literal `${Name}`; IoT policy variables come this way.
    if (literal === '!') return `\${${name}}`
    if (Object.hasOwn(own, name)) {
      return asText(resolveIntrinsics(own[name], scope), 'Fn::Sub', scope)
    }
    const dot = name.indexOf('.')
    const found =
      dot < 0 ? scope.ref(name) : scope.attribute(name.slice(0, dot), name.slice(dot + 1))
    return asText(found, 'Fn::Sub', scope)
  })
}

function asText(value: unknown, name: string, scope: Scope): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw scope.fail(`${name} needs text and got ${JSON.stringify(value) ?? String(value)}`)
}

function asList(value: unknown, name: string, scope: Scope): unknown[] {
  if (Array.isArray(value)) return value
  throw scope.fail(`${name} needs a list and got ${JSON.stringify(value) ?? String(value)}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
