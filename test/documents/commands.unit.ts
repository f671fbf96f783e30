import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { programOf } from '../../cli/program.ts'
import { blocksOf, commandsOf, DOCUMENTS, ROOT } from './blocks.ts'

const json = (path: string) => JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'))
const { scripts } = json('package.json') as { scripts: Record<string, string> }
/** What the command line of CDK takes, by its own word. */
const cdk = json('node_modules/aws-cdk/lib/cli/cli-type-registry.json') as {
  globalOptions: Record<string, { alias?: string }>
  commands: Record<string, { options?: Record<string, { alias?: string }> }>
}
/** Programs a reader has, or gets where the document says so. */
const PROGRAMS = [
  'aws',
  'cat',
  'cd',
  'curl',
  'cmp',
  'cp',
  'cut',
  'date',
  'echo',
  'git',
  'grep',
  'head',
]
const MORE = [
  'idf.py',
  'jq',
  'ls',
  'mkdir',
  'mosquitto_pub',
  'node',
  'openssl',
  'rm',
  'sed',
  'sort',
  'tail',
  'tar',
  'test',
]

/** What is wrong with a command, in a sentence; null when nothing is. */
function wrong(words: readonly string[]): string | null {
  const [program = '', ...rest] = words
  if (program === 'npm') return wrongNpm(rest)
  if (program === 'npx') {
    if (rest[0] === 'cdk') return wrongCdk(rest.slice(1))
    return rest[0] === 'vitest' ? null : `npx ${rest[0]} is not a program of the project`
  }
  return [...PROGRAMS, ...MORE].includes(program) ? null : `${program} is not a known program`
}

function wrongNpm(words: readonly string[]): string | null {
  const [verb = '', ...rest] = words.filter((word) => word !== '-s')
  if (verb === 'ci' || (verb === 'install' && rest.length > 0)) return null
  const name = verb === 'run' ? (rest.shift() ?? '') : verb
  if (!['start', 'test'].includes(name) && verb !== 'run') return `npm has no "${verb}" here`
  if (!(name in scripts)) return `package.json has no script "${name}"`
  const given = rest[0] === '--' ? rest.slice(1) : []
  return name === 'autovolt' ? wrongCall(programOf({ out() {}, err() {} }), given) : null
}

/** Follows the words to a command of the program, and compares what is left with what it takes. */
function wrongCall(command: Command, words: readonly string[]): string | null {
  const [first = '', ...rest] = words
  const inner = command.commands.find((it) => it.name() === first || it.alias() === first)
  if (inner !== undefined) return wrongCall(inner, rest)
  // A group with options of its own does something by itself, as `tickets` lists them.
  const isGroup = command.commands.length > 0
  if (isGroup && !(command.options.length > 0 && (first === '' || first.startsWith('-')))) {
    if (words.length === 0 || first === '--help') return null
    return `"${command.name()}" has no command "${first}"`
  }
  if (first === '--help') return null
  const { operands, unknown } = command.parseOptions([...words])
  if (unknown.length > 0) return `"${command.name()}" takes no ${unknown.join(' ')}`
  const missing = command.options.find(
    (it) => it.mandatory && command.getOptionValue(it.attributeName()) === undefined,
  )
  if (missing !== undefined) return `"${command.name()}" needs ${missing.flags}`
  const all = command.registeredArguments
  const needed = all.filter((it) => it.required).length
  if (operands.length < needed) return `"${command.name()}" needs ${needed} arguments`
  if (operands.length > all.length && !all.at(-1)?.variadic) {
    return `"${command.name()}" takes ${all.length} arguments, not ${operands.length}`
  }
  return null
}

function wrongCdk(words: readonly string[]): string | null {
  const [verb = '', ...rest] = words
  const command = cdk.commands[verb]
  if (command === undefined) return `cdk has no command "${verb}"`
  const options = { ...cdk.globalOptions, ...command.options }
  const known = new Set(
    Object.entries(options).flatMap(([name, { alias }]) => [
      `--${name}`,
      `--no-${name}`,
      ...(alias === undefined ? [] : [`-${alias}`]),
    ]),
  )
  const strange = rest.find((word) => word.startsWith('-') && !known.has(word.split('=')[0] ?? ''))
  return strange === undefined ? null : `cdk ${verb} has no option ${strange}`
}

const all = DOCUMENTS.flatMap(blocksOf)

test('the documents have commands', () => {
  expect(all.length).toBeGreaterThan(10)
})

test.each(all.map((block) => [block.at, block.script] as const))(
  'the commands of %s exist, with these arguments and options',
  (_, script) => {
    const faults = commandsOf(script).flatMap((words) => {
      const fault = wrong(words)
      return fault === null ? [] : [`${words.join(' ')}: ${fault}`]
    })
    expect(faults).toEqual([])
  },
)

test('the README names every command', () => {
  const [, table = ''] = readFileSync(new URL('README.md', ROOT), 'utf8').split('## Commands')
  const names = programOf({ out() {}, err() {} }).commands.map((it) => it.name())
  expect(names.filter((name) => !new RegExp(`\`${name}\\b`).test(table))).toEqual([])
})

describe('a command that does not exist is found:', () => {
  test.each([
    ['npm run -s autovolt -- verfy', '"autovolt" has no command "verfy"'],
    ['npm run -s autovolt -- verify --deeper', '"verify" takes no --deeper'],
    ['npm run -s autovolt -- cost', '"cost" needs --nodes <count>'],
    ['npm run -s autovolt -- provision a b --classroom A', 'takes 1 arguments, not 2'],
    ['npm run -s autovolt -- node shift a', '"node" has no command "shift"'],
    ['npm run strat', 'package.json has no script "strat"'],
    ['npx cdk depoly', 'cdk has no command "depoly"'],
    ['npx cdk deploy --al', 'cdk deploy has no option --al'],
    ['TOKEN=$(npm run -s autovolt -- tokn)', '"autovolt" has no command "tokn"'],
    ['true && curll x', 'curll is not a known program'],
    [`DAYS='"start": "2026-01-10"' curll x`, 'curll is not a known program'],
  ])('%s', (script, fault) => {
    expect(commandsOf(script).map(wrong).filter(Boolean).join()).toContain(fault)
  })
})
