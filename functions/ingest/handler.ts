import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { controlStore } from '../adapters/control.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { metrics, observed } from '../adapters/observe.ts'
import { quarantineStore } from '../adapters/quarantine.ts'
import { rawStore } from '../adapters/raw.ts'
import { RuleEvent } from '../contract/rule-event.ts'
import { type Accepted, accept } from './accept.ts'

const client = documentClient()
const control = controlStore(client, env('CONTROL_TABLE'))
const ports = {
  raw: rawStore(client, env('TELEMETRY_TABLE'), Number(env('RAW_RETENTION_DAYS'))),
  quarantine: quarantineStore(
    client,
    env('QUARANTINE_TABLE'),
    Number(env('QUARANTINE_RETENTION_DAYS')),
  ),
}

/** Telemetry from a topic rule, now or out of the archive. The node's name is that of the topic, which its policy binds to it. */
export const handler = observed<unknown, Accepted>().handler(async (event) => {
  const message = RuleEvent.parse(event)
  const accepted = await accept(
    {
      esp32Name: message.esp32_name,
      payload: Buffer.from(message.payload, 'base64'),
      receivedAtMs: message.received_at,
      via: message.via ?? 'mqtt',
    },
    ports,
  )
  const { duplicates } = accepted
  if (duplicates > 0) await control.countRepeated(duplicates)
  recordExceptions(accepted)
  return accepted
})

/** A reading stored as it should be makes no log line: at this rate lines cost as much as writes. */
function recordExceptions({ duplicates, quarantined }: Accepted): void {
  if (duplicates > 0) metrics.addMetric('ReadingsRepeated', MetricUnit.Count, duplicates)
  if (quarantined) metrics.addMetric('MessagesQuarantined', MetricUnit.Count, 1)
}
