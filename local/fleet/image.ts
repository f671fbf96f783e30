import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'

const SECTOR_BYTES = 4096

/**
 * An image as ESP-IDF makes and signs one, as far as its form goes: header, description, one segment,
 * checksum, hash, and a signature block over these bytes with a signature that is none. So releases can
 * be tried without a compiler; a real node refuses it.
 */
export function simulatedImage(version: string, project = 'autovolt-node'): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt8(0xe9, 0)
  header.writeUInt8(1, 1)
  header.writeUInt8(1, 23)
  const segment = Buffer.alloc(16 * 1024)
  segment.writeUInt32LE(0xabcd5432, 0)
  segment.write(version, 16, 32, 'latin1')
  segment.write(project, 48, 32, 'latin1')
  const segmentHeader = Buffer.alloc(8)
  segmentHeader.writeUInt32LE(0x3f400020, 0)
  segmentHeader.writeUInt32LE(segment.length, 4)
  const body = Buffer.concat([header, segmentHeader, segment])
  const padded = Buffer.concat([body, Buffer.alloc(16 - (body.length % 16))])
  padded.writeUInt8(
    segment.reduce((sum, byte) => sum ^ byte, 0xef),
    padded.length - 1,
  )
  const image = Buffer.concat([padded, sha256(padded)])
  const gap = Buffer.alloc(SECTOR_BYTES - (image.length % SECTOR_BYTES), 0xff)
  const signed = Buffer.concat([image, gap])
  const signature = Buffer.alloc(SECTOR_BYTES, 0xff)
  signature.writeUInt8(0xe7, 0)
  signature.writeUInt8(2, 1)
  sha256(signed).copy(signature, 4)
  signature.writeUInt32LE(crc32(signature.subarray(0, 1196)), 1196)
  return Buffer.concat([signed, signature])
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()

if (import.meta.main) {
  const [version, file] = process.argv.slice(2)
  if (version === undefined || file === undefined) {
    console.error('node local/fleet/image.ts <version> <file>')
    process.exit(2)
  }
  writeFileSync(file, simulatedImage(version))
}
