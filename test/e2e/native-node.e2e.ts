import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Account } from '../../local/native/process.ts'
import { dice } from '../../simulate/truth/dice.ts'
import { bookedOf, endNode, isBuilt, nodeSays, startNode } from './native.ts'
import { eventually, failedMessages, quarantined } from './records.ts'
import { type Site, startSite } from './site.ts'

/**
 * The firmware's own code against the whole stack. By hand, with the firmware's own period:
 *   AUTOVOLT_NODE_KILLS=100 AUTOVOLT_NODE_PERIOD_S=30 vitest run --project e2e test/e2e/native-node.e2e.ts
 */
const KILLS = Number(process.env.AUTOVOLT_NODE_KILLS ?? 24)
const PERIOD_S = Number(process.env.AUTOVOLT_NODE_PERIOD_S ?? 900)
const WEEK_S = 7 * 86_400
/** A long run by hand books more readings than fit the time of a test in `npm test`. */
const LIMIT_MS = 120_000 + KILLS * 2_000 + (WEEK_S / PERIOD_S) * 20
/** Virtual seconds of the hour in a real one, more than 1: its clock has an hour to make up. */
const HOUR_SPEED = Number(process.env.AUTOVOLT_NODE_HOUR_SPEED ?? 600)
const HOUR_LIMIT_MS = 120_000 + 4_000_000 / (HOUR_SPEED - 1)
const SEED = Number(process.env.AUTOVOLT_NODE_SEED ?? 20_260_115)
/** Most messages, of up to 25 readings, that are acknowledged in a run of the replay before it is killed. */
const ACKS_BETWEEN_KILLS = 20
const RATED_MW = 36_000 + 72_000 + 285_000

/** A node whose clock begins a week ago and has no network until it has caught up. */
const week = (speed: number) => [
  ...['--backdate-seconds', String(WEEK_S), '--offline-until-now'],
  ...['--period-ms', String(PERIOD_S * 1_000), '--speed', String(speed)],
  ...['--drain-seconds', '60'],
]
const isDone = ({ behind_ms, backlog }: Account) => behind_ms < 2_000 && backlog === 0

describe.skipIf(!isBuilt)('autovolt-node', () => {
  let site: Site & AsyncDisposable
  beforeAll(async () => {
    site = await startSite()
  })
  afterAll(async () => {
    expect(await failedMessages(site)).toEqual({})
    await site[Symbol.asyncDispose]()
  })

  /** The ledger has every reading of the node once, and its energy is the node's counter. */
  async function expectCounter(esp32Name: string, account: Account): Promise<void> {
    const { firstMwh, lastMwh, ...all } = await bookedOf(
      site,
      esp32Name,
      account.sequence_no,
      LIMIT_MS,
    )
    expect(all).toEqual({
      readings: account.sequence_no,
      lastSequenceNo: account.sequence_no,
      mwh: { measured: lastMwh - firstMwh },
      conflicts: 0,
    })
    expect({ firstMwh, lastMwh }).toEqual({ firstMwh: 0, lastMwh: account.counter_mwh })
    expect(await quarantined(site, esp32Name)).toEqual([])
    await site.rollup()
    const verified = await site.cli('verify', '--node', esp32Name)
    expect(verified, verified.out).toMatchObject({ code: 0, err: '' })
    console.log(
      `${esp32Name}: ${account.sequence_no} readings, ${account.boots} boots, counter ` +
        `${account.counter_mwh} mWh, ledger ${lastMwh - firstMwh} mWh, lost ` +
        `${account.truth_mws - account.counter_mws} mWs\n${verified.out}`,
    )
  }

  it(
    'that was offline for seven days tells all of it, to the milliwatt-hour',
    async () => {
      await site.provision('esp32-week', 'Native')
      const node = startNode(site, 'esp32-week', ...week(200_000))
      await nodeSays(node, isDone)
      const account = await endNode(node)
      expect(account.boots).toBe(1)
      expect(account.counter_mws).toBe(account.truth_mws)
      await expectCounter('esp32-week', account)
    },
    LIMIT_MS,
  )

  it(
    'that is killed over and over, offline and while it tells, loses no more than it says',
    async () => {
      await site.provision('esp32-killed', 'Native')
      const start = (...more: string[]) =>
        startNode(site, 'esp32-killed', ...week(100_000), ...more)
      const offline = Math.floor(KILLS / 2)
      // Half of the power cuts fall into the week: each run lives through an equal part of it.
      for (let kill = 1; kill < offline; kill += 1) {
        const node = start()
        await nodeSays(node, ({ behind_ms }) => behind_ms < 1_000 * WEEK_S * (1 - kill / offline))
        node.kill()
        await node.ended
      }
      // The others into the telling, each at another of the broker's acknowledgements: the node cuts
      // its own power there, so that no machine is too slow to hit it. What it forgets comes again.
      const throws = dice('kills', SEED)
      console.log(`seed ${SEED} (AUTOVOLT_NODE_SEED repeats it)`)
      let acknowledged = 0
      for (let kill = Math.max(1, offline); kill <= KILLS; kill += 1) {
        const acks = throws.between(1, ACKS_BETWEEN_KILLS)
        const { code, account } = await start('--cut-after-acks', String(acks)).ended
        expect({ code, account }).toEqual({ code: null, account: undefined })
        acknowledged += acks
      }
      const last = start()
      await nodeSays(last, isDone)
      const account = await endNode(last)
      console.log(`${KILLS} kills; ${acknowledged} messages were acknowledged between the replay's`)
      expect(account.boots).toBe(KILLS + 1)
      const lostMws = account.truth_mws - account.counter_mws
      expect(lostMws).toBeGreaterThanOrEqual(0)
      expect(lostMws).toBeLessThanOrEqual(KILLS * PERIOD_S * RATED_MW)
      await expectCounter('esp32-killed', account)
    },
    LIMIT_MS,
  )

  it(
    'that counts for an hour has published exactly what its loads took',
    async () => {
      await site.provision('esp32-hour', 'Native')
      const node = startNode(
        site,
        'esp32-hour',
        ...['--backdate-seconds', '3600', '--speed', String(HOUR_SPEED), '--period-ms', '5000'],
        ...['--drain-seconds', '60'],
      )
      await nodeSays(node, isDone)
      const account = await endNode(node)
      expect(account.sequence_no).toBeGreaterThanOrEqual(720)
      expect(account.counter_mws).toBe(account.truth_mws)
      await expectCounter('esp32-hour', account)
    },
    HOUR_LIMIT_MS,
  )

  it('that loses its power in the one boot of a new image is back on the former one', async () => {
    await site.provision('esp32-trial', 'Native')
    const slots = join(site.dataDir, 'native', 'esp32-trial.slots')
    mkdirSync(dirname(slots), { recursive: true })
    // As an update leaves it: 2.2.0 in place and not booted yet.
    const written = Buffer.alloc(65)
    written.write('2.2.0', 0)
    written.write('2.0.0-linux', 32)
    written.writeUInt8(1, 64)
    writeFileSync(slots, written)
    const trying = startNode(site, 'esp32-trial', '--port', '1')
    await trying.account()
    expect(readFileSync(slots).readUInt8(64)).toBe(2)
    trying.kill()
    await trying.ended
    const back = startNode(site, 'esp32-trial')
    await eventually(async () => {
      const { body } = await site.get('/nodes?classroom=Native')
      expect(body.nodes).toContainEqual(
        expect.objectContaining({ esp32_name: 'esp32-trial', firmware_ver: '2.0.0-linux' }),
      )
    })
    await endNode(back)
  })
})
