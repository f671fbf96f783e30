import type { PresenceState } from './presence.ts'

/** A node that may be given an identity: what its hardware is known by, and who it becomes. */
export interface Allowance {
  /** The hardware address of the chip, 12 lower-case hexadecimal digits. */
  readonly serial: string
  readonly esp32Name: string
  /** The thing group of the node's classroom. */
  readonly thingGroup: string
  readonly allowedAtMs: number
  /** The claim must come before this. */
  readonly untilMs: number
  /** When the permission was taken back; null while it stands. */
  readonly withdrawnAtMs: number | null
  /** Certificates that were given for it by claim since it was last allowed. */
  readonly claims: readonly string[]
}

/** What asks for an identity, as AWS IoT tells the hook. */
export interface Claim {
  readonly serial: string
  readonly clientId: string
}

export type Verdict =
  | { readonly allowed: true; readonly how: 'claim' | 'renewal' }
  | { readonly allowed: false; readonly reason: string }

/** A node that loses an answer asks again; more than this is no lost answer. */
export const MOST_CLAIMS = 3

/**
 * Whether a certificate is given. A claim is good for a listed serial number, for a time, a few times,
 * and never again once the node has connected, with whatever certificate: so whoever finds a claim
 * certificate later cannot become a node that works. A node that is connected as itself may renew.
 *
 * @param presence what is known of the node's connections; null when it had none
 */
export function judge(
  claim: Claim,
  allowance: Allowance | null,
  presence: Pick<PresenceState, 'online' | 'session'> | null,
  nowMs: number,
): Verdict {
  const no = (reason: string): Verdict => ({ allowed: false, reason })
  if (allowance === null) return no(`serial ${claim.serial} is not on the allow-list`)
  const { esp32Name, allowedAtMs, withdrawnAtMs, untilMs, claims } = allowance
  if (withdrawnAtMs !== null) return no(`${esp32Name} was taken from the allow-list`)
  // The device policy lets a connection have no other client id than the name of its thing.
  if (claim.clientId === esp32Name) return { allowed: true, how: 'renewal' }
  const wanted = `claim-${allowance.serial}`
  if (claim.clientId !== wanted) {
    return no(`the client id must be ${wanted} or ${esp32Name}, got ${claim.clientId}`)
  }
  if (nowMs >= untilMs) {
    return no(`${esp32Name} was allowed until ${new Date(untilMs).toISOString()}`)
  }
  const session = presence?.session
  if (session?.certificate_id !== undefined) {
    // Whatever the clock said of the one who allowed it.
    if (claims.includes(session.certificate_id)) {
      return no(`${esp32Name} has connected with its certificate already`)
    }
    if ((session.opened_at_ms ?? session.at_ms) >= allowedAtMs) {
      return no(`${esp32Name} has connected since it was allowed`)
    }
    if (session.open && presence?.online) {
      return no(`${esp32Name} is connected with a certificate of its own`)
    }
  }
  if (claims.length >= MOST_CLAIMS) {
    return no(`${esp32Name} was given ${claims.length} certificates, at most ${MOST_CLAIMS} are`)
  }
  return { allowed: true, how: 'claim' }
}
