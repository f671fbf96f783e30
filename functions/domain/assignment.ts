/** A node stands in a classroom from an instant on; in none (null) after it was retired. */
export interface Assignment {
  readonly classroom: string | null
  readonly fromMs: number
}

/** A stretch of time in one classroom, `[fromMs, toMs)`. */
export interface Stay extends Assignment {
  readonly toMs: number
}

/**
 * The stays of a node: each assignment until the next. The first one covers all earlier time, since
 * a node is often registered after it began to measure. Of two from the same instant the one that
 * comes later in the list stands; the other has a stay of no length.
 */
export function stays(assignments: readonly Assignment[]): Stay[] {
  const sorted = [...assignments].sort((a, b) => a.fromMs - b.fromMs)
  return sorted.map((assignment, index) => ({
    classroom: assignment.classroom,
    fromMs: index === 0 ? Number.NEGATIVE_INFINITY : assignment.fromMs,
    toMs: sorted[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY,
  }))
}

/** The classroom a node stands in at an instant; null when it was never assigned. */
export function classroomAt(assignments: readonly Assignment[], atMs: number): string | null {
  return (
    stays(assignments).find((stay) => atMs >= stay.fromMs && atMs < stay.toMs)?.classroom ?? null
  )
}
