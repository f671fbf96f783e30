import { describe, expect, it } from 'vitest'
import type { AnchorStore, Found, Written } from '../../functions/adapters/anchors.ts'
import { pieceOf } from '../../functions/adapters/anchors.ts'
import type { Run } from '../../functions/adapters/reconciliations.ts'
import { anchorsOf } from '../../functions/reconcile/anchors.ts'
import { manifestFindings } from '../../functions/reconcile/manifests.ts'

/** Manifests m1 to m3, each naming the one before, and the run that wrote each. */
const kept = () => {
  const found = new Map<string, Found>()
  const written = (n: number): Written => ({ key: `m${n}`, sha256: `digest of m${n}` })
  for (const n of [1, 2, 3]) {
    const manifest = {
      run_id: `r${n}`,
      pieces: 1,
      digests: [],
      written_at: `2026-01-1${n}T20:30:00Z`,
      previous: n === 1 ? null : written(n - 1),
    }
    found.set(`m${n}`, { sha256: `digest of m${n}`, manifest })
  }
  const run = (n: number, manifest: Written | null = written(n)) =>
    ({ run_id: `r${n}`, started_at_ms: n, manifest }) as Run
  const find = (...runs: Run[]) =>
    manifestFindings({ manifest: async (key) => found.get(key) ?? null }, runs)
  return { found, run, find }
}

describe('the manifests of the runs before', () => {
  it('are what the last run wrote, and what each one says of the one before', async () => {
    const { run, find } = kept()
    expect(await find()).toEqual([])
    expect(await find(run(1), run(3), run(2))).toEqual([])
    expect(await find(run(4, null), run(3))).toEqual([])
  })

  it('are found when one was changed, with both digests, and stay so', async () => {
    const { found, run, find } = kept()
    found.set('m3', { sha256: 'another', manifest: null })
    expect(await find(run(2), run(3))).toEqual([
      {
        rule: 'broken_chain',
        register: 'site',
        window: 'm3',
        fromMs: 0,
        severity: 'high',
        evidence: { object: 'm3', written_sha256: 'digest of m3', found_sha256: 'another' },
      },
    ])
  })

  it('are found when an older one was changed, or the last is gone', async () => {
    const { found, run, find } = kept()
    found.set('m1', { sha256: 'another', manifest: null })
    expect(await find(run(3))).toMatchObject([{ window: 'm1' }])
    found.delete('m3')
    expect(await find(run(3))).toMatchObject([{ window: 'm3', evidence: { found_sha256: null } }])
  })
})

describe('the anchors of a piece', () => {
  const anchor = { register: 'esp32-a', n: 7, hash: 'h' }
  const store = (read: AnchorStore['read']) =>
    ({
      latest: async () => ({ run_id: 'r1', pieces: 2, digests: ['d0', 'd1'] }),
      read,
    }) as unknown as AnchorStore

  it('are those of the object that the manifest names', async () => {
    const asked: unknown[] = []
    const anchors = await anchorsOf(
      store(async (...object) => {
        asked.push(object)
        return [anchor, { ...anchor, register: 'esp32-z' }]
      }),
      { started_at_ms: 9 },
    )
    expect(await anchors.previous(['esp32-a'])).toEqual({
      anchors: new Map([['esp32-a', anchor]]),
      findings: [],
    })
    const piece = pieceOf('esp32-a', 2)
    expect(asked).toEqual([['r1', piece, `d${piece}`]])
  })

  it('are none where that object is gone or another, and that is found', async () => {
    const anchors = await anchorsOf(
      store(async () => null),
      { started_at_ms: 9 },
    )
    const piece = pieceOf('esp32-a', 2)
    expect(await anchors.previous(['esp32-a'])).toMatchObject({
      anchors: new Map(),
      findings: [{ rule: 'broken_chain', register: 'site', window: `anchors/r1/${piece}` }],
    })
  })
})
