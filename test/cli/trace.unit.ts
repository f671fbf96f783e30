import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readTrace } from '../../cli/replay/trace.ts'

const folder = mkdtempSync(join(tmpdir(), 'autovolt-trace-'))

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe('readTrace', () => {
  it('reads the second column as the power, with Windows line ends and blank lines', async () => {
    const path = file('a.csv', '18/01/2012 00:00:02;9;8\r\n\r\n18/01/2012 00:01:03;10.5;8\r\n')
    expect(await readTrace(path)).toEqual([
      { wallSecond: 2, powerMw: 9_000 },
      { wallSecond: 63, powerMw: 10_500 },
    ])
  })

  it('knows gzip by its content, not by its name', async () => {
    const path = file('zipped', gzipSync('18/01/2012 23:59:59;230;0\n'))
    expect(await readTrace(path)).toEqual([{ wallSecond: 86_399, powerMw: 230_000 }])
  })

  it('keeps several rows of one second, in their order', async () => {
    const path = file('twice.csv', '18/01/2012 00:00:02;9;8\n18/01/2012 00:00:02;11;8\n')
    expect((await readTrace(path)).map((row) => row.powerMw)).toEqual([9_000, 11_000])
  })

  it.each([
    ['18/01/2012 00:00:02;9;8\nnonsense;9;8\n', 'line 2: time must be day/month/year'],
    ['31/02/2012 00:00:02;9;8\n', 'line 1: time is a date that no calendar has (is "31/02/2012'],
    ['18/01/2012 24:00:00;9;8\n', 'line 1: time is a time that no clock shows'],
    ['18/01/2012 00:00:02;-9;8\n', 'line 1: watts (1 s) must be a number'],
    ['18/01/2012 00:00:02;9;x\n', 'line 1: watts (8 s) must be a number'],
    ['18/01/2012 00:00:02;9;x\n', '(is "x")'],
    ['18/01/2012 00:00:02;99999999;8\n', 'line 1: watts (1 s) must be at most 10000000 W'],
    ['18/01/2012 00:00:02;9\n', 'line 1: must have 3 fields'],
    [
      '18/01/2012 00:00:02;9;8\n\n18/01/2012 00:00:01;9;8\n',
      'line 3: time must not go back (is "18/01/2012 00:00:01")',
    ],
    [
      '18/01/2012 00:00:02;9;8\n19/01/2012 00:00:03;9;8\n',
      'line 2: time must be on 18/01/2012 as in the first row',
    ],
    ['', 'must have at least one row'],
  ])('names what is wrong in %j', async (content, message) => {
    const path = file('wrong.csv', content)
    await expect(readTrace(path)).rejects.toThrow(message)
    await expect(readTrace(path)).rejects.toThrow(path)
  })

  it('names a file that is not there and one that is cut off', async () => {
    await expect(readTrace(join(folder, 'absent.csv'))).rejects.toThrow(
      /absent\.csv cannot be read/,
    )
    const whole = gzipSync('18/01/2012 00:00:02;9;8\n'.repeat(5_000))
    const path = file('cut.csv.gz', whole.subarray(0, whole.length - 12))
    await expect(readTrace(path)).rejects.toThrow(/cut\.csv\.gz cannot be read/)
  })
})
