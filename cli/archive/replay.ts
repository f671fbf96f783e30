import { LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod'
import { archiveReader, messageOf, type Receipts } from '../../functions/adapters/archive-reader.ts'
import type { RuleEvent } from '../../functions/contract/rule-event.ts'
import { Failure, oneLine } from '../failure.ts'
import { invoke } from '../redrive/invoke.ts'
import type { Stack } from '../stack/stack.ts'
import { deliverNow, type OtherBucket, withArchive } from './place.ts'
import { type FailedLine, failedLines, linesOfFile, openProgress } from './position.ts'

export interface ReplayRequest extends Receipts, OtherBucket {
  /** Only messages of this node. */
  readonly node: string | undefined
  /** Goes on where the same replay was stopped. */
  readonly isResuming: boolean
  /** Replays the lines of this file instead of the bucket's objects. */
  readonly records: string | undefined
}

/** What became of the messages; the three in the middle count readings. */
export interface Replayed {
  objects: number
  messages: number
  created: number
  duplicates: number
  conflicts: number
  quarantined: number
  failed: number
  /** Holds the lines that failed; null when none did. */
  failedFile: string | null
}

const Answer = z.looseObject({
  created: z.int(),
  duplicates: z.int(),
  conflicts: z.int(),
  quarantined: z.object({ reason: z.string() }).nullable(),
})

/** Messages under way at once. Ingest stores them in any order, and the ledger is the same in all. */
const AT_ONCE = { local: 4, aws: 32 }
/** Failed lines printed; all are in the file. */
const PRINTED = 10

/**
 * Hands archived messages to ingest: the original bytes with their receipt and identity, as the topic
 * rule did then. So the same raw events and readings come out, and what is there already is left alone.
 */
export async function replayArchive(
  stack: Stack,
  request: ReplayRequest,
  tell: (line: string) => void,
): Promise<Replayed> {
  const lambda = new LambdaClient(stack.client('lambda'))
  const kept = failedLines(stack, new Date())
  const done: Replayed = {
    objects: 0,
    messages: 0,
    created: 0,
    duplicates: 0,
    conflicts: 0,
    quarantined: 0,
    failed: 0,
    failedFile: null,
  }
  const work = async (key: string, lines: readonly string[]) => {
    const before = done.messages
    const failed = await replayLines(key, lines, { stack, lambda, request, done })
    kept.keep(failed)
    done.objects += 1
    if (failed.length > 0) done.failedFile = kept.file
    for (const { reason } of failed.slice(0, PRINTED - (done.failed - failed.length))) {
      tell(`  FAILED  ${reason}`)
    }
    tell(`${key}: ${done.messages - before} messages, ${failed.length} failed`)
  }
  try {
    if (request.records !== undefined) {
      await work(request.records, linesOfFile(request.records))
      return done
    }
    await deliverNow(stack)
    await withArchive(stack, request, async ({ s3, bucket }) => {
      const reader = archiveReader(s3, bucket)
      const { fromMs, toMs, node } = request
      const name = JSON.stringify([bucket, fromMs, Number.isFinite(toMs) ? toMs : null, node])
      const progress = openProgress(stack, name, request.isResuming)
      if (progress.after !== undefined) {
        tell(`going on behind ${progress.after}, ${progress.messages} messages were done`)
      }
      for await (const { key } of reader.objects(request, progress.after)) {
        await work(key, await reader.lines(key))
        progress.reached(key, progress.messages + done.messages)
      }
      progress.finish()
    })
    return done
  } finally {
    lambda.destroy()
  }
}

interface LineTools {
  readonly stack: Stack
  readonly lambda: LambdaClient
  readonly request: ReplayRequest
  readonly done: Replayed
}

/** @returns the lines that ingest did not take */
async function replayLines(
  key: string,
  lines: readonly string[],
  tools: LineTools,
): Promise<FailedLine[]> {
  const failed: FailedLine[] = []
  const fail = (line: string, reason: string) => {
    tools.done.failed += 1
    failed.push({ key, line, reason })
  }
  const rest = lines[Symbol.iterator]()
  const worker = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) {
      const line = next.value
      const parsed = messageOf(line)
      if ('reason' in parsed) fail(line, `${parsed.reason}: ${line.slice(0, 120)}`)
      else if (isWanted(parsed.message, tools.request)) {
        tools.done.messages += 1
        await handOver(parsed.message, tools).catch((error) => {
          // A function that fails may take the next message; a stack that does not answer takes none.
          if (!(error instanceof Failure)) throw error
          fail(line, `${parsed.message.esp32_name}: ${oneLine(error)}`)
        })
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE[tools.stack.kind] }, worker))
  return failed
}

function isWanted(message: RuleEvent, { node, fromMs, toMs }: ReplayRequest): boolean {
  const { channel, esp32_name, received_at } = message
  const isOfNode = node === undefined || esp32_name === node
  return channel === 'telemetry' && isOfNode && received_at >= fromMs && received_at < toMs
}

async function handOver(message: RuleEvent, { stack, lambda, done }: LineTools): Promise<void> {
  const answer = Answer.parse(await invoke(lambda, stack.functionName('ingest'), message))
  done.created += answer.created
  done.duplicates += answer.duplicates
  done.conflicts += answer.conflicts
  if (answer.quarantined !== null) done.quarantined += 1
}
