/** Refusals of DynamoDB that no repetition changes: the request itself is at fault. */
const FAULTS_OF_THE_REQUEST = ['ValidationException', 'ItemCollectionSizeLimitExceededException']

/** Other workers were faster, many times in a row: nothing is wrong with the readings. */
export class Contended extends Error {}

/** What was told of a register takes longer to settle than a batch may wait; it goes on elsewhere. */
export class Unsettled extends Error {}

/**
 * True for a failure that comes again however often the same records are tried: an item that cannot
 * be read, or readings that break a rule. What a service or the network refuses may succeed in a
 * moment, and is worth the stream's retries.
 */
export function isPermanent(error: unknown): boolean {
  if (!(error instanceof Error)) return true
  if (error instanceof Contended || error instanceof Unsettled) return false
  if (FAULTS_OF_THE_REQUEST.includes(error.name)) return true
  // The SDK marks what came back from a service, and what never reached one.
  const isRefusal = '$metadata' in error || '$fault' in error || '$retryable' in error
  const isNetwork = 'code' in error || error.name === 'TimeoutError' || error.name === 'AbortError'
  return !isRefusal && !isNetwork
}

/** Why something failed, in one line: the error and what caused it. */
export function reasonOf(error: unknown): string {
  const parts: string[] = []
  let at: unknown = error
  while (at !== undefined && at !== null && parts.length < 4) {
    parts.push(at instanceof Error ? at.message || at.name : String(at))
    at = at instanceof Error ? at.cause : undefined
  }
  return parts
    .join(': ')
    .replace(/\s*\n\s*/g, ' ')
    .slice(0, 2_000)
}
