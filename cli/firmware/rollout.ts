import type { AbortConfig, JobExecutionsRolloutConfig, TimeoutConfig } from '@aws-sdk/client-iot'
import * as z from 'zod'

/** How a release goes through its nodes, and what stops it. */
export interface Rollout {
  readonly jobExecutionsRolloutConfig: JobExecutionsRolloutConfig
  readonly abortConfig: AbortConfig
  readonly timeoutConfig: TimeoutConfig
}

/** AWS IoT Jobs takes no more a minute. */
const MOST_PER_MINUTE = 1_000

/** A rate that grows with what succeeded: a bad image shows after ten minutes, with few nodes under way. */
const GROWTH = { basePerMinute: 5, factor: 1.5, every: 50, mostPerMinute: 100 }

/** A tenth of the nodes have to answer before a share of them says anything, ten at most. */
const ENOUGH_ANSWERS = 10

const LIMIT = `must be nodes a minute from 1 to ${MOST_PER_MINUTE}, or exponential, or exponential:<nodes a minute at the start>`

/** `30` a minute all the way, or `exponential`, or `exponential:50`. */
export const Rate = z
  .string()
  .regex(/^(\d{1,4}|exponential(:\d{1,4})?)$/, LIMIT)
  .transform((text): JobExecutionsRolloutConfig => {
    if (/^\d/.test(text)) return { maximumPerMinute: Number(text) }
    const base = Number(text.split(':')[1] ?? GROWTH.basePerMinute)
    return {
      maximumPerMinute: Math.max(base, GROWTH.mostPerMinute),
      exponentialRate: {
        baseRatePerMinute: base,
        incrementFactor: GROWTH.factor,
        rateIncreaseCriteria: { numberOfSucceededThings: GROWTH.every },
      },
    }
  })
  .refine(({ maximumPerMinute = 0, exponentialRate }) => {
    const slowest = exponentialRate?.baseRatePerMinute ?? maximumPerMinute
    return slowest >= 1 && maximumPerMinute <= MOST_PER_MINUTE
  }, LIMIT)

/** Percent as AWS IoT Jobs takes it, with at most two decimals. */
export const Percent = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,2})?$/, 'must be a percentage above 0 to 100, of at most two decimals')
  .transform(Number)
  .refine((value) => value > 0 && value <= 100, 'must be a percentage above 0 to 100')

/** @param nodes of the release: with a few, the first answer counts */
export function rolloutOf(given: {
  rate: JobExecutionsRolloutConfig
  abortAtPercent: number
  timeoutMinutes: number
  nodes: number
}): Rollout {
  return {
    jobExecutionsRolloutConfig: given.rate,
    abortConfig: {
      criteriaList: [
        {
          // Failed, rejected and timed out together: whichever way nodes fail, they fail.
          failureType: 'ALL',
          action: 'CANCEL',
          thresholdPercentage: given.abortAtPercent,
          minNumberOfExecutedThings: Math.min(ENOUGH_ANSWERS, Math.ceil(given.nodes / 10)),
        },
      ],
    },
    timeoutConfig: { inProgressTimeoutInMinutes: given.timeoutMinutes },
  }
}

/** The same in words. */
export function describeRollout({
  jobExecutionsRolloutConfig: rate,
  abortConfig,
  timeoutConfig,
}: Rollout): string {
  const growing = rate.exponentialRate
  const pace =
    growing === undefined
      ? `at ${rate.maximumPerMinute} a minute`
      : `from ${growing.baseRatePerMinute} a minute, ${growing.incrementFactor} times as many for every ${growing.rateIncreaseCriteria?.numberOfSucceededThings} that succeed, ${rate.maximumPerMinute} at most`
  const [criterion] = abortConfig.criteriaList ?? []
  return `${pace}; stops when of at least ${criterion?.minNumberOfExecutedThings} that are through ${criterion?.thresholdPercentage} % failed; each has ${timeoutConfig.inProgressTimeoutInMinutes} minutes`
}
