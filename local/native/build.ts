import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { missingTools } from './tools.ts'

const FIRMWARE = fileURLToPath(new URL('../../firmware', import.meta.url))
const BUILD = join(FIRMWARE, 'build')

/** Where the binary is, or why there is none. */
export type Built = { binary: string } | { missing: string }

/**
 * Builds `firmware/build/autovolt-node` from the sources as they are; where nothing changed that takes
 * a second, and a binary of former sources is never run. `AUTOVOLT_NODE` names another one. Throws
 * with the compiler's words when the sources do not build.
 */
export async function buildNode(progress: (line: string) => void = () => {}): Promise<Built> {
  const given = process.env.AUTOVOLT_NODE
  if (given !== undefined) {
    if (existsSync(given)) return { binary: given }
    return { missing: `AUTOVOLT_NODE names ${given}, which is not there` }
  }
  const missing = missingTools()
  if (missing !== undefined) return { missing }
  const binary = join(BUILD, 'autovolt-node')
  if (!existsSync(binary)) progress('Building autovolt-node …')
  mkdirSync(BUILD, { recursive: true })
  // Two builds in one folder would spoil each other; firmware/host/test.sh holds the same lock.
  const alone = ['flock', join(BUILD, 'lock')] as const
  await run(...alone, 'cmake', '-S', join(FIRMWARE, 'host'), '-B', BUILD)
  await run(...alone, 'cmake', '--build', BUILD, '--target', 'autovolt-node', '--parallel', '2')
  return { binary }
}

async function run(command: string, ...args: string[]): Promise<void> {
  try {
    await promisify(execFile)(command, args, { maxBuffer: 16 * 1024 * 1024 })
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause })
  }
}
