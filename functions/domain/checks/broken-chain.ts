import type { Finding } from './finding.ts'
import type { ChainFault, NodeView } from './view.ts'

/** Faults of a chain asked about one by one: somebody who changed all its entries makes thousands. */
const MOST = 20

/** Every entry follows the one before it unchanged, and the chain still holds what was anchored. */
export function brokenChain({ registers }: NodeView): Finding[] {
  return registers.flatMap(({ register, chain }) =>
    firstAndLast(chain).map(
      ({ n, kind, detail }): Finding => ({
        rule: 'broken_chain',
        register,
        window: `entry ${n} ${kind}`,
        // It is looked for in every run that reads this entry or an anchor behind it.
        fromMs: null,
        severity: 'high',
        evidence: { n, kind, detail },
      }),
    ),
  )
}

/** The last one is what an anchor shows, where one shows something. */
const firstAndLast = (chain: readonly ChainFault[]) =>
  chain.length <= MOST ? chain : [...chain.slice(0, MOST - 1), ...chain.slice(-1)]
