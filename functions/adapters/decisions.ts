import * as z from 'zod'
import { ThingName } from '../contract/names.ts'
import { ACTIONS, type Decisions, type Told } from '../domain/decisions.ts'
import { registerParts } from '../domain/reading.ts'
import { factsOf, type NodeRecord } from './nodes.ts'

/**
 * A person's answer about a step of a register. Never changed, only followed; numbered without a hole, so
 * that whoever knows so many knows the same ones.
 */
export const DecisionItem = z.object({
  esp32_name: ThingName,
  kind: z.string().startsWith('decision#'),
  register: z.string(),
  n: z.int().min(1),
  action: z.literal(ACTIONS),
  between: z.tuple([z.string(), z.string()]),
  aside: z.array(z.string()),
  from_ms: z.int(),
  ticket_id: z.string(),
  reason: z.string(),
  decided_by: z.string(),
  decided_at_ms: z.int(),
})
export type DecisionItem = z.infer<typeof DecisionItem>

/** All that people said of a register. */
export function toldOf(record: NodeRecord, register: string): Told {
  return { facts: factsOf(record, register), decisions: decisionsOf(record, register) }
}

/** What people decided about a register. */
export function decisionsOf({ decisions = [] }: NodeRecord, register: string): Decisions {
  return decisions
    .filter((item) => item.register === register)
    .map(({ n, between, action, aside, from_ms }) => ({
      n,
      between,
      action,
      aside,
      fromMs: from_ms,
    }))
}

/** The conditional put of a register's next decision: only one gets its number. */
export function decisionPut(table: string, decision: Omit<DecisionItem, 'esp32_name' | 'kind'>) {
  const { register, n } = decision
  const { esp32Name } = registerParts(register)
  return {
    TableName: table,
    Item: { esp32_name: esp32Name, kind: decisionKind(register, n), ...decision },
    ConditionExpression: 'attribute_not_exists(esp32_name)',
  }
}

const decisionKind = (register: string, n: number) =>
  `decision#${register}#${String(n).padStart(6, '0')}`
