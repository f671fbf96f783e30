import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
} from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The key access tokens are signed with (RS256, as Cognito's). */
export interface SigningKey {
  /** Key id in token headers and in the JWKS. */
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
  /** The JWK Set to publish; holds no private part. */
  jwks: { keys: Record<string, unknown>[] }
}

/** Reads the signing key of a data directory, or makes it. Tokens outlive a restart this way. */
export async function openSigningKey(dataDir: string): Promise<SigningKey> {
  const folder = join(dataDir, 'identity')
  const file = join(folder, 'signing.key')
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    const made = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
    pem = made.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(`${file}.new`, pem, { mode: 0o600, flush: true })
    renameSync(`${file}.new`, file)
  }
  const privateKey = createPrivateKey(pem)
  const publicKey = createPublicKey(privateKey)
  const { n, e } = publicKey.export({ format: 'jwk' })
  const kid = createHash('sha256').update(`${n}`).digest('base64')
  const jwks = { keys: [{ kty: 'RSA', alg: 'RS256', use: 'sig', kid, n, e }] }
  return { kid, privateKey, publicKey, jwks }
}
