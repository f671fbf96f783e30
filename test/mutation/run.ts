import { execFile } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectFiles, ROOT } from '../check/sources.ts'
import { MUTATIONS, type Mutation } from './mutations.ts'

/**
 * Breaks one rule after another in a copy of the tree, runs the tests of the ledger on it, and prints
 * which of them noticed. Ends with exit 1 when a rule can be broken without a test that fails, when a
 * text to change is not there any more, or when the tests fail on the tree as it is.
 */
const TESTS = [
  'test/ledger/vectors.unit.ts',
  'test/ledger/wire-vectors.unit.ts',
  'test/ledger/arrival.property.ts',
  'test/ledger/physics.property.ts',
  'test/domain/intervals.unit.ts',
  'test/domain/decisions.unit.ts',
  'test/domain/split.unit.ts',
  'test/domain/spread.property.ts',
]

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

const root = fileURLToPath(ROOT)
const folder = mkdtempSync(join(tmpdir(), 'autovolt-mutation-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const path of projectFiles()) {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  copyFileSync(join(root, path), join(folder, path))
}
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))

let isSound = true
const fail = (line: string) => {
  isSound = false
  console.log(`  FAILED: ${line}`)
}
console.log('nothing broken')
for (const name of await failures()) fail(name)
for (const mutation of isSound ? MUTATIONS : []) {
  console.log(mutation.name)
  const original = readFileSync(join(folder, mutation.file), 'utf8')
  if (original.split(mutation.from).length !== 2) {
    fail(`its text is not there exactly once in ${mutation.file}`)
    continue
  }
  const caught = await broken(mutation, original)
  for (const [path, names] of Map.groupBy(caught, (name) => name.split(': ')[0])) {
    console.log(
      `  caught by ${names.length} of ${path}, first ${names[0]?.slice(`${path}: `.length)}`,
    )
  }
  if (caught.length === 0) fail('no test noticed')
}
process.exitCode = isSound ? 0 : 1

async function broken({ file, from, to }: Mutation, original: string): Promise<string[]> {
  writeFileSync(
    join(folder, file),
    original.replace(from, () => to),
  )
  try {
    return await failures()
  } finally {
    writeFileSync(join(folder, file), original)
  }
}

/** The tests that fail in the copy as it is now. */
async function failures(): Promise<string[]> {
  // Where the configuration has the report of these projects written to.
  const output = join(folder, '.vitest', 'parts.json')
  rmSync(output, { force: true })
  const vitest = join('node_modules', 'vitest', 'vitest.mjs')
  const args = [vitest, 'run', '--project', 'unit', ...TESTS]
  const { promise, resolve } = Promise.withResolvers<string>()
  // It ends with an exit code when a test fails, which is what is hoped for.
  execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 28 }, (_error, stdout, stderr) =>
    resolve(`${stdout}${stderr}`),
  )
  const said = await promise
  const report = read(output)
  if (report === null) throw new Error(`the tests did not run:\n${said.slice(-4_000)}`)
  return report.testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, assertionResults }) => {
      const path = name.slice(name.indexOf('/test/') + 1)
      const failed = assertionResults.filter(({ status }) => status === 'failed')
      if (failed.length === 0) return [path]
      return failed.map(({ fullName }) => `${path}: ${fullName}`)
    })
}

function read(path: string): Report | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}
