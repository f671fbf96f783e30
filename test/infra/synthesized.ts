import { buildApp } from '../../infra/app.ts'
import type { StageInput } from '../../infra/config.ts'
import { stageConfig } from '../../infra/stages.ts'

/** A resource of the templates, with references replaced by what they mean. */
export interface Resource {
  id: string
  stack: 'Replica' | 'Stateful' | 'Pipeline' | 'Api' | 'Monitoring'
  type: string
  // biome-ignore lint/suspicious/noExplicitAny: templates have no type, and tests name every path they read.
  properties: any
  deletionPolicy?: string
  updateReplacePolicy?: string
}

interface Template {
  Resources: Record<string, RawResource>
  Outputs?: Record<string, { Value: unknown; Export?: { Name: string } }>
}

interface RawResource {
  Type: string
  Properties?: Record<string, unknown>
  DeletionPolicy?: string
  UpdateReplacePolicy?: string
}

/** The synthesized app, as tests look at it. */
export interface Synthesized {
  readonly templates: Record<string, Template>
  readonly resources: readonly Resource[]
  readonly outputs: Readonly<Record<string, unknown>>
  ofType(type: string): Resource[]
  /** The one resource of a type that `matches`; throws unless there is exactly one. */
  one(type: string, matches?: (properties: Resource['properties']) => boolean): Resource
}

/**
 * Synthesizes a stage without bundling code. A reference reads `ref:<name>` or `<Attribute>:<name>`
 * afterwards, where the name is the physical one if the resource has one and its logical id
 * otherwise: `Arn:autovolt-prod-ledger`, or `Arn:autovolt-prod-ledger:live` for an alias.
 */
export function synthesize(stage: string, overrides: Partial<StageInput> = {}): Synthesized {
  const key = JSON.stringify([stage, overrides])
  const made = known.get(key) ?? synthesizeAnew(stage, overrides)
  known.set(key, made)
  return made
}

/** Nobody changes what was synthesized, so one of each will do. */
const known = new Map<string, Synthesized>()

function synthesizeAnew(stage: string, overrides: Partial<StageInput>): Synthesized {
  const assembly = buildApp(stageConfig(stage, overrides), { bundling: 'skip' }).synth()
  const templates: Record<string, Template> = Object.fromEntries(
    assembly.stacks.map((stack) => [stack.stackName, stack.template]),
  )
  const raw = new Map<string, RawResource>()
  const exported = new Map<string, unknown>()
  for (const template of Object.values(templates)) {
    for (const [id, resource] of Object.entries(template.Resources)) raw.set(id, resource)
    for (const output of Object.values(template.Outputs ?? {})) {
      if (output.Export) exported.set(output.Export.Name, output.Value)
    }
  }

  const nameOf = (id: string): string => {
    const named = Object.entries(raw.get(id)?.Properties ?? {}).find(
      ([key, value]) =>
        /^(Table|Function|Queue|LogGroup|UserPool)Name$/.test(key) && typeof value === 'string',
    )
    return named ? String(named[1]) : id
  }
  /** The ref of an alias is an ARN. */
  const refOf = (id: string): string => {
    const { Type, Properties } = raw.get(id) ?? {}
    if (Type !== 'AWS::Lambda::Alias') return `ref:${nameOf(id)}`
    return `${String(read(Properties?.FunctionName)).replace('ref:', 'Arn:')}:${Properties?.Name}`
  }
  const read = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(read)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value)
    const [key, inner] = entries[0] ?? []
    if (entries.length === 1) {
      if (key === 'Ref') return String(inner).startsWith('AWS::') ? inner : refOf(inner)
      if (key === 'Fn::GetAtt') return `${inner[1]}:${nameOf(inner[0])}`
      if (key === 'Fn::ImportValue') return read(exported.get(inner))
      if (key === 'Fn::Join') return (read(inner[1]) as unknown[]).join(inner[0])
    }
    return Object.fromEntries(entries.map(([name, member]) => [name, read(member)]))
  }

  const resources = Object.entries(templates).flatMap(([stackName, template]) =>
    Object.entries(template.Resources).map(
      ([id, resource]): Resource => ({
        id,
        stack: stackName.split('-').at(-1) as Resource['stack'],
        type: resource.Type,
        properties: read(resource.Properties ?? {}),
        deletionPolicy: resource.DeletionPolicy,
        updateReplacePolicy: resource.UpdateReplacePolicy,
      }),
    ),
  )
  const outputs = Object.fromEntries(
    Object.values(templates).flatMap((template) =>
      Object.entries(template.Outputs ?? {}).map(([key, output]) => [key, read(output.Value)]),
    ),
  )
  const ofType = (type: string) => resources.filter((resource) => resource.type === type)
  const one: Synthesized['one'] = (type, matches = () => true) => {
    const found = ofType(type).filter(({ properties }) => matches(properties))
    if (found.length !== 1) throw new Error(`expected one ${type}, found ${found.length}`)
    return found[0] as Resource
  }
  return { templates, resources, outputs, ofType, one }
}

/** How severe an alarm says it is. @throws where it does not say */
export function severityOf({
  AlarmName,
  Tags = [],
}: Resource['properties']): 'warning' | 'critical' {
  const severity = Tags.find(({ Key }: { Key: string }) => Key === 'severity')?.Value
  if (severity === 'warning' || severity === 'critical') return severity
  throw new Error(`${AlarmName} does not say how severe it is`)
}

/** A statement of an IAM policy with every member that may be one or many as a list. */
export interface Statement {
  role: string
  effect: string
  actions: string[]
  resources: string[]
}

/** All statements of all identity policies, by the logical id of the role that has them. */
export function statements(app: Synthesized): Statement[] {
  return app.ofType('AWS::IAM::Policy').flatMap(({ properties }) =>
    properties.Roles.flatMap((role: string) =>
      properties.PolicyDocument.Statement.map(
        (statement: Record<string, string | string[]>): Statement => ({
          role: role.replace('ref:', ''),
          effect: String(statement.Effect),
          actions: [statement.Action ?? []].flat(),
          resources: [statement.Resource ?? []].flat(),
        }),
      ),
    ),
  )
}

/** The logical id of the role a function runs with. */
export function roleOf(app: Synthesized, functionName: string): string {
  const { properties } = app.one(
    'AWS::Lambda::Function',
    ({ FunctionName }) => FunctionName === functionName,
  )
  return properties.Role.replace('Arn:', '')
}
