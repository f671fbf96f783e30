import * as z from 'zod'
import { Esp32Name } from '../names.ts'
import { BASE, route } from './route.ts'

export const TelemetryAnswer = z.object({
  success: z.literal(true),
  esp32_name: Esp32Name,
  created: z.int(),
  duplicates: z.int(),
  conflicts: z.int(),
})

export const postTelemetry = route({
  method: 'POST',
  path: `${BASE}/telemetry`,
  access: 'operate',
  summary: 'Readings of a node, by the same rules as over MQTT',
  description:
    'The message of `functions/contract/wire.ts` with the name of its node beside. What is refused goes to quarantine with the reason. Answers count readings.',
  body: z.looseObject({ esp32_name: Esp32Name }),
  answer: { status: 202, schema: TelemetryAnswer },
  errors: [400, 413, 422],
})
