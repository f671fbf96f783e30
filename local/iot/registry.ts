import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { IotError } from './errors.ts'
import type { Facts } from './policy.ts'
import type { Made } from './provisioning-template.ts'

/** A certificate as AWS IoT registers it. `id` is the hex SHA-256 of its DER form. */
export interface Certificate {
  id: string
  pem: string
  status: 'ACTIVE' | 'INACTIVE' | 'REVOKED' | 'PENDING_ACTIVATION'
  createdAtMs: number
  modifiedAtMs: number
}

/** A thing: one node. */
export interface Thing {
  name: string
  id: string
  typeName: string | null
  attributes: Record<string, string>
  version: number
}

/**
 * Things, certificates and what is attached to what, in SQLite. Policies themselves come from the
 * template; only their attachments are kept here. `version` grows with every change, so that
 * a live connection knows when to evaluate its policies anew.
 */
export class Registry {
  readonly #store: DatabaseSync
  #version = 0

  constructor(store: DatabaseSync) {
    this.#store = store
    store.exec(`
      CREATE TABLE IF NOT EXISTS iot_things (
        name TEXT PRIMARY KEY, id TEXT NOT NULL, type_name TEXT, attributes TEXT NOT NULL, version INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS iot_certificates (
        id TEXT PRIMARY KEY, pem TEXT NOT NULL, status TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL, modified_at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS iot_thing_principals (
        thing TEXT NOT NULL, certificate TEXT NOT NULL, PRIMARY KEY (thing, certificate)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS iot_thing_groups (
        name TEXT PRIMARY KEY, description TEXT NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS iot_group_members (
        thing_group TEXT NOT NULL, thing TEXT NOT NULL, PRIMARY KEY (thing_group, thing)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS iot_policy_targets (
        policy TEXT NOT NULL, certificate TEXT NOT NULL, PRIMARY KEY (policy, certificate)
      ) STRICT, WITHOUT ROWID;
    `)
  }

  get version(): number {
    return this.#version
  }

