import * as z from 'zod'
import type { Resource, Runtime } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'

/** What a provisioning template makes for one node, with its parameters filled in. */
export interface Made {
  thingName: string
  thingTypeName?: string
  thingGroups: string[]
  certificateId: string
  status: 'ACTIVE' | 'INACTIVE'
  policyNames: string[]
}

/** A fleet provisioning template of the app. */
export interface ProvisioningTemplate {
  name: string
  arn: string
  enabled: boolean
  hookArn?: string
  /** @throws an Error naming the parameter that is missing */
  make(parameters: Readonly<Record<string, string>>): Made
}

const text = z.union([z.string(), z.strictObject({ Ref: z.string() })])
type Text = z.infer<typeof text>
const override = z.literal(['REPLACE'])

const thing = z.strictObject({
  Type: z.literal('AWS::IoT::Thing'),
  Properties: z.strictObject({
    ThingName: text,
    ThingTypeName: text.optional(),
    ThingGroups: z.array(text).default([]),
  }),
  OverrideSettings: z.strictObject({ ThingTypeName: override, ThingGroups: override }),
})
const certificate = z.strictObject({
  Type: z.literal('AWS::IoT::Certificate'),
  Properties: z.strictObject({ CertificateId: text, Status: z.literal(['ACTIVE', 'INACTIVE']) }),
})
const policy = z.strictObject({
  Type: z.literal('AWS::IoT::Policy'),
  Properties: z.strictObject({ PolicyName: text }),
})
const body = z.strictObject({
  Parameters: z.record(z.string(), z.strictObject({ Type: z.literal('String') })),
  Resources: z.record(z.string(), z.discriminatedUnion('Type', [thing, certificate, policy])),
})
const properties = z.object({
  TemplateName: z.string(),
  TemplateType: z.literal('FLEET_PROVISIONING').optional(),
  TemplateBody: z.string(),
  Enabled: z.boolean().default(false),
  PreProvisioningHook: z
    .strictObject({ TargetArn: z.string(), PayloadVersion: z.literal('2020-04-01') })
    .optional(),
})

/** Reads the provisioning templates of the app. @throws where one asks for more than is known here */
export function readTemplates(runtime: Pick<Runtime, 'ofType'>, arn: string) {
  const all = runtime.ofType('AWS::IoT::ProvisioningTemplate').map((it) => read(it, arn))
  return new Map(all.map((template) => [template.name, template]))
}

function read(resource: Resource, arn: string): ProvisioningTemplate {
  const parsed = properties.safeParse(resource.properties)
  const parts = parsed.success ? body.safeParse(json(parsed.data.TemplateBody)) : undefined
  if (!parsed.success || !parts?.success) {
    throw refuse(
      resource,
      'TemplateBody',
      z.prettifyError((parsed.error ?? parts?.error) as z.ZodError),
      'Write it without that, or teach it to local/iot/provisioning-template.ts.',
    )
  }
  const { TemplateName: name, Enabled: enabled, PreProvisioningHook } = parsed.data
  const resources = Object.values(parts.data.Resources)
  const declared = Object.keys(parts.data.Parameters)
  return {
    name,
    arn: `${arn}:provisioningtemplate/${name}`,
    enabled,
    ...(PreProvisioningHook && { hookArn: PreProvisioningHook.TargetArn }),
    make: (parameters) => fill(resources, declared, parameters),
  }
}

function fill(
  resources: readonly z.infer<typeof thing | typeof certificate | typeof policy>[],
  declared: readonly string[],
  parameters: Readonly<Record<string, string>>,
): Made {
  const missing = declared.find((name) => parameters[name] === undefined)
  if (missing !== undefined) throw new Error(`the parameter ${missing} is missing`)
  const value = (of: Text) => {
    if (typeof of === 'string') return of
    const given = parameters[of.Ref]
    if (given === undefined) throw new Error(`the parameter ${of.Ref} is not declared`)
    return given
  }
  const made: Made = {
    thingName: '',
    thingGroups: [],
    certificateId: '',
    status: 'INACTIVE',
    policyNames: [],
  }
  for (const { Type, Properties } of resources) {
    if (Type === 'AWS::IoT::Thing') {
      made.thingName = value(Properties.ThingName)
      made.thingGroups = Properties.ThingGroups.map(value)
      if (Properties.ThingTypeName) made.thingTypeName = value(Properties.ThingTypeName)
    } else if (Type === 'AWS::IoT::Certificate') {
      made.certificateId = value(Properties.CertificateId)
      made.status = Properties.Status
    } else made.policyNames.push(value(Properties.PolicyName))
  }
  return made
}

function json(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return content
  }
}
