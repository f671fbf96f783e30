/** What a worker is started with. */
export interface WorkerSetup {
  file: string
  exportName: string
  name: string
  memoryMb: number
  sourceMaps: boolean
  /** As of an invocation: a bundle may keep a reference to the clock when it is loaded. */
  aheadMs: number
}

/** One invocation, on its way to the worker. The event is JSON text, as Lambda passes it. */
export interface InvokeMessage {
  requestId: string
  event: string
  deadlineAtMs: number
  /** How far the stack's clock is ahead of the machine's; only tests move it. */
  aheadMs: number
  /** As it was called, and the version that meant. */
  arn: string
  version: string
}

/** How Lambda describes a function's failure. */
export interface FunctionFailure {
  errorType: string
  errorMessage: string
  trace: string[]
}

/** What a worker says. `initError` is its last word. */
export type WorkerMessage =
  | { kind: 'ready' }
  | { kind: 'initError'; failure: FunctionFailure }
  | { kind: 'result'; requestId: string; payload: string }
  | { kind: 'failure'; requestId: string; failure: FunctionFailure }

/** Any thrown value in Lambda's form. */
export function toFailure(error: unknown): FunctionFailure {
  if (error instanceof Error) {
    const trace = (error.stack ?? '').split('\n').map((line) => line.trim())
    return { errorType: error.name, errorMessage: error.message, trace }
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] }
}
