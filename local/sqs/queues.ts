import { createHash, randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'

/** A queue of the template. Seconds as the template has them. */
export interface QueueSpec {
  name: string
  arn: string
  url: string
  retentionS: number
  visibilityS: number
  delayS: number
  /** After this many receipts a message moves to the other queue instead. */
  redrive?: { toArn: string; afterReceipts: number }
}

/** A received message. */
export interface ReceivedMessage {
  messageId: string
  receiptHandle: string
  body: string
  attributes: Record<string, string>
  receiveCount: number
  sentAtMs: number
  firstReceivedAtMs: number
}

/** Durable queues: every method is done, on disk, when it returns. Instants are epoch milliseconds. */
export interface Queues {
  send(queue: QueueSpec, body: string, attributes: Record<string, string>, delayS?: number): string
  receive(queue: QueueSpec, limit: number, visibilityS: number): ReceivedMessage[]
  /** True when the handle was the message's latest. */
  remove(queue: QueueSpec, receiptHandle: string): boolean
  changeVisibility(queue: QueueSpec, receiptHandle: string, visibilityS: number): boolean
  purge(queue: QueueSpec): void
  counts(queue: QueueSpec): { visible: number; inFlight: number; delayed: number }
}

/** Opens the queues' table in the store, making it at the first start. */
export function openQueues(
  store: DatabaseSync,
  now: () => number,
  byArn: Map<string, QueueSpec>,
): Queues {
  store.exec(
    `CREATE TABLE IF NOT EXISTS sqs_messages (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       queue TEXT NOT NULL,
       message_id TEXT NOT NULL,
       receipt TEXT,
       body TEXT NOT NULL,
       attributes TEXT NOT NULL,
       sent_at_ms INTEGER NOT NULL,
       visible_at_ms INTEGER NOT NULL,
       first_received_at_ms INTEGER,
       receive_count INTEGER NOT NULL DEFAULT 0
     );
     CREATE INDEX IF NOT EXISTS sqs_messages_by_queue ON sqs_messages (queue, visible_at_ms);
     CREATE INDEX IF NOT EXISTS sqs_messages_by_receipt ON sqs_messages (receipt);`,
  )
  const insert = store.prepare(
    `INSERT INTO sqs_messages (queue, message_id, body, attributes, sent_at_ms, visible_at_ms)
     VALUES (?, ?, ?, ?, ?, ?)`,
  )
  const due = store.prepare(
    `SELECT * FROM sqs_messages WHERE queue = ? AND visible_at_ms <= ? ORDER BY id LIMIT ?`,
  )
  const hide = store.prepare(
    `UPDATE sqs_messages SET receipt = ?, visible_at_ms = ?, receive_count = ?,
       first_received_at_ms = ? WHERE id = ?`,
  )
  const move = store.prepare(
    'UPDATE sqs_messages SET queue = ?, receipt = NULL, visible_at_ms = ? WHERE id = ?',
  )
  const removeByReceipt = store.prepare('DELETE FROM sqs_messages WHERE queue = ? AND receipt = ?')
  const showAt = store.prepare(
    'UPDATE sqs_messages SET visible_at_ms = ? WHERE queue = ? AND receipt = ?',
  )
  const expire = store.prepare('DELETE FROM sqs_messages WHERE queue = ? AND sent_at_ms < ?')
  const purge = store.prepare('DELETE FROM sqs_messages WHERE queue = ?')
  const count = store.prepare(
    `SELECT sum(visible_at_ms <= ?1) AS visible,
            sum(visible_at_ms > ?1 AND receive_count > 0) AS in_flight,
            sum(visible_at_ms > ?1 AND receive_count = 0) AS delayed
       FROM sqs_messages WHERE queue = ?2`,
  )

  return {
    send(queue, body, attributes, delayS = queue.delayS) {
      const messageId = randomUUID()
      const atMs = now()
      const visibleAtMs = atMs + delayS * 1_000
      insert.run(queue.name, messageId, body, JSON.stringify(attributes), atMs, visibleAtMs)
      return messageId
    },
    receive(queue, limit, visibilityS) {
      const atMs = now()
      expire.run(queue.name, atMs - queue.retentionS * 1_000)
      const messages: ReceivedMessage[] = []
      for (const row of due.all(queue.name, atMs, limit)) {
        const receiveCount = Number(row.receive_count) + 1
        const target = queue.redrive && byArn.get(queue.redrive.toArn)
        if (queue.redrive && target && receiveCount > queue.redrive.afterReceipts) {
          move.run(target.name, atMs, Number(row.id))
          continue
        }
        const receiptHandle = randomUUID()
        const firstReceivedAtMs = Number(row.first_received_at_ms ?? atMs)
        const visibleAtMs = atMs + visibilityS * 1_000
        hide.run(receiptHandle, visibleAtMs, receiveCount, firstReceivedAtMs, Number(row.id))
        messages.push({
          messageId: String(row.message_id),
          receiptHandle,
          body: String(row.body),
          attributes: JSON.parse(String(row.attributes)),
          receiveCount,
          sentAtMs: Number(row.sent_at_ms),
          firstReceivedAtMs,
        })
      }
      return messages
    },
    remove: (queue, receiptHandle) => removeByReceipt.run(queue.name, receiptHandle).changes === 1,
    changeVisibility: (queue, receiptHandle, visibilityS) =>
      showAt.run(now() + visibilityS * 1_000, queue.name, receiptHandle).changes === 1,
    purge: (queue) => void purge.run(queue.name),
    counts(queue) {
      const row = count.get(now(), queue.name)
      return {
        visible: Number(row?.visible ?? 0),
        inFlight: Number(row?.in_flight ?? 0),
        delayed: Number(row?.delayed ?? 0),
      }
    },
  }
}

/** The digest SQS clients check bodies with. */
export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
