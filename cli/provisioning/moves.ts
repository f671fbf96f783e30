import { ResourceNotFoundException } from '@aws-sdk/client-iot'
import { LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod'
import { classroomAt } from '../../functions/domain/assignment.ts'
import { Failure } from '../failure.ts'
import { invoke } from '../redrive/invoke.ts'
import { restateNode } from '../redrive/restate.ts'
import { nodeRecord } from '../show/registers.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { isOfThePast, recordedBy } from './provision.ts'
import { type Channel, openRegistry } from './registry.ts'
import { placeThing, withIot } from './thing.ts'

const Followed = z.looseObject({ days_written: z.int(), is_done: z.boolean() })
/** A move of many years ends long before. */
const MAX_CALLS = 100

/** What recording a node's place did. */
export interface Moved {
  /** False when the registry said so already. */
  readonly isNew: boolean
  /** Day items that were made anew, in the classroom it left and in the one it came to. */
  readonly daysWritten: number
}

/**
 * Records where a node stands from an instant on (null: nowhere, it is retired), and has the days that
 * are rolled up already made anew. A call that ended half way is completed by the next, or by the next
 * rollup.
 */
export async function moveNode(
  stack: Stack,
  esp32Name: string,
  to: { classroom: string | null; fromMs: number },
  nowMs = Date.now(),
): Promise<Moved> {
  const record = await withTables(stack, (tables) => nodeRecord(tables, stack, esp32Name))
  if (record.assignments.length === 0) {
    throw new Failure(
      `${esp32Name} was never assigned to a classroom; \`autovolt provision\` assigns it first`,
    )
  }
  const isNew = classroomAt(record.assignments, to.fromMs) !== to.classroom
  if (isNew) {
    const registry = openRegistry(stack)
    try {
      await registry.assign(esp32Name, to, recordedBy(), nowMs)
    } finally {
      registry.close()
    }
  }
  // Its group is that of today, whatever of the past or the future was recorded, and whoever ended before this.
  const assignments = isNew ? [...record.assignments, to] : record.assignments
  await regroup(stack, esp32Name, classroomAt(assignments, nowMs))
  const lambda = new LambdaClient(stack.client('lambda'))
  try {
    const event = { follow: { node: esp32Name } }
    let daysWritten = 0
    for (let calls = 0; calls < MAX_CALLS; calls++) {
      const done = Followed.parse(await invoke(lambda, stack.functionName('rollup'), event))
      daysWritten += done.days_written
      if (done.is_done) return { isNew, daysWritten }
    }
    throw new Failure(`the days of ${esp32Name} are not all made anew; the next rollups go on`)
  } finally {
    lambda.destroy()
  }
}

/** Its thing follows into the group of the classroom. A node that only ever posted has no thing. */
async function regroup(stack: Stack, esp32Name: string, classroom: string | null): Promise<void> {
  try {
    await withIot(stack, (iot) => placeThing(iot, stack, esp32Name, classroom))
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error
  }
}

/**
 * Records what the channels of a node are rated for, from an instant on. Where that lies in the past,
 * lines booked by other ratings are restated. @returns the entries that took
 */
export async function rateChannels(
  stack: Stack,
  esp32Name: string,
  channels: readonly Channel[],
  effectiveFromMs: number | undefined,
  nowMs = Date.now(),
): Promise<{ facts: number; restated: number }> {
  const registry = openRegistry(stack)
  try {
    const known = await registry.read(esp32Name)
    if (!known.isRegistered) {
      throw new Failure(
        `${esp32Name} is not registered; make it known with \`autovolt provision ${esp32Name} --classroom <name>\``,
      )
    }
    const entry = {
      esp32Name,
      channels,
      ...(effectiveFromMs !== undefined && { effectiveFromMs }),
    }
    const facts = await registry.tell(entry, known, recordedBy(), nowMs)
    if (!isOfThePast(entry, known, nowMs)) return { facts, restated: 0 }
    const restated = await restateNode(stack, esp32Name, null)
    return { facts, restated: [...restated.values()].reduce((sum, entries) => sum + entries, 0) }
  } finally {
    registry.close()
  }
}
