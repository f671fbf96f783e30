import { rmSync } from 'node:fs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { expect, it } from 'vitest'
import { localClient } from '../../local/dynamodb/plugin.ts'
import type { Endpoints } from '../../local/runtime.ts'
import { temporary } from '../local/fixture/app.ts'
import { campusOn, datesOfMonth, evenDay, inShort } from '../recalculate/campus.ts'
import { person } from './caller.ts'
import { startMain } from './process.ts'
import { eventually, failedMessages } from './records.ts'
import { siteAt } from './site.ts'

const ROOMS = ['North', 'South', 'West']
const NODES = 3
const DATES = ['2026-01', '2026-02'].flatMap((month) => datesOfMonth(month, 28))

/** Days of 1.2 kWh each at 7.00, as the close leaves them. */
async function seed(endpoints: Endpoints): Promise<void> {
  using at = campusAt(endpoints)
  await at.campus.tariff({ id: 'seven' })
  await at.campus.close(
    ROOMS.flatMap((classroom) =>
      DATES.flatMap((date) =>
        Array.from({ length: NODES }, (_, node) => ({
          classroom,
          date,
          register: `esp32-${classroom}-${node}`,
          figures: evenDay(12_500),
        })),
      ),
    ),
  )
}

function campusAt({ dynamodb, region, tables }: Endpoints) {
  const plain = new DynamoDBClient(localClient(dynamodb, region))
  const table = (name: string) => tables[name] as string
  const campus = campusOn({ client: DynamoDBDocumentClient.from(plain), table })
  return { campus, [Symbol.dispose]: () => plain.destroy() }
}

it('kill -9 in the middle of a recalculation, twice, changes nothing of what comes of it', async () => {
  const dataDir = temporary()
  let main = await startMain(dataDir)
  try {
    await seed(main.endpoints)
    const admin = () => person(main.endpoints, 'admin')
    const version = await admin().post('/cost-versions', {
      cost_per_kwh: 7.5,
      effective_from: '2026-01-15',
    })
    expect(version.status, JSON.stringify(version.body)).toBe(201)
    const order = { start: '2026-01-01', end: '2026-02-28' }
    const ordered = await admin().post('/recalculate', order)
    expect(ordered.status, JSON.stringify(ordered.body)).toBe(202)
    const path: string = ordered.body.status_url
    const progress = async () => (await admin().get(path)).body.progress.done as number

    await eventually(async () => expect(await progress()).toBeGreaterThanOrEqual(1))
    expect(await progress()).toBeLessThan(177)
    await main.kill()
    main = await startMain(dataDir)
    // The worker went on with the start; how far it came by now is the machine's business.
    await eventually(async () => expect(await progress()).toBeGreaterThanOrEqual(60))
    await main.kill()
    main = await startMain(dataDir)
    const job = await eventually(async () => {
      const { body } = await admin().get(path)
      expect(body.status, JSON.stringify(body.progress)).toBe('done')
      return body
    })
    // 42 days of 3 rooms of 3 nodes at 8.40 before and 9.00 after: from the 15th of January on.
    expect(job).toMatchObject({
      progress: { done: 177, total: 177 },
      result: {
        days_changed: 126,
        items_changed: 378,
        cost_before: 3_175.2,
        cost_after: 3_402,
        cost_difference: 226.8,
      },
    })
    using at = campusAt(main.endpoints)
    for (const classroom of ROOMS) {
      const items = await at.campus.rollups.days(classroom, '2026-01-01', '2026-02-28')
      const restated = items.map(inShort).filter(({ restatedBy }) => restatedBy === job.job_id)
      expect(restated).toHaveLength(42 * NODES)
      expect(
        restated.filter(({ revision, micro }) => revision !== 2 || micro !== 9_000_000),
      ).toEqual([])
      const former = await at.campus.rollups.formerDays(classroom, '2026-01-01', '2026-02-28')
      expect(former).toHaveLength(42 * NODES)
    }
    using site = siteAt(main.endpoints, dataDir)
    expect(await failedMessages(site)).toEqual({})
  } finally {
    await main.kill()
    rmSync(dataDir, { recursive: true, force: true })
  }
}, 300_000)
