import { describe, expect, it } from 'vitest'
import { type Manifest, pieceOf, sealed } from '../../functions/adapters/anchors.ts'
import type { Run } from '../../functions/adapters/reconciliations.ts'
import { anchoredNodes, anchorsOf } from '../../functions/reconcile/anchors.ts'
import { keptAs, manifestFindings, trustedManifest } from '../../functions/reconcile/manifests.ts'
import { NO_PROOF } from '../../functions/reconcile/result.ts'
import { memoryBucket, memoryRestored, memoryRuns } from './memory.ts'

const day = (n: number) => Date.UTC(2026, 0, 10 + n, 20, 30)
const NOW_MS = day(9)
const keyOf = (n: number, name = `r${n}`) =>
  `manifests/${new Date(day(n)).toISOString()}~${name}.json`

/** The bucket and the database after the runs of three nights. */
async function threeNights() {
  const { texts, anchors } = memoryBucket()
  const { runs, store } = memoryRuns()
  const { all, store: restored } = memoryRestored()
  const ports = { anchors, runs: store, restored }
  const manifest = (n: number, more: Partial<Manifest> = {}): Manifest => ({
    run_id: `r${n}`,
    pieces: 1,
    digests: [],
    written_at: new Date(day(n)).toISOString(),
    previous: null,
    ...more,
  })
  const run = (n: number, more: Partial<Run> = {}) =>
    runs.set(`r${n}`, {
      run_id: `r${n}`,
      started_at_ms: day(n),
      finished_at_ms: day(n),
      proof: NO_PROOF,
      manifest: null,
      ...more,
    } as Run)
  let previous: Manifest['previous'] = null
  for (const n of [1, 2, 3]) {
    previous = await anchors.complete(manifest(n, { previous }))
    run(n, { manifest: previous })
  }
  const restore = async (n: number, more: Partial<Manifest> = {}) => {
    const by = { by: 'asha', reason: 'drill' }
    const own = manifest(n, { run_id: `restore-${n}`, restored: by, ...more })
    const { key, sha256 } = sealed(own)
    await restored.record({ key, sha256, ...by, at_ms: day(n) })
    await anchors.complete(own)
  }
  return {
    texts,
    anchors,
    runs,
    all,
    manifest,
    run,
    restore,
    trusted: async () => (await trustedManifest(NOW_MS, ports))?.key ?? null,
    find: () => manifestFindings(NOW_MS, ports),
  }
}

describe('the manifests of the runs before', () => {
  it('are what the last run wrote, and what each one says of the one before', async () => {
    const { trusted, find } = await threeNights()
    expect([await trusted(), await find()]).toEqual([keyOf(3), []])
  })

  it('are found when one was changed, with both digests, and the one before is believed', async () => {
    const { texts, runs, trusted, find } = await threeNights()
    texts.set(keyOf(3), '{}')
    expect(await find()).toEqual([
      {
        rule: 'broken_chain',
        register: 'site',
        window: keyOf(3),
        fromMs: 0,
        severity: 'high',
        evidence: {
          object: keyOf(3),
          written_sha256: runs.get('r3')?.manifest?.sha256,
          // Of two braces.
          found_sha256: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        },
      },
    ])
    expect(await trusted()).toBe(keyOf(2))
  })

  it('are found when an older one was changed, or the last is gone', async () => {
    const { texts, find } = await threeNights()
    texts.set(keyOf(1), '{}')
    expect(await find()).toMatchObject([{ window: keyOf(1) }])
    texts.delete(keyOf(3))
    expect(await find()).toMatchObject([{ window: keyOf(3), evidence: { found_sha256: null } }])
  })
})

