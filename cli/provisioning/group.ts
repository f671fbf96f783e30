import { createHash } from 'node:crypto'
import { thingGroupPrefix } from '../../infra/names.ts'

/** AWS IoT takes names of at most 128 of these characters. */
const NOT_ALLOWED = /[^a-zA-Z0-9:_-]/g
const MOST_LETTERS = 80

/**
 * The thing group of a classroom: `autovolt-<stage>-room-<classroom>`. A classroom with other
 * characters has them replaced, and a digest behind, so that no two share a group.
 */
export function groupName(stage: string, classroom: string): string {
  const plain = classroom.replaceAll(NOT_ALLOWED, '_').slice(0, MOST_LETTERS)
  const prefix = thingGroupPrefix({ stage })
  if (plain === classroom) return `${prefix}${plain}`
  const digest = createHash('sha256').update(classroom).digest('hex').slice(0, 8)
  return `${prefix}${plain}-${digest}`
}
