import { type SimulateOptions, simulateOptions, USAGE } from './options.ts'
import { report } from './report.ts'
import { simulate } from './simulate.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const args = process.argv.slice(2)
if (args.includes('--help') || args.includes('-h')) {
  console.log(USAGE)
  process.exit(0)
}
let options: SimulateOptions
try {
  options = simulateOptions(args)
} catch (error) {
  console.error((error as Error).message)
  process.exit(2)
}

try {
  const found = await simulate(options, (line) => process.stderr.write(`${line}\n`))
  for (const line of report(found)) process.stdout.write(`${line}\n`)
  process.exitCode = found.problems.length === 0 ? 0 : 1
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