describe('a newer manifest that no run has written', () => {
  it('is not believed, and is asked about with who it claims to be of', async () => {
    const { anchors, manifest, trusted, find } = await threeNights()
    await anchors.complete(manifest(4, { restored: { by: 'mallory', reason: 'trust me' } }))
    expect(await trusted()).toBe(keyOf(3))
    expect(await find()).toMatchObject([
      {
        window: keyOf(4),
        severity: 'high',
        evidence: { written_sha256: null, claims_by: 'mallory', claims_reason: 'trust me' },
      },
    ])
  })

  it('is no stranger where its run told of it and never ended; nor is it believed', async () => {
    const { anchors, manifest, run, trusted, find } = await threeNights()
    const written = await anchors.complete(manifest(4))
    run(4, { manifest: written, finished_at_ms: null, proof: null })
    expect([await trusted(), await find()]).toEqual([keyOf(3), []])
    run(4, { manifest: written, finished_at_ms: day(5), proof: null })
    expect([await trusted(), await find()]).toEqual([keyOf(3), []])
  })
})

describe('chains that a person anchored anew', () => {
  it('are believed where the database speaks for it', async () => {
    const { restore, trusted, find } = await threeNights()
    await restore(4)
    expect([await trusted(), await find()]).toEqual([keyOf(4, 'restore-4'), []])
  })

  it('end the matter where the runs were lost and the anchors were not', async () => {
    const { runs, restore, trusted, find } = await threeNights()
    runs.clear()
    expect(await trusted()).toBeNull()
    expect((await find()).map(({ window }) => window)).toEqual([keyOf(1), keyOf(2), keyOf(3)])
    await restore(4)
    expect([await trusted(), await find()]).toEqual([keyOf(4, 'restore-4'), []])
  })

  it('end the matter where the anchors were lost and the runs were not', async () => {
    const { texts, runs, restore, trusted, find } = await threeNights()
    texts.clear()
    expect(await trusted()).toBeNull()
    expect(await find()).toMatchObject([{ window: keyOf(3), evidence: { found_sha256: null } }])
    // Even where its manifest names the lost one as the one before.
    await restore(4, { previous: runs.get('r3')?.manifest ?? null })
    expect([await trusted(), await find()]).toEqual([keyOf(4, 'restore-4'), []])
  })
})

describe('the anchors of a piece', () => {
  const hash = 'a'.repeat(64)
  const anchor = { register: 'esp32-a', n: 7, hash }
  const channel = { register: 'esp32-z/fan', n: 2, hash }
  const written = async () => {
    const { texts, anchors } = memoryBucket()
    const own = [anchor, channel, { ...channel, register: 'esp32-z' }]
    const digests = []
    for (const piece of [0, 1]) {
      const heads = own.filter(({ register }) => pieceOf(register.slice(0, 7), 2) === piece)
      digests.push(await anchors.write('r1', piece, heads))
    }
    const compares_with = await anchors.complete({
      run_id: 'r1',
      pieces: 2,
      digests,
      written_at: new Date(day(1)).toISOString(),
      previous: null,
    })
    return { texts, anchors, compares_with }
  }

  it('are those of the object that the manifest names', async () => {
    const { anchors, compares_with } = await written()
    const { previous } = await anchorsOf(anchors, { compares_with })
    expect(await previous(['esp32-a'])).toEqual({
      anchors: new Map([['esp32-a', anchor]]),
      findings: [],
    })
  })

  it('are none where that object is gone or another, and that is found', async () => {
    const { texts, anchors, compares_with } = await written()
    for (const key of texts.keys()) if (key.startsWith('anchors/')) texts.set(key, '[]')
    const { previous } = await anchorsOf(anchors, { compares_with })
    const piece = pieceOf('esp32-a', 2)
    expect(await previous(['esp32-a'])).toMatchObject({
      anchors: new Map(),
      findings: [{ rule: 'broken_chain', register: 'site', window: `anchors/r1/${piece}` }],
    })
  })

  it('are none of a manifest that is not the one the run was planned with', async () => {
    const { texts, anchors, compares_with } = await written()
    texts.set(compares_with.key, `${texts.get(compares_with.key)} `)
    const { previous } = await anchorsOf(anchors, { compares_with })
    expect(await previous(['esp32-a'])).toEqual({ anchors: new Map(), findings: [] })
  })

  it('name every node that was anchored, and how many registers it had', async () => {
    const { anchors, compares_with } = await written()
    const kept = await keptAs(compares_with, anchors)
    expect(kept && (await anchoredNodes(kept, anchors))).toEqual(
      new Map([
        ['esp32-a', 1],
        ['esp32-z', 2],
      ]),
    )
  })
})
