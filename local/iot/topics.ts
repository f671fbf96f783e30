/** What AWS IoT Core allows of a message. https://docs.aws.amazon.com/general/latest/gr/iot-core.html */
export const LIMITS = {
  payloadBytes: 128 * 1024,
  topicBytes: 256,
  topicSlashes: 7,
  clientIdBytes: 128,
  keepAliveMinSeconds: 30,
  keepAliveMaxSeconds: 1200,
} as const

const BASIC_INGEST = /^\$aws\/rules\/([^/]+)\/(.+)$/s

/** The parts of a Basic Ingest topic: the rule it goes to, and the topic that rule sees. */
export function basicIngest(topic: string): { ruleName: string; topic: string } | undefined {
  const match = BASIC_INGEST.exec(topic)
  return match ? { ruleName: match[1] ?? '', topic: match[2] ?? '' } : undefined
}

/** Whether an MQTT topic filter (with + and #) matches a topic. Topics with $ match no leading wildcard. */
export function filterMatches(filter: string, topic: string): boolean {
  const parts = filter.split('/')
  const levels = topic.split('/')
  if (topic.startsWith('$') && (parts[0] === '+' || parts[0] === '#')) return false
  for (const [index, part] of parts.entries()) {
    if (part === '#') return true
    if (index >= levels.length) return false
    if (part !== '+' && part !== levels[index]) return false
  }
  return parts.length === levels.length
}

/** Why AWS would not take this topic or filter, or undefined. A Basic Ingest prefix does not count. */
export function topicViolation(topic: string): string | undefined {
  const counted = basicIngest(topic)?.topic ?? topic
  const bytes = Buffer.byteLength(counted)
  if (bytes > LIMITS.topicBytes) {
    return `topic has ${bytes} bytes, the limit is ${LIMITS.topicBytes}`
  }
  const slashes = counted.split('/').length - 1
  if (slashes > LIMITS.topicSlashes) {
    return `topic has ${slashes} slashes, the limit is ${LIMITS.topicSlashes}`
  }
  return undefined
}

/** Why AWS would not take this message, or undefined. */
export function publishViolation(message: {
  topic: string
  payload: Buffer
  qos: number
}): string | undefined {
  if (message.qos > 1) return `QoS ${message.qos} is not supported, only 0 and 1`
  if (message.payload.length > LIMITS.payloadBytes) {
    return `payload has ${message.payload.length} bytes, the limit is ${LIMITS.payloadBytes}`
  }
  if (/^\$(?!aws\/)/.test(message.topic)) return 'topics beginning with $ are reserved'
  return topicViolation(message.topic)
}

/** The keep-alive AWS uses for the one a client asks for, in seconds. */
export function keepAliveSeconds(asked: number): number {
  if (asked === 0 || asked > LIMITS.keepAliveMaxSeconds) return LIMITS.keepAliveMaxSeconds
  return Math.max(asked, LIMITS.keepAliveMinSeconds)
}
