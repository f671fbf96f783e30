/** A metric of CloudWatch: a name, and of what it is. */
export interface MetricName {
  readonly namespace: string
  readonly name: string
  readonly dimensions: Readonly<Record<string, string>>
}

/** One value of a metric, at an instant of the stack's clock. */
export interface Figure extends MetricName {
  readonly value: number
  readonly atMs: number
}

/** Takes what CloudWatch would take: figures of the platform itself, and those that functions log. */
export interface Figures {
  add(figure: Figure): void
  /** Has a gauge read before anybody looks at figures. */
  gauge(read: () => readonly Figure[]): void
}

/** One text for one metric, whatever the order of its dimensions. */
export function keyOf({ namespace, name, dimensions }: MetricName): string {
  const parts = Object.entries(dimensions)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
  return [namespace, name, ...parts].join('|')
}
