import { closeSync, fdatasync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** An accepted event without its body. */
export interface QueuedEvent {
  id: number
  /** With its qualifier: `name:live`. */
  functionName: string
  /** Events of one key run one at a time, in order; '' is no key. */
  orderKey: string
  attempts: number
  receivedAtMs: number
  /** Not before this instant. */
  dueAtMs: number
}

/** The accepted events on disk. Changes of one turn of the event loop share one commit, and commits a disk flush. */
export interface EventTable {
  /** Resolves with the stored event once it is on disk. */
  add(event: Omit<QueuedEvent, 'id'>, body: string): Promise<QueuedEvent>
  /** Takes an event off, at the latest with the next commit: after a crash it runs once more. */
  remove(id: number): void
  /** Notes a failed attempt. */
  postpone(event: QueuedEvent): void
  body(id: number): string
  /** All events, oldest first, as they were when this process started. */
  all(): QueuedEvent[]
  /** Commits what is left, waits for the disk and lets go of the file. */
  close(): Promise<void>
}

// Removals keep nobody waiting; most ride along with the next event that comes in.
const REMOVE_AFTER_MS = 100

/**
 * Opens the table in the store's file, making it at the first start. It has a connection of its
 * own: a commit does not wait for the disk there, since that would hold up all of this process.
 * The wait is asynchronous, and `add` resolves after it.
 */
export function openEventTable(file: string): EventTable {
  const store = new DatabaseSync(file, { timeout: 2_000 })
  store.exec(
    `PRAGMA journal_mode = WAL;
     PRAGMA synchronous = NORMAL;
     CREATE TABLE IF NOT EXISTS lambda_events (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       function_name TEXT NOT NULL,
       order_key TEXT NOT NULL,
       body TEXT NOT NULL,
       attempts INTEGER NOT NULL,
       received_at_ms INTEGER NOT NULL,
       due_at_ms INTEGER NOT NULL
     )`,
  )
  const insert = store.prepare(
    `INSERT INTO lambda_events
       (function_name, order_key, body, attempts, received_at_ms, due_at_ms)
     VALUES (?, ?, ?, ?, ?, ?)`,
  )
  const remove = store.prepare('DELETE FROM lambda_events WHERE id = ?')
  const update = store.prepare('UPDATE lambda_events SET attempts = ?, due_at_ms = ? WHERE id = ?')
  const bodyOf = store.prepare('SELECT body FROM lambda_events WHERE id = ?')

  // What is committed is in this file first, until the database moves it over and flushes by itself.
  const log = openSync(`${file}-wal`, 'a')
  let flushing = false
  let whenFlushed: (() => void) | undefined
  let unflushed: { resolve(): void; reject(error: unknown): void }[] = []

  const toDisk = () => {
    if (flushing) return
    if (unflushed.length === 0) return whenFlushed?.()
    flushing = true
    const waiting = unflushed
    unflushed = []
    fdatasync(log, (error) => {
      flushing = false
      for (const it of waiting) error ? it.reject(error) : it.resolve()
      toDisk()
    })
  }

  let changes: (() => void)[] = []
  let callers: typeof unflushed = []
  let immediate: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined

  const flush = () => {
    clearTimeout(timer)
    if (immediate) clearImmediate(immediate)
    timer = undefined
    immediate = undefined
    const [run, waiting] = [changes, callers]
    changes = []
    callers = []
    if (run.length === 0) return
    try {
      store.exec('BEGIN IMMEDIATE')
      for (const change of run) change()
      store.exec('COMMIT')
    } catch (error) {
      if (store.isTransaction) store.exec('ROLLBACK')
      if (waiting.length === 0) throw error
      for (const it of waiting) it.reject(error)
      return
    }
    unflushed.push(...waiting)
    toDisk()
  }
  const soon = () => {
    immediate ??= setImmediate(flush)
  }
  const later = () => {
    timer ??= setTimeout(flush, REMOVE_AFTER_MS)
  }

  return {
    add(event, body) {
      return new Promise((resolve, reject) => {
        let id = 0
        changes.push(() => {
          const { functionName, orderKey, attempts, receivedAtMs, dueAtMs } = event
          const row = insert.run(functionName, orderKey, body, attempts, receivedAtMs, dueAtMs)
          id = Number(row.lastInsertRowid)
        })
        callers.push({ resolve: () => resolve({ ...event, id }), reject })
        soon()
      })
    },
    remove(id) {
      changes.push(() => remove.run(id))
      later()
    },
    postpone(event) {
      const { attempts, dueAtMs, id } = event
      changes.push(() => update.run(attempts, dueAtMs, id))
      later()
    },
    body: (id) => String(bodyOf.get(id)?.body),
    all: () =>
      store
        .prepare(
          `SELECT id, function_name, order_key, attempts, received_at_ms, due_at_ms
             FROM lambda_events ORDER BY id`,
        )
        .all()
        .map((row) => ({
          id: Number(row.id),
          functionName: String(row.function_name),
          orderKey: String(row.order_key),
          attempts: Number(row.attempts),
          receivedAtMs: Number(row.received_at_ms),
          dueAtMs: Number(row.due_at_ms),
        })),
    async close() {
      flush()
      await new Promise<void>((resolve) => {
        whenFlushed = resolve
        toDisk()
      })
      store.close()
      closeSync(log)
    },
  }
}
