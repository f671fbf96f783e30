import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Failure } from '../failure.ts'

/** An application image for a node, checked as far as a machine without the signing key can. */
export interface Image {
  readonly version: string
  readonly bytes: Buffer
  /** Hex SHA-256 of the whole file. */
  readonly sha256: string
}

/** Bytes of an OTA slot, `ota_0` and `ota_1` in firmware/partitions.csv. */
export const SLOT_BYTES = 0x160000

/** What firmware/CMakeLists.txt calls the project; a node refuses an image of any other. */
export const PROJECT = 'autovolt-node'

/** The layout of an ESP32 image (esp_image_format.h, esp_app_desc.h, Secure Boot v2 of ESP-IDF). */
const HEADER_BYTES = 24
const IMAGE_MAGIC = 0xe9
const CHIP_ESP32 = 0
const MOST_SEGMENTS = 16
const SEGMENT_HEADER_BYTES = 8
const CHECKSUM_SEED = 0xef
const DESCRIPTION = { at: 32, magic: 0xabcd5432, version: 48, project: 80, textBytes: 32, end: 288 }
const HASH_BYTES = 32
const SECTOR_BYTES = 4096
const SIGNATURE = { magic: 0xe7, version: 2, digest: 4, crc: 1196 }

const hex = (value: number, digits = 2) => `0x${value.toString(16).padStart(digits, '0')}`

/** Reads and checks the image of a file. Throws a Failure that names the field, its limit and the value. */
export function readImage(file: string): Image {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new Failure(`${file} cannot be read`, { cause })
  }
  try {
    return checkImage(bytes)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(`${file}: ${error.message}`, { cause: error })
  }
}

/**
 * What a node checks before it boots an image, checked before any node is asked to fetch it: header,
 * description, checksum, hash, and that a signature is there for these bytes. Whose it is only nodes know.
 */
export function checkImage(bytes: Buffer): Image {
  const must = (holds: boolean, field: string, limit: string, value: string | number) => {
    if (!holds) throw new Failure(`${field} must be ${limit} (is ${value})`)
  }
  must(bytes.length >= DESCRIPTION.end, 'size', `at least ${DESCRIPTION.end} bytes`, bytes.length)
  must(bytes.length <= SLOT_BYTES, 'size', `at most ${SLOT_BYTES} bytes, an OTA slot`, bytes.length)
  const magic = bytes.readUInt8(0)
  must(magic === IMAGE_MAGIC, 'header magic', hex(IMAGE_MAGIC), hex(magic))
  const chip = bytes.readUInt16LE(12)
  must(chip === CHIP_ESP32, 'chip id', `${CHIP_ESP32}, an ESP32`, chip)
  const described = bytes.readUInt32LE(DESCRIPTION.at)
  must(
    described === DESCRIPTION.magic,
    'description magic',
    hex(DESCRIPTION.magic, 8),
    hex(described, 8),
  )
  const project = textAt(bytes, DESCRIPTION.project)
  must(project === PROJECT, 'project_name', PROJECT, JSON.stringify(project))
  const version = textAt(bytes, DESCRIPTION.version)
  must(
    /^[0-9A-Za-z][0-9A-Za-z._-]{0,30}$/.test(version),
    'version',
    '1 to 31 letters, digits, or any of . _ -',
    JSON.stringify(version),
  )

  const { end, checksum } = segmentsOf(bytes, must)
  // The checksum is the last byte of a block of 16.
  const hashAt = (end + 16) & ~15
  must(bytes.length >= hashAt + HASH_BYTES, 'size', `${hashAt + HASH_BYTES} bytes`, bytes.length)
  const stored = bytes.readUInt8(hashAt - 1)
  must(stored === checksum, 'checksum', hex(checksum), hex(stored))
  const hasHash = bytes.readUInt8(23)
  must(hasHash === 1, 'hash_appended', '1', hasHash)
  const hash = sha256(bytes.subarray(0, hashAt))
  const appended = bytes.subarray(hashAt, hashAt + HASH_BYTES).toString('hex')
  must(appended === hash, 'sha-256', hash, appended)
  checkSignature(bytes, hashAt + HASH_BYTES, must)
  return { version, bytes, sha256: sha256(bytes) }
}

/** What an image says of itself; undefined for bytes that are no image. */
export function descriptionOf(bytes: Buffer): { version: string; project: string } | undefined {
  if (bytes.length < DESCRIPTION.end || bytes.readUInt32LE(DESCRIPTION.at) !== DESCRIPTION.magic) {
    return undefined
  }
  return {
    version: textAt(bytes, DESCRIPTION.version),
    project: textAt(bytes, DESCRIPTION.project),
  }
}

type Must = (holds: boolean, field: string, limit: string, value: string | number) => void

function segmentsOf(bytes: Buffer, must: Must): { end: number; checksum: number } {
  const count = bytes.readUInt8(1)
  must(count >= 1 && count <= MOST_SEGMENTS, 'segment count', `1 to ${MOST_SEGMENTS}`, count)
  let end = HEADER_BYTES
  let checksum = CHECKSUM_SEED
  for (let n = 0; n < count; n += 1) {
    const from = end + SEGMENT_HEADER_BYTES
    must(from <= bytes.length, `segment ${n}`, `within ${bytes.length} bytes`, from)
    end = from + bytes.readUInt32LE(from - 4)
    must(end <= bytes.length, `end of segment ${n}`, `within ${bytes.length} bytes`, end)
    for (const byte of bytes.subarray(from, end)) checksum ^= byte
  }
  return { end, checksum }
}

/** A signature of Secure Boot v2 lies in a sector of its own behind the image. */
function checkSignature(bytes: Buffer, imageEnd: number, must: Must): void {
  const at = Math.ceil(imageEnd / SECTOR_BYTES) * SECTOR_BYTES
  const why = 'a signed image; see "Flashing" in docs/firmware.md'
  must(
    bytes.length === at + SECTOR_BYTES,
    'size',
    `${at + SECTOR_BYTES} bytes, ${why}`,
    bytes.length,
  )
  const magic = bytes.readUInt8(at)
  must(magic === SIGNATURE.magic, 'signature magic', `${hex(SIGNATURE.magic)}, ${why}`, hex(magic))
  const version = bytes.readUInt8(at + 1)
  must(version === SIGNATURE.version, 'signature version', `${SIGNATURE.version}`, version)
  const digest = sha256(bytes.subarray(0, at))
  const signed = bytes
    .subarray(at + SIGNATURE.digest, at + SIGNATURE.digest + HASH_BYTES)
    .toString('hex')
  must(signed === digest, 'signed sha-256', digest, signed)
  const crc = crc32(bytes.subarray(at, at + SIGNATURE.crc))
  const stored = bytes.readUInt32LE(at + SIGNATURE.crc)
  must(stored === crc, 'signature crc', hex(crc, 8), hex(stored, 8))
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

function textAt(bytes: Buffer, at: number): string {
  const text = bytes.subarray(at, at + DESCRIPTION.textBytes)
  const end = text.indexOf(0)
  return text.subarray(0, end < 0 ? undefined : end).toString('latin1')
}
