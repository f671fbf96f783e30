/** What CloudWatch keeps of the values of a period. */
export interface Bucket {
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
  /** For percentiles: all values, or that many of them, evenly taken. */
  readonly samples: readonly number[]
}

export type Statistic =
  | { readonly kind: 'Sum' | 'Average' | 'Minimum' | 'Maximum' | 'SampleCount' }
  | { readonly kind: 'percentile'; readonly percent: number }

const MAX_SAMPLES = 500

/** @returns undefined for a statistic that is not computed here */
export function parseStatistic(text: string): Statistic | undefined {
  switch (text) {
    case 'Sum':
    case 'Average':
    case 'Minimum':
    case 'Maximum':
    case 'SampleCount':
      return { kind: text }
    default: {
      const percent = /^p(\d{1,2}(?:\.\d+)?|100)$/.exec(text)?.[1]
      return percent === undefined ? undefined : { kind: 'percentile', percent: Number(percent) }
    }
  }
}

/** A bucket with one value more. The arrays of one bucket are never shared with another while it grows. */
export function bucketWith(bucket: Bucket | undefined, value: number): Bucket {
  if (bucket === undefined) {
    return { count: 1, sum: value, min: value, max: value, samples: [value] }
  }
  const samples = bucket.samples as number[]
  if (samples.length < MAX_SAMPLES) samples.push(value)
  else samples[bucket.count % MAX_SAMPLES] = value
  return {
    count: bucket.count + 1,
    sum: bucket.sum + value,
    min: Math.min(bucket.min, value),
    max: Math.max(bucket.max, value),
    samples,
  }
}

/** Two buckets as one; samples only where they matter. */
export function into(a: Bucket, b: Bucket, withSamples = true): Bucket {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    samples: withSamples ? [...a.samples, ...b.samples] : [],
  }
}

export function statisticOf(bucket: Bucket, statistic: Statistic): number {
  switch (statistic.kind) {
    case 'Sum':
      return bucket.sum
    case 'Average':
      return bucket.sum / bucket.count
    case 'Minimum':
      return bucket.min
    case 'Maximum':
      return bucket.max
    case 'SampleCount':
      return bucket.count
    case 'percentile': {
      const sorted = [...bucket.samples].sort((a, b) => a - b)
      const at = Math.ceil((statistic.percent / 100) * sorted.length) - 1
      return sorted[Math.max(0, at)] as number
    }
  }
}
