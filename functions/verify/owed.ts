import type { Entry } from '../domain/journal.ts'

/**
 * A change that takes several entries is either all there, or the head says what is left of it; and its
 * entries follow one another, with nothing else booked between them.
 */
export function owedProblems(entries: readonly Entry[]): string[] {
  const problems: string[] = []
  let before: Entry | null = null
  for (const entry of entries) {
    const isFollowed = before !== null && before.state.owed !== null
    if (isFollowed && entry.part !== (before?.part ?? 0) + 1) {
      problems.push(`entry ${entry.n} does not complete the change that entry ${before?.n} began`)
    }
    if (!isFollowed && entry.part > 1) {
      problems.push(
        `entry ${entry.n} is part ${entry.part} of a change that nothing before it began`,
      )
    }
    before = entry
  }
  const owed = before?.state.owed ?? null
  if (before !== null && owed !== null) {
    const fromMs = new Date(owed.fromMs).toISOString()
    problems.push(
      `entry ${before.n} leaves a change unfinished, from ${fromMs} on: the next booking completes it, or \`autovolt restate\``,
    )
  }
  return problems
}
