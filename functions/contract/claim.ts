import * as z from 'zod'

/** A chip's hardware address as the firmware writes it: its Wi-Fi MAC, 12 lower-case hex digits. */
export const Serial = z
  .string()
  .transform((text) => text.toLowerCase().replace(/[:-]/g, ''))
  .pipe(z.string().regex(/^[0-9a-f]{12}$/, 'serial must be a MAC address of 12 hexadecimal digits'))

/** What AWS IoT asks the pre-provisioning hook (payload version 2020-04-01). */
export const HookRequest = z.looseObject({
  /** The certificate that is asked for. */
  certificateId: z.string(),
  /** The one the request was made with. */
  claimCertificateId: z.string().optional(),
  clientId: z.string(),
  templateArn: z.string(),
  parameters: z.record(z.string(), z.string()).default({}),
})

/** What it answers; the overrides become parameters of the template. */
export interface HookAnswer {
  readonly allowProvisioning: boolean
  readonly parameterOverrides?: { readonly ThingName: string; readonly ThingGroup: string }
}
