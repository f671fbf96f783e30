/** Settings of a token bucket: `rate` requests a second in the long run, `burst` at once. */
export interface Limits {
  rate: number
  burst: number
}

/** A token bucket, as API Gateway throttles with. It starts full. */
export class TokenBucket {
  readonly #limits: Limits
  #tokens: number
  #filledAtMs: number

  constructor(limits: Limits, nowMs: number) {
    this.#limits = limits
    this.#tokens = limits.burst
    this.#filledAtMs = nowMs
  }

  /** Takes a token; false when there is none. */
  take(nowMs: number): boolean {
    const { rate, burst } = this.#limits
    const passedMs = Math.max(0, nowMs - this.#filledAtMs)
    this.#tokens = Math.min(burst, this.#tokens + (passedMs * rate) / 1000)
    this.#filledAtMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
