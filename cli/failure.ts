/**
 * A failure a person can act on: a line that names the field, the limit and the value, or one for each
 * of several, and the exit code of the command (2 for a wrong call, 1 for anything that went wrong afterwards).
 */
export class Failure extends Error {
  readonly exitCode: 1 | 2

  constructor(message: string, options: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'Failure'
    this.exitCode = options.exitCode ?? 1
  }
}

/** A wrong call of the command: an option or argument out of its limits. */
export function usage(message: string): Failure {
  return new Failure(message, { exitCode: 2 })
}

/**
 * The one line that goes to stderr. Socket errors of Node 24 are AggregateErrors with an empty
 * message (one error per address tried), so the first inner one speaks for them.
 */
export function oneLine(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return oneLine(error.errors[0])
  const text = error instanceof Error ? error.message || error.name : String(error)
  return text.replace(/\s*\n\s*/g, ' ')
}

/** True when nothing listens where the command tried to connect. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isUnreachable)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return true
  return error instanceof Error && error.cause !== undefined && isUnreachable(error.cause)
}
