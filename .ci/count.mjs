// Adds up what the parts of `npm test` counted and prints the one line "N passed, N failed, N skipped".
// Usage: count.mjs <exit status of npm test> <its output>
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const [, , status, log] = process.argv
const sum = { passed: 0, failed: 0, skipped: 0 }

const results = '.vitest'
for (const file of existsSync(results) ? readdirSync(results) : []) {
  if (!file.endsWith('.json')) continue
  const report = JSON.parse(readFileSync(`${results}/${file}`, 'utf8'))
  sum.passed += report.numPassedTests
  sum.failed += report.numFailedTests
  sum.skipped += report.numPendingTests + report.numTodoTests
}

// The firmware's host tests close with a line of the same form as ours.
const output = readFileSync(log, 'utf8')
for (const [, passed, failed] of output.matchAll(/^(\d+) passed, (\d+) failed$/gm)) {
  sum.passed += Number(passed)
  sum.failed += Number(failed)
}

// Lint, types, a suite that does not load: a step that failed without counting a test is a failure too.
if (status !== '0' && sum.failed === 0) sum.failed = 1
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
