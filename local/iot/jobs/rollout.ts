import * as z from 'zod'

const perMinute = z.int().min(1).max(1_000)
const atLeastOne = z.int().min(1)

/** `jobExecutionsRolloutConfig` of CreateJob. */
export const RolloutConfig = z.object({
  maximumPerMinute: perMinute.default(1_000),
  exponentialRate: z
    .object({
      baseRatePerMinute: perMinute,
      incrementFactor: z.number().min(1.1).max(5),
      rateIncreaseCriteria: z
        .object({
          numberOfNotifiedThings: atLeastOne.optional(),
          numberOfSucceededThings: atLeastOne.optional(),
        })
        .refine(
          (it) =>
            (it.numberOfNotifiedThings === undefined) !==
            (it.numberOfSucceededThings === undefined),
          'one of numberOfNotifiedThings and numberOfSucceededThings',
        ),
    })
    .optional(),
})

/** `abortConfig` of CreateJob. */
export const AbortConfig = z.object({
  criteriaList: z
    .array(
      z.object({
        failureType: z.enum(['FAILED', 'REJECTED', 'TIMED_OUT', 'ALL']),
        action: z.literal('CANCEL'),
        thresholdPercentage: z.number().gt(0).max(100),
        minNumberOfExecutedThings: atLeastOne,
      }),
    )
    .min(1),
})

/** How many things are how far. */
export interface Counts {
  readonly notified: number
  readonly succeeded: number
  readonly failed: number
  readonly rejected: number
  readonly timedOut: number
}

/** How many things may hear of the job a minute, given how far it is. */
export function ratePerMinute(config: z.output<typeof RolloutConfig>, counts: Counts): number {
  const { maximumPerMinute, exponentialRate } = config
  if (exponentialRate === undefined) return maximumPerMinute
  const { baseRatePerMinute, incrementFactor, rateIncreaseCriteria } = exponentialRate
  const { numberOfNotifiedThings, numberOfSucceededThings } = rateIncreaseCriteria
  const steps =
    numberOfNotifiedThings === undefined
      ? Math.floor(counts.succeeded / (numberOfSucceededThings ?? Number.POSITIVE_INFINITY))
      : Math.floor(counts.notified / numberOfNotifiedThings)
  return Math.min(baseRatePerMinute * incrementFactor ** steps, maximumPerMinute)
}

/** The criterion that is met, in words; undefined while none is. */
export function abortReason(
  config: z.output<typeof AbortConfig> | undefined,
  counts: Counts,
): string | undefined {
  const executed = counts.succeeded + counts.failed + counts.rejected + counts.timedOut
  for (const it of config?.criteriaList ?? []) {
    if (executed < it.minNumberOfExecutedThings) continue
    const bad = {
      FAILED: counts.failed,
      REJECTED: counts.rejected,
      TIMED_OUT: counts.timedOut,
      ALL: counts.failed + counts.rejected + counts.timedOut,
    }[it.failureType]
    if (bad * 100 < it.thresholdPercentage * executed) continue
    return `${it.failureType}: ${bad} of ${executed} executed, threshold ${it.thresholdPercentage} %`
  }
  return undefined
}
