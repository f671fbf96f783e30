import * as z from 'zod'
import { type Identity, LOCAL_ACCOUNT, type Named, type Resource } from '../runtime.ts'
import type { Identities } from './identities.ts'
import { NO_VALUE, resolveIntrinsics, type Scope } from './intrinsics.ts'
import { CannotRunLocally, type Located, refuse } from './refuse.ts'

const templateSchema = z.object({
  Resources: z
    .record(
      z.string(),
      z.object({
        Type: z.string(),
        Condition: z.string().optional(),
        Properties: z.record(z.string(), z.unknown()).default({}),
      }),
    )
    .default({}),
  Parameters: z
    .record(z.string(), z.object({ Type: z.string(), Default: z.unknown().optional() }))
    .default({}),
  Outputs: z
    .record(
      z.string(),
      z.object({ Value: z.unknown(), Export: z.object({ Name: z.unknown() }).optional() }),
    )
    .default({}),
})

/** A synthesized stack: its name, its template as JSON, and the construct path of each logical id. */
export interface StackTemplate {
  stack: string
  template: unknown
  paths: ReadonlyMap<string, string>
}

/** Options of `resolveStacks`. */
export interface ResolveOptions {
  region: string
  identities: Identities
  /** Types without local effect: their properties stay as written and may use any intrinsic. */
  inert(type: string): boolean
}

/** All resources and outputs of the app with every intrinsic replaced. */
export interface ResolvedApp {
  resources: Resource[]
  /** By output key; keys of several stacks share one space, the later stack wins. */
  outputs: Record<string, string>
}

interface Entry extends Located {
  raw: Record<string, unknown>
  identity?: Identity
  resolving?: boolean
}

/**
 * Resolves the templates of all stacks together, so that exports and imports meet.
 * Throws `CannotRunLocally` for an intrinsic, reference or condition that cannot be honoured.
 */
export function resolveStacks(stacks: StackTemplate[], options: ResolveOptions): ResolvedApp {
  const parsed = stacks.map((it) => ({ ...it, content: templateSchema.parse(it.template) }))
  const entries = new Map<string, Entry>()
  const exports = new Map<string, () => unknown>()

  for (const { stack, content, paths } of parsed) {
    for (const [logicalId, resource] of Object.entries(content.Resources)) {
      const path = paths.get(logicalId) ?? `${stack}/${logicalId}`
      const entry = { logicalId, stack, path, type: resource.Type, raw: resource.Properties }
      if (resource.Condition !== undefined && !options.inert(resource.Type)) {
        throw refuse(entry, 'Condition', 'conditions are not evaluated here', 'Decide it in CDK.')
      }
      entries.set(`${stack}/${logicalId}`, entry)
    }
  }

  const scopeOf = (user: Located): Scope => {
    const content = parsed.find((it) => it.stack === user.stack)?.content
    const todo = 'Write the value another way in CDK, or teach local/template to resolve it.'
    const find = (logicalId: string) => {
      const entry = entries.get(`${user.stack}/${logicalId}`)
      if (!entry) throw refuse(user, '', `it refers to '${logicalId}', which is not there`, todo)
      return entry
    }
    return {
      ref(logicalId) {
        const pseudo = pseudoParameter(logicalId, user.stack, options.region)
        if (pseudo !== undefined) return pseudo
        const parameter = content?.Parameters[logicalId]
        if (!parameter) return identify(find(logicalId)).ref
        if (parameter.Default === undefined || parameter.Type.startsWith('AWS::SSM::')) {
          throw refuse(user, '', `the parameter '${logicalId}' has no value here`, todo)
        }
        return parameter.Default
      },
      attribute(logicalId, attribute) {
        const entry = find(logicalId)
        const value = identify(entry).attributes?.[attribute]
        if (value === undefined) {
          const why = `it uses attribute ${attribute} of ${entry.type} '${logicalId}', unknown here`
          throw refuse(user, '', why, 'Add it to local/template/identities.ts or avoid it in CDK.')
        }
        return value
      },
      importValue(name) {
        const value = exports.get(name)
        if (!value) throw refuse(user, '', `no stack of the app exports '${name}'`, todo)
        return value()
      },
      fail: (why) => refuse(user, '', why, todo),
    }
  }

  const identify = (entry: Entry): Identity => {
    if (entry.identity) return entry.identity
    if (entry.resolving) throw refuse(entry, '', 'its name refers to itself', 'Break the cycle.')
    entry.resolving = true
    const named: Named = {
      logicalId: entry.logicalId,
      stack: entry.stack,
      region: options.region,
      account: LOCAL_ACCOUNT,
      text(property) {
        const value = resolveIntrinsics(entry.raw[property], scopeOf(entry))
        return value === undefined || value === NO_VALUE ? undefined : String(value)
      },
    }
    entry.identity = options.identities[entry.type]?.(named) ?? { ref: entry.logicalId }
    entry.resolving = false
    return entry.identity
  }

  for (const { stack, content } of parsed) {
    for (const [key, output] of Object.entries(content.Outputs)) {
      if (!output.Export) continue
      const scope = scopeOf(outputOf(stack, key))
      const name = String(resolveIntrinsics(output.Export.Name, scope))
      exports.set(name, () => resolveIntrinsics(output.Value, scope))
    }
  }

  const resources = [...entries.values()].map((entry): Resource => {
    const { logicalId, stack, path, type } = entry
    const properties = options.inert(type)
      ? entry.raw
      : (resolveIntrinsics(entry.raw, scopeOf(entry)) as Record<string, unknown>)
    const { ref, attributes = {} } = identify(entry)
    return { logicalId, stack, path, type, properties, ref, attributes }
  })

  const outputs: Record<string, string> = {}
  for (const { stack, content } of parsed) {
    for (const [key, output] of Object.entries(content.Outputs)) {
      try {
        outputs[key] = String(resolveIntrinsics(output.Value, scopeOf(outputOf(stack, key))))
      } catch (error) {
        // An output that names an attribute of an inert resource informs people; nothing runs on it.
        if (!(error instanceof CannotRunLocally)) throw error
      }
    }
  }
  return { resources, outputs }
}

function outputOf(stack: string, key: string): Located {
  return { stack, logicalId: key, path: `${stack}/${key}`, type: 'Output' }
}

function pseudoParameter(name: string, stack: string, region: string): string | undefined {
  switch (name) {
    case 'AWS::AccountId':
      return LOCAL_ACCOUNT
    case 'AWS::Region':
      return region
    case 'AWS::Partition':
      return 'aws'
    case 'AWS::URLSuffix':
      return 'amazonaws.com'
    case 'AWS::StackName':
      return stack
    case 'AWS::StackId':
      return `arn:aws:cloudformation:${region}:${LOCAL_ACCOUNT}:stack/${stack}/local`
    default:
      return undefined
  }
}
