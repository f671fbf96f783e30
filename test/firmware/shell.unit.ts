import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

/**
 * The parts of the ESP-IDF shell that decide something (session, jobs, enrolment, the slots of the
 * certificate, the settings) compiled for this machine, with FreeRTOS and NVS replaced by the fakes of
 * firmware/main/test/.
 */
const FIRMWARE = join(import.meta.dirname, '../../firmware')
const FLAGS = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-g', '-fsanitize=address,undefined']
const INCLUDES = ['main/test', 'main', 'core', 'host/test'].map(
  (folder) => `-I${join(FIRMWARE, folder)}`,
)

const PROGRAMS: Record<string, readonly string[]> = {
  session: [
    ...[
      'test/shell.c',
      'test/fakes.c',
      'session.c',
      'mqtt.c',
      'wanted.c',
      'parcel.c',
      'message_ids.c',
    ],
    ...['jobs.c', 'job_record.c', 'enrolment.c', '../core/json_read.c', '../core/json_write.c'],
  ],
  identity: ['test/identity.c', 'test/nvs_fake.c', 'identity.c'],
  settings: ['test/settings.c', 'test/nvs_fake.c', 'settings.c'],
}

const hasCompiler = spawnSync('cc', ['--version']).status === 0
const folder = mkdtempSync(join(tmpdir(), 'autovolt-shell-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.skipIf(!hasCompiler)('the shell on this machine', () => {
  it.each(Object.entries(PROGRAMS))('%s', { timeout: 120_000 }, (name, sources) => {
    const program = join(folder, name)
    const files = sources.map((source) => join(FIRMWARE, 'main', source))
    execFileSync('cc', [...FLAGS, ...INCLUDES, ...files, '-o', program], { stdio: 'pipe' })
    const run = spawnSync(program, { encoding: 'utf8' })
    expect(run.stdout.split('\n').filter((line) => line.startsWith('FAILED'))).toEqual([])
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' })
    expect(run.stdout).toMatch(/^ok - /m)
  })
})
