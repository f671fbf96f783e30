import * as z from 'zod'

/** The characters AWS IoT allows in a thing name; 128 is its limit. */
export const ThingName = z
  .string()
  .regex(
    /^[a-zA-Z0-9:_-]{1,128}$/,
    'esp32_name must be 1 to 128 of the characters a-z A-Z 0-9 : _ -',
  )

/**
 * The name of a node: one ESP32 = one AWS IoT thing = one MQTT client id. `site` and `classroom:<name>` stand in
 * the place of a register where a finding concerns no node: a node of such a name would share their tickets.
 */
export const Esp32Name = ThingName.refine(
  (name) => name !== 'site' && !name.startsWith('classroom:'),
  'esp32_name "site", and all that begin with "classroom:", are reserved for findings of no node',
)

/**
 * The name of a channel (one relay or meter input of a node). `/` would break the register key
 * and `#` is the separator of sort keys, so both are refused. `unassigned` is the remainder of a
 * node's total that no channel accounts for.
 */
export const DeviceId = z
  .string()
  .regex(
    /^[^/#\p{Cc}]{1,64}$/u,
    'device_id must be 1 to 64 characters, without / # and control characters',
  )
  .refine((id) => id !== 'unassigned', 'device_id "unassigned" is reserved for the remainder')

/** A classroom as people write it; `#` separates parts of sort keys. */
export const Classroom = z
  .string()
  .trim()
  .regex(
    /^[^#\p{Cc}]{1,128}$/u,
    'classroom must be 1 to 128 characters, without # and control characters',
  )

/** A local day, `YYYY-MM-DD`, in the site's time zone. */
export const LocalDay = z.iso.date('must be a day as YYYY-MM-DD')

/** A random, non-zero u32 made together with a counter; it has no order. */
export const CounterEpoch = z.int().min(1).max(0xffff_ffff)
