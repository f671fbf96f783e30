import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { missingTools } from './tools.ts'

const FIRMWARE = fileURLToPath(new URL('../../firmware', import.meta.url))
const BUILD = join(FIRMWARE, 'build')

/** Where the binary is, or why there is none. */
export type Built = { binary: string } | { missing: string }

/**
 * Finds `firmware/build/autovolt-node`, building it when it is not there. `AUTOVOLT_NODE` names
 * another one. Throws with the compiler's words when the sources do not build.
 */
export async function buildNode(progress: (line: string) => void = () => {}): Promise<Built> {
  const given = process.env.AUTOVOLT_NODE
  if (given !== undefined) {
    if (existsSync(given)) return { binary: given }
    return { missing: `AUTOVOLT_NODE names ${given}, which is not there` }
  }
  const binary = join(BUILD, 'autovolt-node')
  if (existsSync(binary)) return { binary }
  const missing = missingTools()
  if (missing !== undefined) return { missing }
  progress('Building autovolt-node …')
  await run('cmake', '-S', join(FIRMWARE, 'host'), '-B', BUILD)
  await run('cmake', '--build', BUILD, '--target', 'autovolt-node', '--parallel', '2')
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
