import type { DatabaseSync } from 'node:sqlite'

/** How far mappings are, on disk. */
export interface Checkpoints {
  /** The last sequence number of which all up to it are done; undefined at the first start. */
  load(mapping: string): number | undefined
  save(mapping: string, sequence: number): void
}

/** Opens the checkpoints in the store, making their table at the first start. */
export function openCheckpoints(store: DatabaseSync): Checkpoints {
  store.exec(
    `CREATE TABLE IF NOT EXISTS streams_checkpoints (
       mapping TEXT PRIMARY KEY, sequence INTEGER NOT NULL
     ) WITHOUT ROWID`,
  )
  const get = store.prepare('SELECT sequence FROM streams_checkpoints WHERE mapping = ?')
  const put = store.prepare(
    `INSERT INTO streams_checkpoints VALUES (?, ?)
       ON CONFLICT DO UPDATE SET sequence = excluded.sequence`,
  )
  return {
    load(mapping) {
      const row = get.get(mapping)
      return row === undefined ? undefined : Number(row.sequence)
    },
    save: (mapping, sequence) => void put.run(mapping, sequence),
  }
}

/**
 * Which fetched records are not done yet. Lanes finish out of order; the checkpoint may only move
 * over records that are done without a gap.
 */
export class Outstanding {
  readonly #order: number[] = []
  readonly #done = new Set<number>()
  #head = 0
  #through: number

  /** `through` is the checkpoint to go on from. */
  constructor(through: number) {
    this.#through = through
  }

  /** Everything up to this sequence number is done. */
  get through(): number {
    return this.#through
  }

  get size(): number {
    return this.#order.length - this.#head
  }

  /** Sequence numbers come in rising order. */
  add(sequence: number): void {
    this.#order.push(sequence)
  }

  done(sequence: number): void {
    this.#done.add(sequence)
    let next = this.#order[this.#head]
    while (next !== undefined && this.#done.delete(next)) {
      this.#through = next
      this.#head += 1
      next = this.#order[this.#head]
    }
    if (this.#head > 1_000) {
      this.#order.splice(0, this.#head)
      this.#head = 0
    }
  }
}
