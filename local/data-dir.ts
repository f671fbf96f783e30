import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CannotRunLocally } from './template/refuse.ts'

/** A data directory this process has to itself. */
export interface DataDir {
  path: string
  /** `<path>/local.sqlite`: a commit is on disk when it returns. */
  store: DatabaseSync
  close(): void
}

const MARKER = '.autovolt-data'
const MARKER_TEXT = 'State of a local AutoVolt stack. --fresh empties this directory.\n'
// What `--fresh` leaves: the lock in use, the marker, and the app, which is only taken up when
// nothing it was made from has changed.
const KEPT = new Set([MARKER, 'lock.sqlite', 'lock.sqlite-journal', 'pid', 'app'])

/**
 * Opens a data directory, making it when it is not there. Throws when another stack runs on it.
 * The lock is the operating system's, on a file, so it goes with the process however that ends.
 */
export function openDataDir(directory: string, fresh: boolean): DataDir {
  const path = resolve(directory)
  try {
    mkdirSync(path, { recursive: true })
  } catch (cause) {
    const why = (cause as Error).message
    throw new CannotRunLocally(
      `--data-dir: ${path} cannot be a directory for all state (${why}). Name another one.`,
      { cause },
    )
  }
  const isNew = readdirSync(path).length === 0
  const lock = acquire(path)
  try {
    const marker = join(path, MARKER)
    if (isNew) writeFileSync(marker, MARKER_TEXT)
    if (fresh) {
      if (!existsSync(marker)) {
        throw new CannotRunLocally(
          `--fresh would delete everything in ${path}, which does not look like a data directory ` +
            `of this program (no file ${MARKER}). Name another --data-dir, or empty it yourself.`,
        )
      }
      for (const name of readdirSync(path)) {
        if (!KEPT.has(name)) rmSync(join(path, name), { recursive: true, force: true })
      }
    }
    // An old endpoints.json would name ports nobody listens on.
    rmSync(join(path, 'endpoints.json'), { force: true })
    const store = new DatabaseSync(join(path, 'local.sqlite'), { timeout: 2_000 })
    store.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    return {
      path,
      store,
      close() {
        store.close()
        rmSync(join(path, 'pid'), { force: true })
        lock.close()
      },
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

function acquire(path: string): DatabaseSync {
  const lock = new DatabaseSync(join(path, 'lock.sqlite'))
  const pidFile = join(path, 'pid')
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!String(error).includes('database is locked')) throw error
    const pid = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').trim() : 'unknown'
    throw new CannotRunLocally(
      `A local stack (process ${pid}) already runs on the data directory ${path}. ` +
        'Stop it, or give this one another --data-dir.',
    )
  }
  writeFileSync(pidFile, String(process.pid))
  return lock
}