  #run(sql: string, ...values: (string | number | null)[]): number {
    const { changes } = this.#store.prepare(sql).run(...values)
    this.#version += 1
    return Number(changes)
  }

  #names(sql: string, value: string): string[] {
    return this.#store
      .prepare(sql)
      .all(value)
      .map((row) => String(row.name))
  }

  thing(name: string): Thing | undefined {
    const row = this.#store.prepare('SELECT * FROM iot_things WHERE name = ?').get(name)
    if (!row) return undefined
    return {
      name,
      id: String(row.id),
      typeName: row.type_name === null ? null : String(row.type_name),
      attributes: JSON.parse(String(row.attributes)),
      version: Number(row.version),
    }
  }

  /** The thing, or @throws ResourceNotFoundException. */
  needThing(name: string): Thing {
    const thing = this.thing(name)
    if (!thing) throw new IotError(404, 'ResourceNotFoundException', `Thing ${name} not found`)
    return thing
  }

  /**
   * Makes a thing. The same thing again is no error; another type or other attributes are.
   * @throws ResourceAlreadyExistsException
   */
  createThing(thing: Omit<Thing, 'version'>): Thing {
    const existing = this.thing(thing.name)
    if (existing) {
      const same =
        existing.typeName === thing.typeName &&
        JSON.stringify(sorted(existing.attributes)) === JSON.stringify(sorted(thing.attributes))
      if (same) return existing
      throw new IotError(
        409,
        'ResourceAlreadyExistsException',
        `Thing ${thing.name} already exists in account with different attributes`,
      )
    }
    this.#run(
      'INSERT INTO iot_things (name, id, type_name, attributes, version) VALUES (?, ?, ?, ?, 1)',
      thing.name,
      thing.id,
      thing.typeName,
      JSON.stringify(thing.attributes),
    )
    return { ...thing, version: 1 }
  }

  setThingType(name: string, typeName: string): void {
    this.needThing(name)
    this.#run(
      'UPDATE iot_things SET type_name = ?, version = version + 1 WHERE name = ?',
      typeName,
      name,
    )
  }

  /** Makes a group; one that is there stays as it is. */
  createGroup(name: string, description: string): void {
    this.#run('INSERT OR IGNORE INTO iot_thing_groups VALUES (?, ?)', name, description)
  }

  /** A group's description, or @throws ResourceNotFoundException. */
  needGroup(name: string): string {
    const row = this.#store
      .prepare('SELECT description FROM iot_thing_groups WHERE name = ?')
      .get(name)
    if (!row) throw new IotError(404, 'ResourceNotFoundException', `Thing group ${name} not found`)
    return String(row.description)
  }

  /** Names of groups that begin so. */
  groups(prefix: string): string[] {
    return this.#names(
      'SELECT name FROM iot_thing_groups WHERE substr(name, 1, length(?1)) = ?1 ORDER BY 1',
      prefix,
    )
  }

  addToGroup(group: string, thing: string): void {
    this.needGroup(group)
    this.needThing(thing)
    this.#run('INSERT OR IGNORE INTO iot_group_members VALUES (?, ?)', group, thing)
  }

  removeFromGroup(group: string, thing: string): void {
    this.#run('DELETE FROM iot_group_members WHERE thing_group = ? AND thing = ?', group, thing)
  }

  groupsOf(thing: string): string[] {
    return this.#names(
      'SELECT thing_group AS name FROM iot_group_members WHERE thing = ? ORDER BY 1',
      thing,
    )
  }

  thingsIn(group: string): string[] {
    this.needGroup(group)
    return this.#names(
      'SELECT thing AS name FROM iot_group_members WHERE thing_group = ? ORDER BY 1',
      group,
    )
  }

  /** What fleet provisioning makes: thing, type, groups, and the certificate with its policies. */
  registerThing(made: Made, nowMs: number): void {
    const { thingName, thingTypeName, thingGroups, certificateId, status, policyNames } = made
    if (!this.thing(thingName)) {
      this.createThing({ name: thingName, id: randomUUID(), typeName: null, attributes: {} })
    }
    if (thingTypeName !== undefined) this.setThingType(thingName, thingTypeName)
    for (const group of this.groupsOf(thingName)) this.removeFromGroup(group, thingName)
    for (const group of thingGroups) this.addToGroup(group, thingName)
    for (const policy of policyNames) this.attachPolicy(policy, certificateId)
    this.attachPrincipal(thingName, certificateId)
    this.setStatus(certificateId, status, nowMs)
  }

  /** Removes a certificate that was never activated. */
  removeUnused(id: string): void {
    this.#run("DELETE FROM iot_certificates WHERE id = ? AND status = 'PENDING_ACTIVATION'", id)
  }

  /** Removes a thing that has no principals any more. */
  deleteThing(name: string): void {
    if (this.principalsOf(name).length > 0) {
      throw new IotError(400, 'InvalidRequestException', `Thing ${name} still has principals`)
    }
    this.#run('DELETE FROM iot_things WHERE name = ?', name)
    this.#run('DELETE FROM iot_group_members WHERE thing = ?', name)
  }

  things(): Thing[] {
    return this.#store
      .prepare('SELECT name FROM iot_things ORDER BY name')
      .all()
      .map((row) => this.needThing(String(row.name)))
  }

  certificate(id: string): Certificate | undefined {
    const row = this.#store.prepare('SELECT * FROM iot_certificates WHERE id = ?').get(id)
    if (!row) return undefined
    return {
      id,
      pem: String(row.pem),
      status: String(row.status) as Certificate['status'],
      createdAtMs: Number(row.created_at_ms),
      modifiedAtMs: Number(row.modified_at_ms),
    }
  }

  /** The certificate, or @throws ResourceNotFoundException. */
  needCertificate(id: string): Certificate {
    const certificate = this.certificate(id)
    if (!certificate) {
      throw new IotError(404, 'ResourceNotFoundException', `Certificate ${id} not found`)
    }
    return certificate
  }

  addCertificate(id: string, pem: string, status: Certificate['status'], nowMs: number): void {
    this.#run(
      `INSERT INTO iot_certificates (id, pem, status, created_at_ms, modified_at_ms)
       VALUES (?, ?, ?, ?, ?)`,
      id,
      pem,
      status,
      nowMs,
      nowMs,
    )
  }

  setStatus(id: string, status: Certificate['status'], nowMs: number): void {
    this.needCertificate(id)
    this.#run(
      'UPDATE iot_certificates SET status = ?, modified_at_ms = ? WHERE id = ?',
      status,
      nowMs,
      id,
    )
  }

  attachPrincipal(thing: string, certificate: string): void {
    this.needThing(thing)
    this.needCertificate(certificate)
    this.#run('INSERT OR IGNORE INTO iot_thing_principals VALUES (?, ?)', thing, certificate)
  }

  detachPrincipal(thing: string, certificate: string): void {
    this.needThing(thing)
    this.#run(
      'DELETE FROM iot_thing_principals WHERE thing = ? AND certificate = ?',
      thing,
      certificate,
    )
  }

  principalsOf(thing: string): string[] {
    return this.#names(
      'SELECT certificate AS name FROM iot_thing_principals WHERE thing = ? ORDER BY 1',
      thing,
    )
  }

  thingsOf(certificate: string): string[] {
    return this.#names(
      'SELECT thing AS name FROM iot_thing_principals WHERE certificate = ? ORDER BY 1',
      certificate,
    )
  }

  attachPolicy(policy: string, certificate: string): void {
    this.needCertificate(certificate)
    this.#run('INSERT OR IGNORE INTO iot_policy_targets VALUES (?, ?)', policy, certificate)
  }

  detachPolicy(policy: string, certificate: string): void {
    this.#run(
      'DELETE FROM iot_policy_targets WHERE policy = ? AND certificate = ?',
      policy,
      certificate,
    )
  }

  targetsOf(policy: string): string[] {
    return this.#names(
      'SELECT certificate AS name FROM iot_policy_targets WHERE policy = ? ORDER BY 1',
      policy,
    )
  }

  policiesOf(certificate: string): string[] {
    return this.#names(
      'SELECT policy AS name FROM iot_policy_targets WHERE certificate = ? ORDER BY 1',
      certificate,
    )
  }

  /** The facts of a connection: its thing is the one named as the client id, if the certificate is attached to it. */
  facts(clientId: string, certificateId: string, connectAttributes: readonly string[]): Facts {
    const facts: Facts = { clientId, certificateId, connectAttributes }
    if (!this.principalsOf(clientId).includes(certificateId)) return facts
    const thing = this.thing(clientId)
    if (!thing) return facts
    const { name, attributes, typeName } = thing
    return { ...facts, thing: { name, attributes, ...(typeName ? { typeName } : {}) } }
  }
}

function sorted(record: Record<string, string>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}
