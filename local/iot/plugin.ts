import * as z from 'zod'
import type { Plugin, Runtime, Started } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { openAuthority } from './authority.ts'
import { startBroker } from './broker.ts'
import { controlRoutes } from './control.ts'
import { KeptMessages } from './kept-messages.ts'
import { type Policy, parsePolicy } from './policy.ts'
import { Registry } from './registry.ts'
import { readRules } from './rules.ts'
import { iotArn } from './sessions.ts'

const policyProperties = z.object({
  PolicyName: z.string().optional(),
  PolicyDocument: z.unknown(),
})

/**
 * AWS IoT Core on one machine: a broker with client certificates, the template's policies and topic
 * rules, and the part of the control plane that provisions nodes.
 */
export const iot: Plugin = {
  name: 'iot',
  supports: {
    'AWS::IoT::TopicRule': ['RuleName', 'TopicRulePayload', 'Tags'],
    'AWS::IoT::Policy': ['PolicyName', 'PolicyDocument', 'Tags'],
    'AWS::IoT::ThingType': {
      inert: 'a thing keeps the name of its type; the type itself does nothing',
    },
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
    const gate = { registry, policies, rules, kept: new KeptMessages(runtime.store), arn }
    const broker = await startBroker(runtime, authority, gate, options.mqttPort)
    return {
      controlRoutes: controlRoutes({
        registry,
        authority,
        policyNames: new Set(policies.keys()),
        arn,
        endpoint: `localhost:${broker.port}`,
        now: () => runtime.now(),
        changed: () => broker.recheck(),
        publish: (topic, payload, qos, retain) => broker.publish({ topic, payload, qos, retain }),
      }),
      urls: { MQTT: `mqtts://localhost:${broker.port} (CA ${authority.caFile})` },
      endpoints: {
        mqtt: { host: 'localhost', port: broker.port, ca: authority.caFile },
        devicePolicy: [...policies.keys()][0] ?? '',
      },
      stop: () => broker.stop(),
    }
  },
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
