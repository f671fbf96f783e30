import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Bundling the functions takes seconds, and every file here starts a stack of its own. The stack
 * takes up an app in its data directory when nothing that app was made from has changed (it compares
 * a digest), so the last synthesis is kept aside and put there.
 */
const KEPT = fileURLToPath(new URL('../../node_modules/.cache/autovolt-e2e/app', import.meta.url))

/** Puts the kept app, if there is one, where a start in this data directory looks for it. */
export function lendAssembly(dataDir: string): void {
  if (existsSync(KEPT)) cpSync(KEPT, join(dataDir, 'app'), { recursive: true })
}

/** Keeps the app that a start has left in its data directory. */
export function keepAssembly(dataDir: string): void {
  const made = `${KEPT}.${process.pid}`
  mkdirSync(dirname(KEPT), { recursive: true })
  cpSync(join(dataDir, 'app'), made, { recursive: true })
  rmSync(KEPT, { recursive: true, force: true })
  renameSync(made, KEPT)
}
