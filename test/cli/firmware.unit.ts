import { readFileSync } from 'node:fs'
import type { Job } from '@aws-sdk/client-iot'
import { describe, expect, it } from 'vitest'
import { imageKey, jobDocument } from '../../cli/firmware/document.ts'
import { checkImage, PROJECT, SLOT_BYTES } from '../../cli/firmware/image.ts'
import { releasePlace } from '../../cli/firmware/images.ts'
import { releaseImage, releaseName } from '../../cli/firmware/release.ts'
import { describeRollout, Percent, Rate, rolloutOf } from '../../cli/firmware/rollout.ts'
import { follow, type NodeProgress, waitedFor } from '../../cli/firmware/status.ts'
import { openAws } from '../../cli/stack/aws.ts'
import { simulatedImage } from '../../local/fleet/image.ts'

const root = new URL('../../', import.meta.url)

/** A valid image with bytes changed. */
function spoilt(change: (image: Buffer) => void): Buffer {
  const image = simulatedImage('1.1.0')
  change(image)
  return image
}

describe('an image', () => {
  it('that is whole is taken, with the version it says it is', () => {
    const image = checkImage(simulatedImage('1.1.0'))
    expect(image.version).toBe('1.1.0')
    expect(image.sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each<[string, Buffer, string]>([
    ['a text', Buffer.from('hello'), 'size must be at least 288 bytes (is 5)'],
    [
      'larger than a slot',
      Buffer.concat([simulatedImage('1.1.0'), Buffer.alloc(SLOT_BYTES)]),
      'size must be at most 1441792 bytes, an OTA slot (is 1466368)',
    ],
    ['no image', spoilt((it) => it.writeUInt8(0x7f, 0)), 'header magic must be 0xe9 (is 0x7f)'],
    [
      'for another chip',
      spoilt((it) => it.writeUInt16LE(9, 12)),
      'chip id must be 0, an ESP32 (is 9)',
    ],
    [
      'a bootloader',
      spoilt((it) => it.writeUInt32LE(0, 32)),
      'description magic must be 0xabcd5432 (is 0x00000000)',
    ],
    [
      'of another project',
      simulatedImage('1.1.0', 'blink'),
      'project_name must be autovolt-node (is "blink")',
    ],
    [
      'of a version that is no name',
      simulatedImage('1.1.0 final'),
      'version must be 1 to 31 letters, digits, or any of . _ - (is "1.1.0 final")',
    ],
    [
      'of too many segments',
      spoilt((it) => it.writeUInt8(17, 1)),
      'segment count must be 1 to 16 (is 17)',
    ],
    [
      'cut off',
      simulatedImage('1.1.0').subarray(0, 9_000),
      'end of segment 0 must be within 9000 bytes (is 16416)',
    ],
    ['with a bit turned', spoilt((it) => it.writeUInt8(1, 9_000)), 'checksum must be'],
    [
      'with two bits turned',
      spoilt((it) => {
        it.writeUInt8(1, 9_000)
        it.writeUInt8(1, 9_001)
      }),
      'sha-256 must be',
    ],
    ['without a hash', spoilt((it) => it.writeUInt8(0, 23)), 'hash_appended must be 1 (is 0)'],
    [
      'that is not signed',
      simulatedImage('1.1.0').subarray(0, 20_480),
      'size must be 24576 bytes, a signed image; see "Flashing" in docs/firmware.md (is 20480)',
    ],
    [
      'changed after it was signed',
      spoilt((it) => it.writeUInt8(0, 20_000)),
      'signed sha-256 must be',
    ],
  ])('%s is refused with field, limit and value', (_, bytes, message) => {
    expect(() => checkImage(bytes)).toThrow(message)
  })

  it('has the room of a slot and the name of the project', () => {
    const partitions = readFileSync(new URL('firmware/partitions.csv', root), 'utf8')
    for (const slot of ['ota_0', 'ota_1']) {
      const size = new RegExp(`^${slot},.*?(0x[0-9a-f]+),\\s*$`, 'm').exec(partitions)?.[1]
      expect(Number(size), slot).toBe(SLOT_BYTES)
    }
    const project = readFileSync(new URL('firmware/CMakeLists.txt', root), 'utf8')
    expect(project).toContain(`project(${PROJECT})`)
  })
})

it('the image of the documents is one, and no real node takes it', () => {
  const file = readFileSync(new URL('test/fixtures/firmware/2.1.0.bin', root))
  expect(checkImage(file).version).toBe('2.1.0')
  expect(file.equals(simulatedImage('2.1.0'))).toBe(true)
})

describe('a job', () => {
  it('is the three texts that a node reads, with an address to be signed', () => {
    const place = { region: 'ap-south-1', bucket: 'autovolt-prod-firmware-123456789012' }
    expect(JSON.parse(jobDocument('1.1.0', place))).toEqual({
      operation: 'update_firmware',
      version: '1.1.0',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of AWS IoT, not of JavaScript.
      url: '${aws:iot:s3-presigned-url:https://s3.ap-south-1.amazonaws.com/autovolt-prod-firmware-123456789012/images/autovolt-node-1.1.0.bin}',
    })
    const node = readFileSync(new URL('firmware/main/jobs.c', root), 'utf8')
    for (const member of Object.keys(JSON.parse(jobDocument('1.1.0', place)))) {
      expect(node).toContain(`"${member}"`)
    }
    expect(node).toContain('"update_firmware"')
    expect(imageKey('1.1.0')).toBe('images/autovolt-node-1.1.0.bin')
  })

  it('finds bucket and role of a stage by the account of its nodes', () => {
    const thing = 'arn:aws:iot:ap-south-1:123456789012:thing/esp32-a1'
    expect(releasePlace(openAws('prod', '.autovolt'), thing)).toEqual({
      region: 'ap-south-1',
      bucket: 'autovolt-prod-firmware-123456789012',
      roleArn: 'arn:aws:iam::123456789012:role/autovolt-prod-firmware-download',
    })
  })

  it('goes to no more nodes and groups than AWS IoT Jobs takes for one, and says so before it does anything', async () => {
    const rooms = Array.from({ length: 100 }, (_, n) => `B2-${n}`)
    const released = releaseImage(
      openAws('prod', '.autovolt'),
      checkImage(simulatedImage('1.1.0')),
      { nodes: ['esp32-a', 'esp32-a'], groups: [], classrooms: rooms, all: false },
      { rate: { maximumPerMinute: 1 }, abortAtPercent: 5, timeoutMinutes: 60 },
      (line) => expect.fail(line),
    )
    await expect(released).rejects.toThrow(
      'nodes and groups of a release must be at most 100 (are 101); make several releases',
    )
  })

  it('has a name AWS IoT and a node can hold, however long the version is', () => {
    const at = Date.parse('2026-11-26T05:04:36Z')
    expect(releaseName('prod', '1.1.0', at)).toBe('autovolt-prod-fw-1-1-0-261126050436')
    const longest = releaseName('staging', '1.'.repeat(15).concat('1'), at)
    expect(longest).toHaveLength(64)
    expect(longest).toMatch(/^[a-zA-Z0-9_-]+$/)
  })
})

describe('the rollout', () => {
  it('grows with what succeeds, unless a rate is given', () => {
    expect(Rate.parse('exponential')).toEqual({
      maximumPerMinute: 100,
      exponentialRate: {
        baseRatePerMinute: 5,
        incrementFactor: 1.5,
        rateIncreaseCriteria: { numberOfSucceededThings: 50 },
      },
    })
    expect(Rate.parse('exponential:200')).toMatchObject({
      maximumPerMinute: 200,
      exponentialRate: { baseRatePerMinute: 200 },
    })
    expect(Rate.parse('30')).toEqual({ maximumPerMinute: 30 })
  })

  it.each(['0', '1001', 'exponential:0', 'exponential:1001', 'fast', '-5', '1.5'])(
    'takes no rate of %s',
    (text) => {
      expect(Rate.safeParse(text).success).toBe(false)
    },
  )

  it.each(['0', '100.01', '5.001', '-1', 'five'])('stops at no share of %s percent', (text) => {
    expect(Percent.safeParse(text).success).toBe(false)
  })

  it('stops by all kinds of failure together; of a few nodes the first answer counts', () => {
    const given = { rate: Rate.parse('exponential'), abortAtPercent: 5, timeoutMinutes: 60 }
    const criteria = (nodes: number) => rolloutOf({ ...given, nodes }).abortConfig.criteriaList
    expect(criteria(300)).toEqual([
      {
        failureType: 'ALL',
        action: 'CANCEL',
        thresholdPercentage: 5,
        minNumberOfExecutedThings: 10,
      },
    ])
    expect(criteria(1)).toMatchObject([{ minNumberOfExecutedThings: 1 }])
    expect(criteria(11)).toMatchObject([{ minNumberOfExecutedThings: 2 }])
    expect(describeRollout(rolloutOf({ ...given, nodes: 300 }))).toBe(
      'from 5 a minute, 1.5 times as many for every 50 that succeed, 100 at most; stops when of at least 10 that are through 5 % failed; each has 60 minutes',
    )
  })
})

describe('waiting for a release', () => {
  /** @param asks what AWS IoT answers, the last of it for ever; every look takes a minute */
  const waiting = async (forMinutes: number, ...asks: Job[]) => {
    const told: string[] = []
    let minutes = 0
    const job = await follow(forMinutes * 60_000, {
      ask: async () => asks[Math.min(minutes, asks.length - 1)] ?? {},
      progress: (line) => told.push(line),
      now: () => minutes * 60_000,
      pause: async () => {
        minutes += 1
      },
    })
    return { status: job.status, told, minutes }
  }
  const open: Job = {
    status: 'IN_PROGRESS',
    jobProcessDetails: { numberOfSucceededThings: 2, numberOfQueuedThings: 1 },
  }

  it('ends when all are through', async () => {
    const whole: Job = { status: 'COMPLETED', jobProcessDetails: { numberOfSucceededThings: 3 } }
    expect(await waiting(240, open, open, whole)).toEqual({
      status: 'COMPLETED',
      told: ['IN_PROGRESS: 2 succeeded, 1 queued', 'COMPLETED: 3 succeeded'],
      minutes: 2,
    })
  })

  it('ends after its time while a node is switched off', async () => {
    expect(await waiting(240, open)).toEqual({
      status: 'IN_PROGRESS',
      told: ['IN_PROGRESS: 2 succeeded, 1 queued'],
      minutes: 240,
    })
    expect(await waiting(0, open)).toMatchObject({ status: 'IN_PROGRESS', minutes: 0 })
  })

  it('says which nodes it waits for, the first ten by name', () => {
    const at = (node: string, status: NodeProgress['status']): NodeProgress => ({
      node,
      status,
      sinceMs: undefined,
      reason: undefined,
    })
    const few = [at('a', 'SUCCEEDED'), at('b', 'QUEUED'), at('c', 'IN_PROGRESS'), at('d', 'FAILED')]
    expect(waitedFor(few)).toBe('b, c')
    const many = Array.from({ length: 12 }, (_, n) => at(`n${n}`, 'QUEUED'))
    expect(waitedFor(many)).toBe('n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, 2 more')
    expect(waitedFor([at('a', 'SUCCEEDED')])).toBe('nodes that have not heard of it')
  })
})
