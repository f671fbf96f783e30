import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { buildNode } from '../../local/native/build.ts'
import { startNative, supervise } from '../../local/native/native.ts'
import type { NativeProcess } from '../../local/native/process.ts'
import { makeStory } from '../../local/native/story.ts'
import { missingTools } from '../../local/native/tools.ts'
import type { Endpoints } from '../../local/runtime.ts'

/** A process that ends when the test says so; told to stop, it ends well. */
function fake() {
  const { promise: ended, resolve } = Promise.withResolvers<Awaited<NativeProcess['ended']>>()
  const die = (code: number | null) => resolve({ code, account: undefined })
  const stop = vi.fn(() => die(0))
  const account = () => Promise.reject(new Error('not asked here'))
  return { ended, account, stop, kill: vi.fn(() => die(null)), die }
}

describe('a node that dies', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is started again, after pauses that grow to half a minute and no further', async () => {
    const runs: ReturnType<typeof fake>[] = []
    const said: string[] = []
    const start = () => {
      const run = fake()
      runs.push(run)
      return run
    }
    const node = supervise(start, (why) => said.push(why))
    for (const pauseS of [1, 2, 4, 8, 16, 30, 30]) {
      const before = runs.length
      runs.at(-1)?.die(3)
      await vi.advanceTimersByTimeAsync(pauseS * 1_000 - 1)
      expect(runs).toHaveLength(before)
      await vi.advanceTimersByTimeAsync(1)
      expect(runs).toHaveLength(before + 1)
    }
    expect(said.slice(0, 2)).toEqual([
      'ended with 3, starts again in 1 s',
      'ended with 3, starts again in 2 s',
    ])
    // One that ran well for a minute begins with the short pause again.
    await vi.advanceTimersByTimeAsync(60_001)
    runs.at(-1)?.die(null)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(said.at(-1)).toBe('ended with a signal, starts again in 1 s')
    expect(runs).toHaveLength(9)

    await node.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(runs).toHaveLength(9)
    expect(runs.at(-1)?.stop).toHaveBeenCalledOnce()
    expect(runs.at(-1)?.kill).not.toHaveBeenCalled()
  })

  it('and one that does not stop is killed', async () => {
    const run = fake()
    run.stop.mockImplementation(() => {})
    const stopped = supervise(
      () => run,
      () => {},
    ).stop()
    await vi.advanceTimersByTimeAsync(4_000)
    await stopped
    expect(run.kill).toHaveBeenCalledOnce()
  })
})

describe("a node's log as people read it", () => {
  const tell = (...lines: string[]) => lines.map(makeStory('n')).filter((it) => it !== undefined)

  it('says when a node is connected and when it no longer is, and not each reading', () => {
    const up = ['n warning journal 3', 'n info state 2', 'n info state 4', 'n info state 6']
    const on = ['n info state 7', 'n info state 6', 'n info state 7']
    expect(tell(...up, ...on, 'n info state 2', 'n info state 4', 'n info state 6')).toEqual([
      'n: connected',
      'n: no broker, counts on',
      'n: connected',
    ])
  })
  it('passes on what is odd', () => {
    expect(tell('n warning command_refused 1', 'n info state 8', 'Error: no room')).toEqual([
      'n: command refused',
      'n: its flash fails, its counter is invalid',
      'n: Error: no room',
    ])
  })
})

describe('without what it takes', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it('says what is missing and how to install it', () => {
    vi.stubEnv('PATH', '/nowhere')
    expect(missingTools()).toBe(
      process.platform === 'linux'
        ? 'autovolt-node cannot be built without cmake, make, flock, a C compiler (cc), libmosquitto; ' +
            'on Debian: sudo apt-get install cmake make util-linux gcc libmosquitto-dev'
        : `autovolt-node runs on Linux only, and this is ${process.platform}`,
    )
  })
  it('the stack goes on without native nodes, and says so', async () => {
    vi.stubEnv('AUTOVOLT_NODE', '/nowhere/autovolt-node')
    const missing = 'AUTOVOLT_NODE names /nowhere/autovolt-node, which is not there'
    expect(await buildNode()).toEqual({ missing })
    const said: string[] = []
    const stack = { endpoints: {} as Endpoints, dataDir: '/nowhere' }
    const nodes = await startNative(stack, 1, { log: (line) => said.push(line) })
    await nodes.stop()
    expect(said).toEqual([`Without native nodes: ${missing}`])
  })
})

describe.skipIf(process.platform !== 'linux')('the binary', () => {
  const tools = mkdtempSync(join(tmpdir(), 'autovolt-tools-'))
  const calls = join(tools, 'calls')
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(tools, { recursive: true })
  })

  it('is built from the sources as they are, also when there is one, and by one at a time', async () => {
    const scripts = {
      cmake: `echo cmake "$1" >> ${calls}`,
      flock: `[ "$1" = --version ] && exit 0\necho flock >> ${calls}\nshift\nexec "$@"`,
      make: 'exit 0',
      cc: 'exit 0',
    }
    for (const [name, script] of Object.entries(scripts)) {
      writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`)
      chmodSync(join(tools, name), 0o755)
    }
    vi.stubEnv('PATH', tools)
    vi.stubEnv('AUTOVOLT_NODE', undefined)
    const said: string[] = []
    const built = await buildNode((line) => said.push(line))
    expect(built).toEqual({ binary: expect.stringMatching(/firmware\/build\/autovolt-node$/) })
    expect(readFileSync(calls, 'utf8').trim().split('\n')).toEqual([
      ...['cmake --version', 'flock', 'cmake -S', 'flock', 'cmake --build'],
    ])
    const isThere = existsSync((built as { binary: string }).binary)
    expect(said).toEqual(isThere ? [] : ['Building autovolt-node …'])
  })
})
