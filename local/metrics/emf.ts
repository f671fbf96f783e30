import * as z from 'zod'
import type { Figure } from './figures.ts'

const Embedded = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string() })),
      }),
    ),
  }),
})
const Values = z.union([z.number(), z.array(z.number())])

/** The figures of a log line in embedded metric format; none for any other line. */
export function figuresOf(line: string): Figure[] {
  if (!line.includes('"_aws"')) return []
  const parsed = Embedded.safeParse(jsonOf(line))
  if (!parsed.success) return []
  const { _aws, ...members } = parsed.data
  return _aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) => {
      const dimensions = Object.fromEntries(names.map((name) => [name, String(members[name])]))
      return Metrics.flatMap(({ Name }) => {
        const values = Values.safeParse(members[Name])
        if (!values.success) return []
        return [values.data].flat().map((value) => ({
          namespace: Namespace,
          name: Name,
          dimensions,
          value,
          atMs: _aws.Timestamp,
        }))
      })
    }),
  )
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
