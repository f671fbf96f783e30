import * as z from 'zod'
import { CounterEpoch, DeviceId, Esp32Name } from './names.ts'

const MAX_ID_BYTES = 64
const MAX_DEVICE_ID_BYTES = 64
const MAX_CHANNELS = 8
const MIN_PERIOD_MS = 1_000
const MAX_PERIOD_MS = 3_600_000
const MAX_METER_ADDRESS = 248
const MAX_RATED_W = 100_000

const bytes = (text: string) => new TextEncoder().encode(text).length

const CommandId = z
  .string('id must be text')
  .min(1, 'id must not be empty')
  .refine((id) => bytes(id) <= MAX_ID_BYTES, `id must be at most ${MAX_ID_BYTES} bytes of UTF-8`)

/** The contract's names, within what a node has room for: 64 bytes, where the cloud counts characters. */
const ChannelName = DeviceId.refine(
  (id) => bytes(id) <= MAX_DEVICE_ID_BYTES,
  `device_id must be at most ${MAX_DEVICE_ID_BYTES} bytes of UTF-8`,
)

const common = {
  schema: z.literal(1, 'schema must be 1').optional(),
  /** Names the command in the reply; a node obeys an id once. */
  id: CommandId,
  /** UTC epoch milliseconds; a node that has no clock, or a later one, refuses. */
  expires_at: z
    .int('expires_at must be UTC epoch milliseconds')
    .min(1, 'expires_at must be UTC epoch milliseconds'),
}

/** Switches one relay. */
const RelayCommand = z.strictObject({
  ...common,
  command: z.literal('relay'),
  /** Left out only for a node whose single relay has no name. */
  device_id: ChannelName.optional(),
  on: z.boolean('on must be true or false'),
})

const isThousandths = (watts: number) => Math.abs(watts * 1_000 - Math.round(watts * 1_000)) < 1e-6

const RatedW = z
  .number('rated_w must be a number of watts')
  .min(0, `rated_w must be 0 to ${MAX_RATED_W}`)
  .max(MAX_RATED_W, `rated_w must be 0 to ${MAX_RATED_W}`)
  // The node's numbers have no exponent, and JavaScript writes none from 0.001 on.
  .refine(isThousandths, 'rated_w must have at most three decimals')
  .refine((watts) => watts === 0 || watts >= 0.001, 'rated_w must be 0 or at least 0.001')

const periodLimits = `period_ms must be ${MIN_PERIOD_MS} to ${MAX_PERIOD_MS}`
const addressLimits = `meter_address must be 1 to ${MAX_METER_ADDRESS}`

/** What a node is told about itself; what is left out stays as it is. */
export const NodeConfiguration = z
  .strictObject({
    period_ms: z
      .int(periodLimits)
      .min(MIN_PERIOD_MS, periodLimits)
      .max(MAX_PERIOD_MS, periodLimits),
    mode: z.literal(['relay', 'meter'], 'mode must be relay or meter'),
    meter_address: z.int(addressLimits).min(1, addressLimits).max(MAX_METER_ADDRESS, addressLimits),
    /** The topic rule to publish telemetry to by Basic Ingest; empty for the ordinary topic. */
    telemetry_rule: z
      .string('telemetry_rule must be text')
      .regex(
        /^[a-zA-Z0-9_]{0,64}$/,
        'telemetry_rule must be at most 64 of the characters a-z A-Z 0-9 _',
      ),
    channels: z
      .array(z.strictObject({ device_id: ChannelName, rated_w: RatedW }))
      .max(MAX_CHANNELS, `channels must be at most ${MAX_CHANNELS}`)
      .refine(
        (channels) => new Set(channels.map((it) => it.device_id)).size === channels.length,
        'channels must not name a device_id twice',
      ),
  })
  .partial()
  .refine(
    (configuration) => Object.values(configuration).some((value) => value !== undefined),
    'configuration must have at least one member',
  )

const ConfigurationCommand = z.strictObject({
  ...common,
  command: z.literal('configuration'),
  configuration: NodeConfiguration,
})

const span = {
  counter_epoch: CounterEpoch,
  from_sequence_no: z.int('from_sequence_no must be an integer').min(1),
  to_sequence_no: z.int('to_sequence_no must be an integer').min(1),
}
const isSpan = (it: { from_sequence_no: number; to_sequence_no: number }) =>
  it.to_sequence_no >= it.from_sequence_no
const spanRule = {
  error: 'to_sequence_no must not be below from_sequence_no',
  path: ['to_sequence_no'],
}

/** Asks for readings again, as far as the node's journal still holds them. */
const ResendCommand = z
  .strictObject({ ...common, command: z.literal('resend'), ...span })
  .refine(isSpan, spanRule)

const RestartCommand = z.strictObject({ ...common, command: z.literal('restart') })

/**
 * What a node obeys on `autovolt/<esp32_name>/commands` (QoS 1). Strict: a node would pass over a
 * member it does not know, and who misspelt it would never hear of it. The longest that is taken
 * here still fits the 2,048 bytes a node reads.
 */
export const Command = z.discriminatedUnion(
  'command',
  [RelayCommand, ConfigurationCommand, ResendCommand, RestartCommand],
  {
    error: ({ input }) =>
      typeof input === 'object' && input !== null
        ? 'command must be relay, configuration, resend or restart'
        : 'a command must be a JSON object',
  },
)

/** The same as a resend command on `autovolt/<esp32_name>/resend`, where the topic names it already. */
export const ResendRequest = z
  .strictObject({ ...common, command: z.literal('resend').optional(), ...span })
  .refine(isSpan, spanRule)

const answered = {
  schema: z.literal(1),
  esp32_name: Esp32Name,
  boot_id: z.string().max(64),
  /** Null when the command had none that could be read. */
  id: CommandId.nullable(),
  command: z.literal(['relay', 'configuration', 'resend', 'restart', 'unknown']),
  /** Of the configuration in force after the command. */
  configuration_revision: z.int().min(0),
  /** UTC epoch milliseconds; null on a node without a clock. */
  measured_at: z.int().min(0).nullable(),
}

/** A node's answer on `autovolt/<esp32_name>/reply`: every command gets one while the node is connected. */
export const Reply = z.discriminatedUnion(
  'status',
  [
    z.looseObject({
      ...answered,
      status: z.literal('done'),
      reason: z.undefined('a command that was done has no reason').optional(),
    }),
    z.looseObject({
      ...answered,
      status: z.literal('refused'),
      reason: z.string('a refusal must have a reason').min(1).max(256),
    }),
  ],
  'status must be done or refused',
)

export type Command = z.infer<typeof Command>
export type ResendRequest = z.infer<typeof ResendRequest>
export type NodeConfiguration = z.infer<typeof NodeConfiguration>
export type Reply = z.infer<typeof Reply>
