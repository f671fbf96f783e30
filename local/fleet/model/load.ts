/** A channel draws another power from an instant on; 0 is off. */
export interface Change {
  readonly atMs: number
  readonly device_id: string
  readonly powerMw: number
}

/** What the channels of a node draw over time. */
export interface Load {
  /** Power by channel at an instant, changes of that very instant included. Missing is 0. */
  powerAt(atMs: number): ReadonlyMap<string, number>
  /** Changes after `fromMs` up to and including `toMs`, in order of time. */
  changes(fromMs: number, toMs: number): readonly Change[]
}

/** A load written out in full, for tests and scripted scenes. Before its first change all is off. */
export function scripted(changes: readonly Change[]): Load {
  const ordered = [...changes].sort((a, b) => a.atMs - b.atMs)
  return {
    powerAt: (atMs) => new Map(ordered.filter((c) => c.atMs <= atMs).map(powerOf)),
    changes: (fromMs, toMs) => ordered.filter((c) => c.atMs > fromMs && c.atMs <= toMs),
  }
}

function powerOf({ device_id, powerMw }: Change): [string, number] {
  return [device_id, powerMw]
}
