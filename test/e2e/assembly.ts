import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fingerprint, synthesizeProject } from '../../local/template/synthesize.ts'

/**
 * Bundling the functions takes seconds, and every file here starts a stack of its own. The stack
 * takes up an app in its data directory when nothing that app was made from has changed, so one
 * synthesis is kept, under the digest of what it was made from, and put there.
 */
const KEPT = fileURLToPath(new URL('../../node_modules/.cache/autovolt-e2e', import.meta.url))

/** Before the first file: makes the app, unless it is kept from the run before. */
export default async function keepAssembly(): Promise<void> {
  const kept = join(KEPT, fingerprint())
  if (existsSync(kept)) return
  const folder = mkdtempSync(join(tmpdir(), 'autovolt-app-'))
  try {
    await synthesizeProject(folder, () => {})
    mkdirSync(KEPT, { recursive: true })
    for (const former of readdirSync(KEPT)) rmSync(join(KEPT, former), { recursive: true })
    cpSync(join(folder, 'app'), `${kept}.${process.pid}`, { recursive: true })
    renameSync(`${kept}.${process.pid}`, kept)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Puts the kept app where a start in this data directory looks for it. */
export function lendAssembly(dataDir: string): void {
  const kept = join(KEPT, fingerprint())
  if (existsSync(kept)) cpSync(kept, join(dataDir, 'app'), { recursive: true })
}
