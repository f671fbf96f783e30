import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { expect, it } from 'vitest'
import { run } from '../../cli/program.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { startDatabase } from '../../local/dynamodb/process.ts'
import type { Endpoints } from '../../local/runtime.ts'
import { temporary } from '../local/fixture/app.ts'
import { startMain } from './process.ts'
import { booked, eventually, failedMessages, itemsOf } from './records.ts'
import { siteAt } from './site.ts'

/** From nine o'clock at 3,600 W, a row a minute: 1 Wh a second. */
interface Morning {
  readonly minutes: number
  readonly readings: number
  readonly mwh: number
  readonly wh: string
  readonly hours: number
  /** From the quarter of an hour before nine to the one after the last. */
  readonly blocks: readonly number[]
}

/** The first, and the one to take on a machine that is through with it before it can be killed. */
const MORNINGS: readonly Morning[] = [
  {
    minutes: 20,
    readings: 1_201,
    mwh: 1_200_000,
    wh: '1200.000',
    hours: 0.3333,
    blocks: [0, 900_000, 300_000, 0],
  },
  {
    minutes: 80,
    readings: 4_801,
    mwh: 4_800_000,
    wh: '4800.000',
    hours: 1.3333,
    blocks: [0, 900_000, 900_000, 900_000, 900_000, 900_000, 300_000, 0],
  },
]

function trace(folder: string, minutes: number): string {
  const file = join(folder, 'trace.csv')
  const two = (n: number) => String(n).padStart(2, '0')
  const rows = Array.from({ length: minutes + 1 }, (_, minute) => {
    return `18/01/2012 ${two(9 + Math.floor(minute / 60))}:${two(minute % 60)}:00;3600;3600`
  })
  writeFileSync(file, `${rows.join('\n')}\n`)
  return file
}

/** What of a node lies on disk while nothing runs that could add to it. */
async function onDisk(dataDir: string, { tables }: Endpoints) {
  const database = await startDatabase(dataDir)
  const client = new DynamoDBClient(localClient(database.url, 'ap-south-1'))
  const documents = DynamoDBDocumentClient.from(client)
  try {
    const { Count = 0 } = await documents.send(
      new QueryCommand({
        TableName: tables.telemetry,
        KeyConditionExpression: '#register = :register',
        ExpressionAttributeNames: { '#register': 'register' },
        ExpressionAttributeValues: { ':register': 'esp32-a' },
        Select: 'COUNT',
      }),
    )
    const head = await journalReader(documents, tables.ledger as string).head('esp32-a')
    return { received: Count, booked: head?.state.totals.readings ?? 0 }
  } finally {
    client.destroy()
    await database.stop()
  }
}

/** @returns which kill came too late to fall into the middle of anything; undefined when both did */
async function killedTwice(morning: Morning): Promise<string | undefined> {
  const { readings, minutes } = morning
  const dataDir = temporary()
  let main = await startMain(dataDir)
  try {
    let site = siteAt(main.endpoints, dataDir)
    await site.provision('esp32-a', 'B2-101')
    // Every second reading, so that the pipeline has its hands full …
    const args = [trace(dataDir, minutes), '--node', 'esp32-a', '--day', '2026-01-15']
    expect((await site.cli('replay', ...args, '--period', '2')).code).toBe(0)
    // … and then all of them: the stack is gone once the first one is acknowledged.
    let out = ''
    const first = Promise.withResolvers<void>()
    const replaying = run(['replay', ...args, '--period', '1', '--data-dir', dataDir], {
      out: (text) => {
        out += text
      },
      err: (text) => {
        if (text.includes('readings acknowledged')) first.resolve()
      },
    })
    await first.promise
    await main.kill()
    site[Symbol.dispose]()
    const atFirst = await onDisk(dataDir, main.endpoints)

    main = await startMain(dataDir)
    expect(await replaying).toBe(0)
    expect(out).toContain(`${readings} acknowledged`)
    if (atFirst.received === readings || !out.includes('sent again')) return 'in the replay'
    expect(out).toMatch(/sent again over 2 connections/)
    await main.kill()
    const atSecond = await onDisk(dataDir, main.endpoints)
    if (atSecond.booked === readings) return 'while the ledger catches up'

    // What was acknowledged is on disk; nobody sends it again.
    main = await startMain(dataDir)
    site = siteAt(main.endpoints, dataDir)
    await booked(site, 'esp32-a', readings)
    expect(await site.rollup()).toMatchObject({ registers: 1, failures: 0 })
    const { body } = await site.get('/summary?classroom=B2-101&date=2026-01-15')
    // An undisturbed run of this trace says the same: a watt-hour for each second.
    expect(body).toMatchObject({ total_mwh: morning.mwh, on_time_hours: morning.hours })
    expect(body.blocks_mwh.slice(35, 35 + morning.blocks.length)).toEqual(morning.blocks)
    expect(await itemsOf(site, 'telemetry', 'esp32-a')).toHaveLength(readings)
    const verified = await site.cli('verify')
    expect(verified).toMatchObject({ code: 0, err: '' })
    expect(verified.out).toMatch(/^ok +esp32-a: \d+ entries, /)
    expect(verified.out).toContain(`${readings} readings, 1 days, measured ${morning.wh} Wh`)
    expect(await failedMessages(site)).toEqual({})
    await eventually(async () => {
      const { body: health } = await site.get('/health')
      expect(health.telemetry).toMatchObject({ total_events: readings, unprocessed_events: 0 })
      expect(health.ledger).toMatchObject({ errors: 0, conflicts: 0 })
    })
    site[Symbol.dispose]()
    return undefined
  } finally {
    await main.kill()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

it('kill -9 in the middle of a replay, and again while the ledger catches up, changes no figure', async () => {
  let tooLate: string | undefined = 'never tried'
  for (const morning of MORNINGS) {
    tooLate = await killedTwice(morning)
    if (tooLate === undefined) break
  }
  expect(tooLate, 'the kill that came too late, with the longest trace').toBeUndefined()
})
