import type { Finding } from './finding.ts'
import type { NodeView } from './view.ts'

/** Every entry follows the one before it unchanged, and the chain still holds what was anchored. */
export function brokenChain({ registers }: NodeView): Finding[] {
  return registers.flatMap(({ register, chain }) =>
    chain.map(
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
