import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { Failure } from '../failure.ts'
import type { Credentials } from './files.ts'
import { makeKey, requestFor } from './key.ts'

/** A certificate that is being made; what is not there yet has not happened, or its answer was lost. */
const Pending = z.object({
  /** Since when the key is there, epoch milliseconds. */
  begun_at_ms: z.int(),
  certificate_id: z.string().optional(),
  certificate_arn: z.string().optional(),
  certificate_pem: z.string().optional(),
})
export type Pending = z.infer<typeof Pending>

/** Where a certificate comes from, and what makes it count. */
export interface Issuer {
  /** Signs a request. The certificate is not active yet, so an answer that is lost opens nothing. */
  sign(csrPem: string): Promise<{ id: string; arn: string; pem: string }>
  /** Attaches policies and thing, then activates. Safe to repeat. */
  install(certificateArn: string, certificateId: string): Promise<void>
}

const KEY = 'next.key'
const STATE = 'next.json'

/** True when a certificate was begun in this directory and is not done. */
export function isPending(directory: string): boolean {
  return existsSync(join(directory, KEY))
}

export interface IdentityOptions {
  readonly nowMs: number
  /** Hears of a certificate that counts, before its files are in place. */
  readonly made?: (certificateId: string) => Promise<void>
  /** True where a certificate lives only as long as the conversation it was made in. @default false */
  readonly isOneGo?: boolean
  /** Where the files of the node go in the end. @default the same directory */
  readonly into?: () => string
}

/**
 * Makes a key and a certificate for it, step by step: each is on disk before the next begins, so a call
 * that was killed is completed by the next one with the same key. Only then the three files of the node
 * are replaced; what was there before stays beside them as `former.crt` and `former.key`.
 */
export async function makeIdentity(
  directory: string,
  commonName: string,
  caPem: string,
  issuer: Issuer,
  options: IdentityOptions,
): Promise<{ certificateId: string; certificateArn: string }> {
  mkdirSync(directory, { recursive: true })
  const keyPem = await keyIn(directory)
  const known = options.isOneGo ? undefined : readState(directory)
  let pending: Pending = known ?? { begun_at_ms: options.nowMs }
  if (pending.certificate_pem === undefined) {
    const { id, arn, pem } = await issuer.sign(await requestFor(commonName, keyPem))
    pending = { ...pending, certificate_id: id, certificate_arn: arn, certificate_pem: pem }
    put(join(directory, STATE), JSON.stringify(pending), 0o600)
  }
  const { certificate_id = '', certificate_arn = '', certificate_pem = '' } = pending
  await issuer.install(certificate_arn, certificate_id)
  await options.made?.(certificate_id)
  exchange(directory, options.into?.() ?? directory, {
    keyPem,
    certificatePem: certificate_pem,
    caPem,
  })
  return { certificateId: certificate_id, certificateArn: certificate_arn }
}

/** Drops a certificate that was begun and is not done. @returns it, as far as it was made */
export function forgetPending(directory: string): { id: string; arn: string } | undefined {
  const { certificate_id: id, certificate_arn: arn } = readState(directory) ?? {}
  rmSync(join(directory, STATE), { force: true })
  rmSync(join(directory, KEY), { force: true })
  return id === undefined || arn === undefined ? undefined : { id, arn }
}

/** The key of an earlier call that was ended, or a new one, which is on disk before anybody hears of it. */
async function keyIn(directory: string): Promise<string> {
  const path = join(directory, KEY)
  if (existsSync(path)) return readFileSync(path, 'utf8')
  const keyPem = await makeKey()
  put(path, keyPem, 0o600)
  return keyPem
}

function readState(directory: string): Pending | undefined {
  const path = join(directory, STATE)
  if (!existsSync(path)) return undefined
  const parsed = Pending.safeParse(JSON.parse(readFileSync(path, 'utf8')))
  if (parsed.success) return parsed.data
  throw new Failure(`${path} is not what provisioning writes; move it away with ${KEY} beside it`)
}

/** Done twice it does the same: a key that is in place already is not taken for a former one. */
function exchange(from: string, to: string, { keyPem, certificatePem, caPem }: Credentials): void {
  mkdirSync(to, { recursive: true })
  const at = (name: string) => join(to, name)
  const former = existsSync(at('device.key')) ? readFileSync(at('device.key'), 'utf8') : null
  if (former !== null && former !== keyPem) {
    put(at('former.key'), former, 0o600)
    if (existsSync(at('device.crt'))) {
      put(at('former.crt'), readFileSync(at('device.crt'), 'utf8'), 0o644)
    }
  }
  put(at('ca.crt'), caPem, 0o644)
  put(at('device.key'), keyPem, 0o600)
  put(at('device.crt'), certificatePem, 0o644)
  rmSync(join(from, STATE), { force: true })
  rmSync(join(from, KEY), { force: true })
}

/** Each file appears whole or not at all, and with its mode from the first byte on. */
export function put(path: string, text: string, mode: number): void {
  const part = `${path}.part`
  writeFileSync(part, text, { mode, flush: true })
  chmodSync(part, mode)
  renameSync(part, path)
}
