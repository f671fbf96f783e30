import 'reflect-metadata'
import { createHash, webcrypto } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import * as x509 from '@peculiar/x509'

/** Signs device certificates and holds what the broker shows to its clients. PEM throughout. */
export interface Authority {
  /** Absolute path of the CA certificate, which clients need to trust the broker. */
  readonly caFile: string
  readonly caPem: string
  readonly brokerKeyPem: string
  readonly brokerPem: string
  /**
   * Signs a certificate request after checking its own signature.
   * @throws {BadRequest} when it does not parse or its signature does not hold.
   */
  sign(csrPem: string): Promise<{ id: string; pem: string }>
}

/** A certificate request that cannot be signed; the message says why. */
export class BadRequest extends Error {}

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY_MS = 86_400_000
/** AWS IoT gives certificates made from a request this end. */
const DEVICE_NOT_AFTER = new Date('2049-12-31T23:59:59Z')
const CA_DAYS = 7300
/** Browsers and phones refuse server certificates of more than 825 days. */
const BROKER_DAYS = 820
const RENEW_BEFORE_DAYS = 30

x509.cryptoProvider.set(webcrypto as never)

/** The AWS certificate id: hex SHA-256 of the DER form. */
export function certificateId(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

/**
 * Reads the authority of a data directory, or makes it on the first start. A start that was killed
 * half-way leaves no broken authority, since each certificate is written after its key and by rename.
 */
export async function openAuthority(dataDir: string, now: Date): Promise<Authority> {
  const folder = resolve(dataDir, 'ca')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const caFile = resolve(folder, 'ca.crt')
  const ca = (await readPair(folder, 'ca')) ?? (await makeCa(folder, now))
  let broker = await readPair(folder, 'broker')
  const renewAt = now.getTime() + RENEW_BEFORE_DAYS * DAY_MS
  const usable =
    broker &&
    broker.certificate.notAfter.getTime() > renewAt &&
    broker.certificate.issuer === ca.certificate.subject &&
    (await broker.certificate.verify({ publicKey: ca.certificate, signatureOnly: true }))
  if (!broker || !usable) broker = await makeBroker(folder, ca, now)
  return {
    caFile,
    caPem: ca.certificate.toString('pem'),
    brokerKeyPem: broker.keyPem,
    brokerPem: broker.certificate.toString('pem'),
    sign: (csrPem) => signRequest(ca, csrPem, now),
  }
}

interface Pair {
  certificate: x509.X509Certificate
  key: webcrypto.CryptoKey
  keyPem: string
}

async function readPair(folder: string, name: string): Promise<Pair | undefined> {
  let certificatePem: string
  try {
    certificatePem = readFileSync(resolve(folder, `${name}.crt`), 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
  const keyPem = readFileSync(resolve(folder, `${name}.key`), 'utf8')
  const der = x509.PemConverter.decodeFirst(keyPem)
  const key = await webcrypto.subtle.importKey('pkcs8', der, EC, false, ['sign'])
  return { certificate: new x509.X509Certificate(certificatePem), key, keyPem }
}

async function keep(
  folder: string,
  name: string,
  keys: webcrypto.CryptoKeyPair,
  certificate: x509.X509Certificate,
): Promise<Pair> {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  const keyPem = x509.PemConverter.encode(der, 'PRIVATE KEY')
  writeWhole(resolve(folder, `${name}.key`), keyPem, 0o600)
  writeWhole(resolve(folder, `${name}.crt`), certificate.toString('pem'), 0o644)
  return { certificate, key: keys.privateKey, keyPem }
}

function writeWhole(path: string, content: string, mode: number): void {
  writeFileSync(`${path}.new`, `${content.trimEnd()}\n`, { mode, flush: true })
  renameSync(`${path}.new`, path)
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])
}

/** Positive, at most 20 bytes, unpredictable (RFC 5280 4.1.2.2). */
function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

async function makeCa(folder: string, now: Date): Promise<Pair> {
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=AutoVolt local CA ${serial().slice(0, 8)}, O=AutoVolt`,
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: new Date(now.getTime() + CA_DAYS * DAY_MS),
    keys: keys as never,
    signingAlgorithm: EC,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  })
  return keep(folder, 'ca', keys, certificate)
}

async function makeBroker(folder: string, ca: Pair, now: Date): Promise<Pair> {
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=localhost, O=AutoVolt',
    issuer: ca.certificate.subject,
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: new Date(now.getTime() + BROKER_DAYS * DAY_MS),
    publicKey: keys.publicKey as never,
    signingKey: ca.key as never,
    signingAlgorithm: EC,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
    ],
  })
  return keep(folder, 'broker', keys, certificate)
}

async function signRequest(ca: Pair, csrPem: string, now: Date) {
  let request: x509.Pkcs10CertificateRequest
  let verified: boolean
  try {
    request = new x509.Pkcs10CertificateRequest(csrPem)
    verified = await request.verify()
  } catch (cause) {
    throw new BadRequest('The certificate signing request is not a readable PKCS #10 PEM', {
      cause,
    })
  }
  if (!verified) {
    throw new BadRequest('The signature of the certificate signing request does not hold')
  }
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: request.subject || 'CN=AWS IoT Certificate',
    issuer: ca.certificate.subject,
    notBefore: new Date(now.getTime() - 120_000),
    notAfter: DEVICE_NOT_AFTER,
    publicKey: request.publicKey,
    signingKey: ca.key as never,
    signingAlgorithm: EC,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
    ],
  })
  return {
    id: certificateId(new Uint8Array(certificate.rawData)),
    pem: `${certificate.toString('pem')}\n`,
  }
}
