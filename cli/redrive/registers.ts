import { nodeStore } from '../../functions/adapters/nodes.ts'
import { possibleRegisters } from '../show/registers.ts'
import type { RawTools } from './raw-events.ts'

/** Every register that may have raw events, node by node. */
export async function* registersOfStack({ stack, tables }: RawTools): AsyncGenerator<string> {
  for await (const record of nodeStore(tables, stack.table('nodes')).all()) {
    yield* possibleRegisters(record)
  }
}
