import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { synthesize } from './synthesized.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'autovolt-lint-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** cfn-lint is a Python tool that npm cannot bring; where it is missing this says so and is skipped. */
const isThere = await run('cfn-lint', ['--version']).then(
  () => true,
  () => false,
)
if (!isThere) console.log('cfn-lint is not on this machine: templates are not linted')

/** The errors cfn-lint finds, one a line. Warnings are about style that CDK itself chooses. */
async function errorsOf(templates: Record<string, unknown>): Promise<string[]> {
  const files = Object.entries(templates).map(([name, template]) => {
    const file = join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify(template))
    return file
  })
  const options = ['--format', 'parseable', '--non-zero-exit-code', 'none', '--ignore-checks', 'W']
  const { stdout } = await run('cfn-lint', [...options, '--', ...files])
  return stdout.split('\n').filter((line) => line !== '')
}

describe.skipIf(!isThere)('cfn-lint', () => {
  it('finds no error in the templates of any stage', { timeout: 180_000 }, async () => {
    const stages = ['dev', 'staging', 'prod'].map((stage) =>
      synthesize(stage, {
        alarmEmail: 'ops@example.org',
        timestream: { database: 'energy', table: 'readings' },
      }),
    )
    expect(await errorsOf(Object.assign({}, ...stages.map((it) => it.templates)))).toEqual([])
  })

  it('would find a wrong property, value and reference', { timeout: 60_000 }, async () => {
    const broken = {
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue', Properties: { Retention: 5, VisibilityTimeout: -1 } },
        Alias: {
          Type: 'AWS::Lambda::Alias',
          Properties: { FunctionName: { Ref: 'Nowhere' }, FunctionVersion: '1', Name: 'live' },
        },
      },
    }
    const found = (await errorsOf({ broken })).join('\n')
    for (const check of ['E3002', 'E3034', 'E1020']) expect(found).toContain(check)
  })
})
