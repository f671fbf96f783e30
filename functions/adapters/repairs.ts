import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { marshall } from '@aws-sdk/util-dynamodb'
import * as z from 'zod'

/** The functions that may change what a run finds wrong: it asks them, and changes nothing itself. */
export interface Repairs {
  /** Hands raw events to the ledger as the stream would have. @returns why some were not booked */
  book(items: readonly Record<string, unknown>[]): Promise<string[]>
  /** Has the ledger bring lines from an instant on to what readings and facts say, by appending. */
  restate(register: string, fromMs: number): Promise<void>
  /** Has day items made anew from the ledger. @returns how many were written */
  rebuild(register: string, dates: { from: string; to: string }, reason: string): Promise<number>
}

/** As many as the stream hands over at once. */
const BATCH = 100
/** A restatement of a long time goes on with the next call. */
const MAX_CALLS = 20

const Booked = z.looseObject({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })),
  reasons: z.record(z.string(), z.string()).default({}),
})
const Restated = z.looseObject({ isDone: z.boolean() })
const Rebuilt = z.looseObject({ days_written: z.int() })

export function repairs(
  client: LambdaClient,
  functions: { readonly ledger: string; readonly rollup: string },
): Repairs {
  const call = async (FunctionName: string, event: unknown): Promise<unknown> => {
    const Payload = JSON.stringify(event)
    const answer = await client.send(new InvokeCommand({ FunctionName, Payload }))
    const text = answer.Payload?.transformToString() ?? 'null'
    if (answer.FunctionError === undefined) return JSON.parse(text)
    throw new Error(`${FunctionName} failed: ${text.slice(0, 500)}`)
  }
  return {
    async book(items) {
      const reasons: string[] = []
      for (let at = 0; at < items.length; at += BATCH) {
        const Records = items.slice(at, at + BATCH).map(toRecord)
        const done = Booked.parse(await call(functions.ledger, { Records, redriven: true }))
        reasons.push(
          ...done.batchItemFailures.map(
            ({ itemIdentifier }) => done.reasons[itemIdentifier] ?? 'the ledger gave no reason',
          ),
        )
      }
      return reasons
    },
    async restate(register, from_ms) {
      const event = { restate: { register, from_ms } }
      for (let calls = 0; calls < MAX_CALLS; calls++) {
        if (Restated.parse(await call(functions.ledger, event)).isDone) return
      }
      throw new Error(`restating ${register} did not end in ${MAX_CALLS} calls`)
    },
    async rebuild(register, { from, to }, reason) {
      const event = { rebuild: { register, from, to, reason } }
      return Rebuilt.parse(await call(functions.rollup, event)).days_written
    },
  }
}

/** Stream records carry binary values as base64 text. */
function toRecord(item: Record<string, unknown>, index: number) {
  const NewImage = Object.fromEntries(
    Object.entries(marshall(item, { removeUndefinedValues: true })).map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
    ]),
  )
  const Keys = { register: { S: String(item.register) }, id: { S: String(item.id) } }
  return {
    eventName: 'INSERT',
    eventSource: 'autovolt:reconcile',
    dynamodb: { Keys, NewImage, SequenceNumber: String(index + 1) },
  }
}
