import { expect, it } from 'vitest'
import type { NodeRecord } from '../../functions/adapters/nodes.ts'
import { standings } from '../../functions/bridge/standing.ts'

/** A registry that says which nodes it was asked for. */
function site(mostNodes: number) {
  const asked: string[] = []
  const clock = { ms: 0 }
  const get = async (name: string) => {
    asked.push(name)
    const assignments = [{ classroom: `${name} at ${clock.ms}`, fromMs: 0 }]
    return { assignments } as unknown as NodeRecord
  }
  return { asked, clock, standing: standings({ get }, () => clock.ms, mostNodes) }
}

it('the registry is asked about a node once in five minutes', async () => {
  const { asked, clock, standing } = site(2)
  await standing('a')
  clock.ms = 299_999
  expect(await standing('a')).toEqual([{ classroom: 'a at 0', fromMs: 0 }])
  clock.ms = 300_000
  expect(await standing('a')).toEqual([{ classroom: 'a at 300000', fromMs: 0 }])
  expect(asked).toEqual(['a', 'a'])
})

it('no more nodes than there is room for are remembered, those asked for last', async () => {
  const { asked, standing } = site(2)
  for (const name of ['a', 'b', 'c', 'b', 'c', 'a']) await standing(name)
  expect(asked).toEqual(['a', 'b', 'c', 'a'])
})
