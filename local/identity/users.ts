import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'

/** A person of the user pool. Nobody has a password here: whoever reaches this machine is let in. */
export interface User {
  /** The user name Cognito gives, for the e-mail address is only an alias. */
  readonly sub: string
  readonly email: string
  /** Without `sub`. */
  readonly attributes: Readonly<Record<string, string>>
  readonly groups: readonly string[]
  readonly createdAtMs: number
}

/** The people of the pool, on disk. */
export interface Users {
  /** By user name or e-mail address, whatever its case. */
  find(name: string): User | undefined
  /** @returns undefined when the address is taken */
  create(attributes: Record<string, string>, nowMs: number): User | undefined
  save(user: User): void
  /** By address, after one of them. */
  list(after: string, limit: number): User[]
}

interface Row {
  sub: string
  email: string
  attributes: string
  groups: string
  created_at_ms: number
}

export function openUsers(store: DatabaseSync): Users {
  store.exec(`CREATE TABLE IF NOT EXISTS identity_users (
    sub TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    attributes TEXT NOT NULL,
    groups TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
  )`)
  const find = store.prepare('SELECT * FROM identity_users WHERE sub = ? OR email = ?')
  const insert = store.prepare('INSERT OR IGNORE INTO identity_users VALUES (?, ?, ?, ?, ?)')
  const update = store.prepare('UPDATE identity_users SET attributes = ?, groups = ? WHERE sub = ?')
  const list = store.prepare('SELECT * FROM identity_users WHERE email > ? ORDER BY email LIMIT ?')
  const found = (row: unknown) => (row === undefined ? undefined : fromRow(row as Row))
  return {
    find: (name) => found(find.get(name, name)),
    create(attributes, nowMs) {
      const sub = randomUUID()
      const { email = '' } = attributes
      const { changes } = insert.run(sub, email, JSON.stringify(attributes), '[]', nowMs)
      return changes === 0 ? undefined : found(find.get(sub, sub))
    },
    save({ sub, attributes, groups }) {
      update.run(JSON.stringify(attributes), JSON.stringify(groups), sub)
    },
    list: (after, limit) => list.all(after, limit).map((row) => fromRow(row as unknown as Row)),
  }
}

function fromRow({ sub, email, attributes, groups, created_at_ms }: Row): User {
  return {
    sub,
    email,
    attributes: JSON.parse(attributes),
    groups: JSON.parse(groups),
    createdAtMs: created_at_ms,
  }
}
