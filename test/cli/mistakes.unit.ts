import { describe, expect, it } from 'vitest'
import { autovolt } from './fixture/call.ts'

describe('a usual mistake is told with field, limit and value, before anything is called', () => {
  it.each([
    [
      ['verify', '--stage', 'Production'],
      '--stage: stage must be one of local, dev, staging, prod (is "Production")',
    ],
    [
      ['tickets', '--node', 'esp32 a1', '--stage', 'dev'],
      '--node: esp32_name must be 1 to 128 of the characters a-z A-Z 0-9 : _ - (is "esp32 a1")',
    ],
    [['rollup', '--node', 'esp32-a1', '--stage', 'dev'], '--node needs --rebuild'],
    [['rollup', '--from', '2026-01-15', '--stage', 'dev'], '--from needs --rebuild'],
    [
      ['rollup', '--rebuild', '--node', 'esp32-a1', '--from', '15.1.2026', '--stage', 'dev'],
      '--from: must be a day as YYYY-MM-DD (is "15.1.2026")',
    ],
    [
      ['show', 'events', '--node', 'esp32-a1', '--last', '0', '--stage', 'dev'],
      '--last: must be a whole number from 1 to 1000 (is "0")',
    ],
    [['verfy'], "unknown command 'verfy' (Did you mean verify?)"],
    [['verify', '--deeper'], "unknown option '--deeper' (Did you mean --deep?)"],
  ])('autovolt %j', async (args, why) => {
    expect(await autovolt(...args)).toEqual({ code: 2, out: '', err: `autovolt: ${why}\n` })
  })
})

describe('the help of a command says', () => {
  it.each([
    ['what must be there', ['compare', '--help'], /--to <day> +last local day \(required\)/],
    [
      'a default',
      ['cost', '--help'],
      /--period <seconds> +between two readings of a node \(default: "30"\)/,
    ],
    [
      'nothing of a switch that is off',
      ['cost', '--help'],
      /--basic-ingest +telemetry and heartbeats past the broker\n/,
    ],
  ])('%s', async (_, args, line) => {
    expect(await autovolt(...args)).toEqual({ code: 0, out: expect.stringMatching(line), err: '' })
  })
})
