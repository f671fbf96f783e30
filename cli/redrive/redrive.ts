import { LambdaClient } from '@aws-sdk/client-lambda'
import { SQSClient } from '@aws-sdk/client-sqs'
import { oneLine } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { ARCHIVE_ERRORS, redriveArchive } from './archive-errors.ts'
import { type Lost, run } from './errands.ts'
import { type Errand, understand } from './message.ts'
import { failureQueues, type Held, letGo, type NamedQueue, receive, remove } from './queues.ts'
import type { RawTools } from './raw-events.ts'

export interface Request extends Lost {
  /** One queue by its short name, or `archive-errors`; every failure destination without it. */
  readonly queue: string | undefined
  readonly dryRun: boolean
}

/** Counts of messages over all queues. */
export interface Redriven {
  found: number
  redriven: number
  failing: number
}

/** Works through the failure destinations. A message is deleted only when all it asked for is done. */
export async function redriveAll(
  stack: Stack,
  request: Request,
  tell: (line: string) => void,
): Promise<Redriven> {
  const sqs = new SQSClient(stack.client('sqs'))
  const lambda = new LambdaClient(stack.client('lambda'))
  const total: Redriven = { found: 0, redriven: 0, failing: 0 }
  try {
    const add = (done: Redriven) => {
      total.found += done.found
      total.redriven += done.redriven
      total.failing += done.failing
    }
    if (request.queue === ARCHIVE_ERRORS) {
      add(await redriveArchive(stack, request.dryRun, tell))
      return total
    }
    const queues = await failureQueues(sqs, stack, request.queue, [ARCHIVE_ERRORS])
    await withTables(stack, async (tables) => {
      for (const queue of queues) {
        add(await redriveQueue(sqs, queue, request, { stack, tables, lambda }, tell))
      }
    })
    if (request.queue === undefined) add(await redriveArchive(stack, request.dryRun, tell))
    return total
  } finally {
    sqs.destroy()
    lambda.destroy()
  }
}

async function redriveQueue(
  sqs: SQSClient,
  queue: NamedQueue,
  request: Request,
  tools: RawTools,
  tell: (line: string) => void,
): Promise<Redriven> {
  const done: Redriven = { found: 0, redriven: 0, failing: 0 }
  const lines: string[] = []
  const kept: Held[] = []
  try {
    for await (const held of receive(sqs, tools.stack, queue)) {
      done.found += 1
      // Until it is deleted it goes back, whatever happens.
      kept.push(held)
      const outcome = await redriveOne(queue, held, request, tools)
      lines.push(`  ${outcome.line}`)
      if (outcome.isDone) {
        await remove(sqs, queue, held)
        kept.pop()
        done.redriven += 1
      } else if (!request.dryRun) done.failing += 1
    }
  } finally {
    for (const held of kept) await letGo(sqs, queue, held)
  }
  const figures = request.dryRun
    ? `${done.found} found`
    : `${done.found} found, ${done.redriven} redriven, ${done.failing} still failing`
  tell(`${queue.name}: ${figures}`)
  for (const line of lines) tell(line)
  return done
}

async function redriveOne(
  queue: NamedQueue,
  held: Held,
  request: Request,
  tools: RawTools,
): Promise<{ isDone: boolean; line: string }> {
  let about = `message ${held.id}`
  let errand: Errand
  try {
    ;({ about, errand } = understand(tools.stack, queue.name, held))
    if (request.dryRun) return { isDone: false, line: about }
    return { isDone: true, line: `${about} → ${await run(errand, tools, request)}` }
  } catch (error) {
    return { isDone: false, line: `FAILING  ${about} → ${oneLine(error)}` }
  }
}
