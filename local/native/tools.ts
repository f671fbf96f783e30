import { spawnSync } from 'node:child_process'

/** What autovolt-node is built with, how its presence is found out, and its package on Debian. */
const TOOLS = [
  { name: 'cmake', debian: 'cmake', check: ['cmake', '--version'] },
  { name: 'make', debian: 'make', check: ['make', '--version'] },
  { name: 'flock', debian: 'util-linux', check: ['flock', '--version'] },
  { name: 'a C compiler (cc)', debian: 'gcc', check: ['cc', '--version'] },
  {
    name: 'libmosquitto',
    debian: 'libmosquitto-dev',
    // Header and library both: a runtime package alone has only the latter.
    check: ['cc', '-x', 'c', '-o', '/dev/null', '-', '-lmosquitto'],
    input: '#include <mosquitto.h>\nint main(void) { return mosquitto_lib_init(); }\n',
  },
] as const

/** One line that names what is missing to build autovolt-node and how to get it; undefined when all is there. */
export function missingTools(): string | undefined {
  if (process.platform !== 'linux') {
    return `autovolt-node runs on Linux only, and this is ${process.platform}`
  }
  const missing = TOOLS.filter((tool) => !answers(tool))
  if (missing.length === 0) return undefined
  const packages = missing.map((it) => it.debian).join(' ')
  const names = missing.map((it) => it.name).join(', ')
  return `autovolt-node cannot be built without ${names}; on Debian: sudo apt-get install ${packages}`
}

function answers({ check, ...tool }: (typeof TOOLS)[number]): boolean {
  const [command, ...args] = check
  const input = 'input' in tool ? tool.input : ''
  return spawnSync(command, args, { input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0
}
