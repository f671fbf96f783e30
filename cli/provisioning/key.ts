import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { PemConverter, Pkcs10CertificateRequestGenerator } from '@peculiar/x509'

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** X.520's upper bound of a common name. Identity is the thing, so a cut name does no harm. */
const MAX_COMMON_NAME = 64

/** A node's new private key (PKCS #8 PEM) and the request to sign its public half (PKCS #10 PEM). */
export interface KeyAndRequest {
  keyPem: string
  csrPem: string
}

/** Makes a P-256 key and a certificate request for it. The key never leaves this machine. */
export async function makeKeyAndRequest(esp32Name: string): Promise<KeyAndRequest> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const csr = await Pkcs10CertificateRequestGenerator.create(
    { name: [{ CN: [esp32Name.slice(0, MAX_COMMON_NAME)] }], keys, signingAlgorithm: P256 },
    webcrypto as never,
  )
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    keyPem: `${PemConverter.encode(der, 'PRIVATE KEY')}\n`,
    csrPem: `${csr.toString('pem')}\n`,
  }
}
