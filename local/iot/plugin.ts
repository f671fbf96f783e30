import * as z from 'zod'
import type { Plugin, Runtime, Started } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { openAuthority } from './authority.ts'
import { startBroker } from './broker.ts'
import { controlRoutes } from './control.ts'
import { fleetProvisioning } from './fleet-provisioning.ts'
import { openJobs } from './jobs/jobs.ts'
import { KeptMessages } from './kept-messages.ts'
import { Lifecycle } from './lifecycle.ts'
import { type Policy, parsePolicy } from './policy.ts'
import { readTemplates } from './provisioning-template.ts'
import { Registry } from './registry.ts'
import { readRules } from './rules.ts'
import { iotArn } from './sessions.ts'

const policyProperties = z.object({
  PolicyName: z.string().optional(),
  PolicyDocument: z.unknown(),
})

/** A rate of a thousand a minute is one in 60 ms; a node is told within this time. */
const JOBS_EVERY_MS = 200

/**
 * AWS IoT Core on one machine: a broker with client certificates, the template's policies and topic
 * rules, jobs, and the part of the control plane that provisions nodes and makes jobs.
 */
export const iot: Plugin = {
  name: 'iot',
  supports: {
    'AWS::IoT::TopicRule': ['RuleName', 'TopicRulePayload', 'Tags'],
    'AWS::IoT::Policy': ['PolicyName', 'PolicyDocument', 'Tags'],
    'AWS::IoT::ThingType': ['ThingTypeName', 'ThingTypeProperties', 'Tags'],
    'AWS::IoT::ProvisioningTemplate': [
      'TemplateName',
      'TemplateType',
      'TemplateBody',
      'Description',
      'Enabled',
      'PreProvisioningHook',
      // The registry is ours: making things asks for no permission.
      'ProvisioningRoleArn',
      'Tags',
    ],
    'AWS::IoT::Logging': { inert: 'the broker always logs to <data-dir>/logs/iot.log' },
  },

  async start(runtime, options): Promise<Started> {
    const policies = readPolicies(runtime)
    const rules = readRules(runtime)
    if (policies.size === 0 && runtime.ofType('AWS::IoT::TopicRule').length === 0) {
      return { stop: async () => {} }
    }
    const authority = await openAuthority(options.dataDir, new Date())
    const registry = new Registry(runtime.store)
    const arn = iotArn(runtime)
    const kept = new KeptMessages(runtime.store)
    const lifecycle = new Lifecycle(runtime.store, () => runtime.now())
    const types = typeNames(runtime)
    const policyNames = new Set(policies.keys())
    const fleet = fleetProvisioning({
      store: runtime.store,
      registry,
      authority,
      templates: readTemplates(runtime, arn),
      policyNames,
      invoke: (functionArn, event) => runtime.invoke(functionArn, event),
      log: runtime.log,
      now: () => runtime.now(),
    })
    const now = () => runtime.now()
    const jobs = openJobs({
      store: runtime.store,
      registry,
      arn,
      now,
      presign: (...object) => runtime.presign(...object),
      publish: (topic, message) => {
        const payload = Buffer.from(JSON.stringify(message))
        broker.publish({ topic, payload, qos: 1, retain: false }).catch((reason: unknown) => {
          runtime.log('iot', 'job not announced', { topic, reason: String(reason) })
        })
      },
    })
    const gate = { registry, policies, rules, kept, lifecycle, fleet, jobs, arn, now }
    const broker = await startBroker(runtime, authority, gate, options.mqttPort)
    const rounds = setInterval(() => {
      try {
        jobs.tick()
      } catch (error) {
        runtime.fail(error as Error)
      }
    }, JOBS_EVERY_MS)
    return {
      controlRoutes: controlRoutes({
        registry,
        authority,
        jobs,
        policyNames,
        thingTypeNames: new Set(types),
        arn,
        endpoint: `localhost:${broker.port}`,
        now,
        changed: () => broker.recheck(),
        disconnect: (clientId, options) => broker.disconnect(clientId, options),
        publish: (topic, payload, qos, retain) => broker.publish({ topic, payload, qos, retain }),
      }),
      urls: { MQTT: `mqtts://localhost:${broker.port} (CA ${authority.caFile})` },
      endpoints: {
        mqtt: { host: 'localhost', port: broker.port, ca: authority.caFile },
        devicePolicies: devicePolicies(policies),
        ...(types[0] !== undefined && { thingType: types[0] }),
      },
      stop: () => {
        clearInterval(rounds)
        return broker.stop()
      },
    }
  },
}

const typeNames = (runtime: Pick<Runtime, 'ofType'>) =>
  runtime
    .ofType('AWS::IoT::ThingType')
    .map(({ properties, ref }) => z.string().parse(properties.ThingTypeName ?? ref))

/** The policies of nodes, by their conventional names. */
function devicePolicies(policies: ReadonlyMap<string, Policy>): string[] {
  return [...policies.keys()].filter((name) => /-node(-upkeep)?$/.test(name))
}

function readPolicies(runtime: Pick<Runtime, 'ofType'>): Map<string, Policy> {
  const policies = new Map<string, Policy>()
  for (const resource of runtime.ofType('AWS::IoT::Policy')) {
    const { PolicyName = resource.ref, PolicyDocument } = policyProperties.parse(
      resource.properties,
    )
    try {
      policies.set(PolicyName, parsePolicy(PolicyName, PolicyDocument))
    } catch (cause) {
      throw refuse(
        resource,
        'PolicyDocument',
        (cause as Error).message,
        'Write the policy without it, or teach it to local/iot/policy.ts.',
      )
    }
  }
  return policies
}
