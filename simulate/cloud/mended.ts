import type { DynamoDBRecord } from 'aws-lambda'
import { type Callees, FUNCTIONS, type LedgerEvent, type RollupEvent } from './callees.ts'

/** Something that a nightly run had the ledger or the rollup do, since it found the figures wrong. */
export type Mended =
  | { readonly rule: 'unbooked_reading'; readonly event: string }
  | { readonly rule: 'rollup_differs'; readonly register: string; readonly date: string }
  | { readonly rule: 'lines_differ'; readonly register: string; readonly isUnderWay: boolean }

/** What the simulation itself did that a run may find; nothing else may need a repair. */
export interface Harmed {
  /** Raw events that the ledger was never given: lost from the stream, or still waiting in it. */
  readonly events: ReadonlySet<string>
  /** Registers and dates of day items that were spoiled. */
  readonly days: ReadonlySet<string>
}

export function eventOf({ dynamodb }: DynamoDBRecord): string {
  return `${dynamodb?.Keys?.register?.S} ${dynamodb?.Keys?.id?.S}`
}

export const dayOf = (register: string, date: string) => `${register} ${date}`

/** The repairs that nothing done by the simulation explains: the code went wrong by itself. */
export function unexplained(mended: readonly Mended[], { events, days }: Harmed): string[] {
  return mended.flatMap((it) => {
    if (it.rule === 'unbooked_reading') {
      if (events.has(it.event)) return []
      return [`${it.event}: a run books it, but the ledger had been given it`]
    }
    if (it.rule === 'rollup_differs') {
      if (days.has(dayOf(it.register, it.date))) return []
      return [`${it.register}: a run makes ${it.date} anew, but nobody had spoiled it`]
    }
    if (it.isUnderWay) return []
    return [`${it.register}: a run restates lines, but no change of them was under way`]
  })
}

/**
 * The same functions, which tell what they are called for.
 *
 * @param isUnderWay whether a change of a register's lines was begun and has not come to its end
 */
export function watched(
  functions: Callees,
  isUnderWay: (register: string) => Promise<boolean>,
  note: (mended: Mended) => void,
): Callees {
  return {
    ...functions,
    async [FUNCTIONS.ledger](event: LedgerEvent) {
      for (const record of event.Records ?? []) {
        note({ rule: 'unbooked_reading', event: eventOf(record) })
      }
      if (event.restate !== undefined) {
        const { register } = event.restate
        note({ rule: 'lines_differ', register, isUnderWay: await isUnderWay(register) })
      }
      return functions[FUNCTIONS.ledger]?.(event as never)
    },
    async [FUNCTIONS.rollup](event: RollupEvent) {
      const { register, from, to } = event.rebuild
      for (const date of new Set([from, to])) note({ rule: 'rollup_differs', register, date })
      return functions[FUNCTIONS.rollup]?.(event as never)
    },
  }
}
