import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { PemConverter, Pkcs10CertificateRequestGenerator } from '@peculiar/x509'

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** X.520's upper bound of a common name. Identity is the thing, so a cut name does no harm. */
const MAX_COMMON_NAME = 64

/** Makes a P-256 key (PKCS #8 PEM). It never leaves this machine. */
export async function makeKey(): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return `${PemConverter.encode(der, 'PRIVATE KEY')}\n`
}

/** A request (PKCS #10 PEM) to sign the public half of a key. */
export async function requestFor(commonName: string, keyPem: string): Promise<string> {
  const csr = await Pkcs10CertificateRequestGenerator.create(
    {
      name: [{ CN: [commonName.slice(0, MAX_COMMON_NAME)] }],
      keys: await keyPair(keyPem),
      signingAlgorithm: P256,
    },
    webcrypto as never,
  )
  return `${csr.toString('pem')}\n`
}

async function keyPair(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const der = PemConverter.decodeFirst(keyPem)
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, P256, true, ['sign'])
  const { kty, crv, x, y } = await webcrypto.subtle.exportKey('jwk', privateKey)
  const half = { kty, crv, x, y } as webcrypto.JsonWebKey
  const publicKey = await webcrypto.subtle.importKey('jwk', half, P256, true, ['verify'])
  return { privateKey, publicKey }
}
