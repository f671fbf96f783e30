import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import type { DynamoDBRecord } from 'aws-lambda'
import { registerParts } from '../../functions/domain/reading.ts'
import { type BatchPorts, bookBatch } from '../../functions/ledger/batch.ts'
import { settle } from '../../functions/ledger/settle.ts'
import { rebuildRegister } from '../../functions/rollup/rebuild.ts'
import type { RunPorts } from '../../functions/rollup/run.ts'
import { settlePrices } from '../../functions/rollup/settle.ts'
import { startWork } from '../../functions/rollup/work.ts'

/** The names by which the functions are called. */
export const FUNCTIONS = { ledger: 'ledger', rollup: 'rollup' } as const

/** Functions by name: an event in, an answer out. */
export type Callees = Readonly<Record<string, (event: never) => Promise<unknown>>>

export interface LedgerEvent {
  readonly Records?: DynamoDBRecord[]
  readonly redriven?: boolean
  readonly restate?: { readonly register: string; readonly from_ms: number | null }
}
export interface RollupEvent {
  readonly rebuild: {
    readonly register: string
    readonly from: string
    readonly to: string
    readonly reason: string
  }
}

/** The ledger and the rollup as their handlers wire them, for those who call them. */
export function callees(booking: BatchPorts, rolling: RunPorts): Callees {
  return {
    async [FUNCTIONS.ledger]({ restate, Records = [], redriven = false }: LedgerEvent) {
      if (restate !== undefined) {
        return settle(restate.register, restate.from_ms, Number.POSITIVE_INFINITY, booking)
      }
      const { failures, reasons } = await bookBatch(Records, booking, { redriven })
      const batchItemFailures = failures.map((itemIdentifier) => ({ itemIdentifier }))
      return { batchItemFailures, reasons }
    },
    async [FUNCTIONS.rollup]({ rebuild }: RollupEvent) {
      const record = await rolling.nodes.get(registerParts(rebuild.register).esp32Name)
      const work = await startWork(rolling, rebuild.reason)
      const days_written = await rebuildRegister(record, rebuild.register, rebuild, rolling, work)
      await settlePrices(rolling, work)
      return { days_written }
    },
  }
}

/** A client that calls functions and waits for them, as Lambda does: once, with JSON both ways. */
export function lambdaClient(functions: Callees): LambdaClient {
  const send = async (command: unknown): Promise<unknown> => {
    if (!(command instanceof InvokeCommand)) throw new Error('only calls are simulated')
    const { FunctionName = '', Payload } = command.input
    const answered = (value: unknown) => ({
      transformToString: () => JSON.stringify(value) ?? 'null',
    })
    try {
      const event = JSON.parse(String(Payload))
      return { Payload: answered(await functions[FunctionName]?.(event as never)) }
    } catch (error) {
      const errorMessage = error instanceof Error ? error.message : String(error)
      return { FunctionError: 'Unhandled', Payload: answered({ errorMessage }) }
    }
  }
  return { send } as unknown as LambdaClient
}
