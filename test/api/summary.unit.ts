import { expect, it } from 'vitest'
import type { NodeRecord } from '../../functions/adapters/nodes.ts'
import type { DayItem } from '../../functions/adapters/rollups.ts'
import type { ApiPorts } from '../../functions/api/endpoint.ts'
import { summary } from '../../functions/api/summary.ts'
import { emptyDay } from '../../functions/domain/rollup/figures.ts'

/** A day of 15 minutes' energy, or of a single reading that made no line. */
function dayItem(register: string, energyMwh: number): DayItem {
  const figures = emptyDay(96)
  const series = figures.devices.get(null)
  if (series && energyMwh > 0) {
    series.energyMwh[0] = energyMwh
    figures.quality.coverageS = 900
  }
  figures.readings = 1
  return {
    classroom: 'C',
    date: '2026-01-15',
    register,
    throughN: 1,
    revision: 1,
    state: 'provisional',
    figures,
    part: null,
    cost: { byVersion: [], unpricedMwh: 0 },
    horizonMs: 0,
    sinceMs: 0,
    closedAtMs: null,
    restatedBy: null,
  }
}

async function ask(items: readonly DayItem[]) {
  const record = {
    esp32Name: 'n1',
    assignments: [{ classroom: 'C', fromMs: 0 }],
    watermarks: new Map(items.map(({ register }) => [register, 1])),
  } as unknown as NodeRecord
  const ports = {
    nodes: { inClassroom: async () => ['n1'], get: async () => record },
    rollups: { days: async () => items },
    journal: { entries: async () => [] },
    tariffs: { priceBook: async () => ({ versions: [], repricings: [] }) },
    siteTimeZone: 'Asia/Kolkata',
    now: () => 0,
  } as unknown as ApiPorts
  const caller = { sub: '', username: '', role: 'viewer', classrooms: null } as const
  const reply = await summary({ classroom: 'C', date: '2026-01-15' }, { caller, ports }, {})
  const answer = 'answer' in reply ? reply.answer : null
  return [answer?.total_wh, answer?.devices.map((d) => [d.device_id, d.total_wh])]
}

it('one relay state of a node does not hide what its channels counted', async () => {
  const channels = [dayItem('n1/fan-1', 700_000), dayItem('n1/light-1', 500_000)]
  const both = [
    ['fan-1', 700],
    ['light-1', 500],
  ]
  expect(await ask(channels)).toEqual([1_200, both])
  expect(await ask([...channels, dayItem('n1', 0)])).toEqual([1_200, both])
  expect(await ask([...channels, dayItem('n1', 1_250_000)])).toEqual([
    1_250,
    [['unassigned', 1_250]],
  ])
})
