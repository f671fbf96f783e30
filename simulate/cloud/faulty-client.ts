import {
  ConditionalCheckFailedException,
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb'
import {
  type DynamoDBDocumentClient,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import { chance } from '../../local/fleet/model/chance.ts'
import type { FaultPlan } from '../truth/faults.ts'

/** A function that ended in the middle of its work. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** A document client whose writes go wrong, and that tells the streams what was really put. */
export interface FaultyClient {
  readonly client: DynamoDBDocumentClient
  /** Any other call that writes, under the same throttling and crashes. */
  around<T>(name: string, call: () => Promise<T>): Promise<T>
  /** Items put into a table since the last call, as its stream delivers them, in order. */
  takeInserts(table: string): DynamoDBRecord[]
  /** The same, which stay to be taken. */
  inserts(table: string): readonly DynamoDBRecord[]
  /** Virtual time goes on; chance is drawn for each write by what it writes and how often in this step. */
  step(nowMs: number): void
  /** Until the next step there is no outage: what is to be settled must come to an end. */
  calm(): void
}

type Write = PutCommand | UpdateCommand | TransactWriteCommand
type Item = Record<string, unknown>
const KEYS = ['register', 'id', 'sk']
/** Most conditions that fail in a row; a worker gives a register back after twenty. */
const LONGEST_STORM = 26
/** Writes in ten thousand that are throttled: usually, and in an hour of outage. */
const THROTTLED = 40
const OUTAGE = 9_000

export function faultyClient(
  real: DynamoDBDocumentClient,
  seed: number,
  faults: FaultPlan,
  stormTable: string,
): FaultyClient {
  const inserts = new Map<string, DynamoDBRecord[]>()
  const attempts = new Map<string, number>()
  const storms = new Map<string, number>()
  let nowMs = 0
  let throttled = THROTTLED
  let sequence = 0

  const captured = (table: string | undefined, item: Item | undefined) => {
    if (table === undefined || item === undefined) return
    sequence += 1
    const records = inserts.get(table) ?? []
    records.push(toRecord(table, item, sequence))
    inserts.set(table, records)
  }
  const sent = async (command: Write) => {
    const output = await real.send(command as PutCommand)
    if (command instanceof PutCommand) captured(command.input.TableName, command.input.Item)
    if (command instanceof TransactWriteCommand) {
      for (const { Put } of command.input.TransactItems ?? []) captured(Put?.TableName, Put?.Item)
    }
    return output
  }
  /** Draws of one write: others each time it is tried. */
  const drawsOf = (name: string) => {
    const attempt = (attempts.get(name) ?? 0) + 1
    attempts.set(name, attempt)
    return (fault: string) => chance(seed, fault, name, nowMs, attempt) % 10_000
  }
  const struck = async <T>(
    name: string,
    draw: (fault: string) => number,
    call: () => Promise<T>,
  ) => {
    if (faults.strikes('throttled', draw('throttled') < throttled)) {
      throw new ProvisionedThroughputExceededException({
        $metadata: {},
        message: 'the simulation throttles this write',
      })
    }
    if (faults.strikes('crash_before', draw('crash_before') < 30)) {
      throw new Crash(`the simulation ends before writing ${name}`)
    }
    const output = await call()
    if (faults.strikes('crash_after', draw('crash_after') < 30)) {
      throw new Crash(`the simulation ends after writing ${name}`)
    }
    return output
  }
  const write = async (command: Write) => {
    const { table, key } = target(command)
    const name = `${table} ${key}`
    const draw = drawsOf(name)
    if (table === stormTable && stormy(key, draw)) throw conditionFailure(command)
    const output = await struck(name, draw, () => sent(command))
    const conditional = command instanceof PutCommand && command.input.ConditionExpression
    if (conditional && faults.strikes('answer_lost', draw('answer_lost') < 30)) {
      return await sent(command)
    }
    return output
  }
  /** All appends to one register fail their condition, as when others are always faster. */
  const stormy = (key: string, draw: (fault: string) => number) => {
    const register = key.split(' ')[0] as string
    const left = storms.get(register) ?? 0
    if (left > 0) {
      storms.set(register, left - 1)
      return true
    }
    if (!faults.strikes('condition_storm', draw('condition_storm') < 10)) return false
    storms.set(register, draw('storm') % LONGEST_STORM)
    return true
  }
  const send = (command: unknown) =>
    isWrite(command) ? write(command) : real.send(command as never)
  return {
    client: new Proxy(real, {
      get: (target, property) =>
        property === 'send' ? send : Reflect.get(target, property, target),
    }),
    around: (name, call) => struck(name, drawsOf(name), call),
    takeInserts(table) {
      const taken = inserts.get(table) ?? []
      inserts.delete(table)
      return taken
    },
    inserts: (table) => inserts.get(table) ?? [],
    step(atMs) {
      nowMs = atMs
      attempts.clear()
      throttled = chance(seed, 'outage', atMs) % 1_000 < 25 ? OUTAGE : THROTTLED
    },
    calm() {
      throttled = THROTTLED
    },
  }
}

function isWrite(command: unknown): command is Write {
  return (
    command instanceof PutCommand ||
    command instanceof UpdateCommand ||
    command instanceof TransactWriteCommand
  )
}

/** What a write is about: its table, and its key as text; of a transaction its first item. */
function target(command: Write): { table: string; key: string } {
  if (command instanceof TransactWriteCommand) {
    const { Put } = command.input.TransactItems?.[0] ?? {}
    return { table: Put?.TableName ?? '', key: keyText(Put?.Item) }
  }
  const { input } = command
  return { table: input.TableName ?? '', key: keyText('Item' in input ? input.Item : input.Key) }
}

function keyText(item: Item = {}): string {
  const parts = ['register', 'esp32_name', 'classroom', 'kind', 'id', 'sk', 'period', 'received']
  return parts.flatMap((name) => (name in item ? [String(item[name])] : [])).join(' ')
}

function conditionFailure(command: Write): Error {
  const message = 'the simulation lets this condition fail'
  if (!(command instanceof TransactWriteCommand)) {
    return new ConditionalCheckFailedException({ $metadata: {}, message })
  }
  const reasons = (command.input.TransactItems ?? []).map(() => ({ Code: 'TransactionConflict' }))
  return new TransactionCanceledException({
    $metadata: {},
    message,
    CancellationReasons: reasons,
  })
}

/** Lambda delivers stream records as JSON, with binary values in base64. */
function toRecord(table: string, item: Item, sequence: number): DynamoDBRecord {
  const image = Object.fromEntries(
    Object.entries(marshall(item, { removeUndefinedValues: true })).map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
    ]),
  )
  const keys = Object.fromEntries(Object.entries(image).filter(([name]) => KEYS.includes(name)))
  return {
    eventID: String(sequence),
    eventName: 'INSERT',
    eventSourceARN: `arn:aws:dynamodb:ap-south-1:000000000000:table/${table}/stream/simulated`,
    dynamodb: { Keys: keys, NewImage: image, SequenceNumber: String(sequence) },
  } as DynamoDBRecord
}
