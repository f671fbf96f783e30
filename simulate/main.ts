import { simulateOptions } from './options.ts'
import { report } from './report.ts'
import { simulate } from './simulate.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

try {
  const options = simulateOptions(process.argv.slice(2))
  const found = await simulate(options, (line) => process.stderr.write(`${line}\n`))
  for (const line of report(found)) process.stdout.write(`${line}\n`)
  process.exitCode = found.problems.length === 0 ? 0 : 1
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
