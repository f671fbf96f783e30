import { createPrivateKey } from 'node:crypto'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseCampus } from '../../cli/provisioning/campus-file.ts'
import { openCampusLog } from '../../cli/provisioning/campus-log.ts'
import { groupName } from '../../cli/provisioning/group.ts'
import {
  forgetPending,
  type Issuer,
  isPending,
  makeIdentity,
} from '../../cli/provisioning/identity.ts'

const read = (text: string) => parseCampus(text, 'campus.csv')

describe('a campus file', () => {
  test('has nodes, classrooms, ratings, channels and serial numbers', () => {
    const rows = read(
      [
        '# the east wing',
        'node,classroom,rating_w,rollover_wh,channels,serial',
        'esp32-1,B2-101,2000.5,9999990,light-1:72;fan:a:75,24:6F:28:AA:BB:CC',
        '',
        'esp32-2, Room 7 ,,,,',
      ].join('\n'),
    )
    expect(rows).toEqual([
      {
        line: 3,
        serial: '246f28aabbcc',
        entry: {
          esp32Name: 'esp32-1',
          classroom: 'B2-101',
          ratingMw: 2_000_500,
          rolloverMwh: 9_999_990_000,
          channels: [
            { device_id: 'light-1', ratingMw: 72_000 },
            { device_id: 'fan:a', ratingMw: 75_000 },
          ],
        },
      },
      { line: 5, entry: { esp32Name: 'esp32-2', classroom: 'Room 7', channels: [] } },
    ])
    expect(read('classroom,node\nA,n1')).toEqual([
      { line: 2, entry: { esp32Name: 'n1', classroom: 'A', channels: [] } },
    ])
  })

  test('tells every wrong row with its line, column, limit and value', () => {
    const wrong = () =>
      read(
        [
          'node,classroom,rating_w,channels,serial',
          'a b,A,,,',
          'n1,A,-5,,',
          'n2,A,,light,',
          'n3,,,,',
          'n4,A,x,,24:6F',
          'n5,A,,,000000000001',
          'n5,A,,,000000000002',
          'n6,A,,,000000000001',
        ].join('\n'),
      )
    expect(wrong).toThrow(
      [
        'campus.csv:2: node: esp32_name must be 1 to 128 of the characters a-z A-Z 0-9 : _ - (is "a b")',
        'campus.csv:3: rating_w: must be a number of at most three decimals, not negative (is "-5")',
        'campus.csv:4: channels must be <id>:<watts> (is "light")',
        'campus.csv:5: classroom must be 1 to 128 characters, without # and control characters (is "")',
        'campus.csv:6: rating_w: must be a number of at most three decimals, not negative (is "x"); serial must be a MAC address of 12 hexadecimal digits (is "24:6F")',
        'campus.csv:8: node "n5" is in line 7 already',
        'campus.csv:9: serial "000000000001" is in line 7 already',
      ].join('\n'),
    )
  })

  test.each([
    ['node,classroom,room\nn,A,B', 'campus.csv:1: there is no column "room"'],
    [
      'node;classroom\nn;A',
      'campus.csv:1: there is no column "node;classroom", only node, classroom, rating_w, rollover_wh, channels, serial, parted by commas',
    ],
    ['node,rating_w\nn,5', 'campus.csv:1: the column "classroom" is missing'],
    ['node,classroom,classroom\nn,A,B', 'campus.csv:1: the column "classroom" is there twice'],
    ['node,classroom\nsite,A', 'campus.csv:2: node: esp32_name "site"'],
    ['node,classroom\nclassroom:B2,A', 'campus.csv:2: node: esp32_name "site"'],
    ['node,classroom\n', 'campus.csv: there is no row below the header'],
    ['node,classroom\nn,A,5', 'campus.csv: Invalid Record Length'],
  ])('refuses %j', (text, message) => {
    expect(() => read(text)).toThrow(message)
  })
})

test('every classroom has a group of its own, with a name AWS takes', () => {
  expect(groupName('prod', 'B2-101')).toBe('autovolt-prod-room-B2-101')
  const names = ['Room 7', 'Room_7', 'Room/7', 'कक्षा ७', 'x'.repeat(128)].map((room) =>
    groupName('prod', room),
  )
  expect(new Set(names).size).toBe(5)
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9:_-]{1,128}$/)
})

describe('an identity', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'autovolt-identity-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const at = (name: string) => readFileSync(join(folder, name), 'utf8')

  /** AWS as a machine that dies before a step: what was asked of it is remembered. */
  function cloud(dies: 'before signing' | 'after signing' | 'installing' | 'told' | null) {
    const requests: string[] = []
    const installed: string[] = []
    const issuer: Issuer = {
      async sign(csr) {
        if (dies === 'before signing') throw new Error('died')
        requests.push(csr)
        if (dies === 'after signing') throw new Error('died')
        return { id: `id${requests.length}`, arn: `arn${requests.length}`, pem: `pem of ${csr}` }
      },
      async install(_, id) {
        if (dies === 'installing') throw new Error('died')
        installed.push(id)
      },
    }
    const made = async () => {
      if (dies === 'told') throw new Error('died')
    }
    return { issuer, made, requests, installed }
  }
  const make = ({ issuer, made }: ReturnType<typeof cloud>) =>
    makeIdentity(folder, 'n1', 'ca', issuer, { nowMs: 1, made })

  test('is a key that only its owner can read, and the certificate made for it', async () => {
    const well = cloud(null)
    expect(await make(well)).toEqual({ certificateId: 'id1', certificateArn: 'arn1' })
    expect(readdirSync(folder).sort()).toEqual(['ca.crt', 'device.crt', 'device.key'])
    expect(statSync(join(folder, 'device.key')).mode & 0o777).toBe(0o600)
    expect(createPrivateKey(at('device.key')).asymmetricKeyDetails).toEqual({
      namedCurve: 'prime256v1',
    })
    expect(isPending(folder)).toBe(false)
  })

  test.each([
    ['before signing', 0],
    ['after signing', 1],
    ['installing', 1],
    ['told', 1],
  ] as const)('that was ended %s is completed with the same key', async (dies, asked) => {
    const first = cloud(dies)
    await expect(make(first)).rejects.toThrow('died')
    expect(first.requests).toHaveLength(asked)
    expect(isPending(folder)).toBe(true)
    const key = at('next.key')
    const second = cloud(null)
    await make(second)
    expect(at('device.key')).toBe(key)
    // A signature whose answer came is not asked for again.
    expect(second.requests).toHaveLength(dies === 'installing' || dies === 'told' ? 0 : 1)
    expect(second.installed).toHaveLength(1)
  })

  test('keeps the one before it, and is forgotten whole', async () => {
    await make(cloud(null))
    const former = at('device.key')
    await expect(make(cloud('installing'))).rejects.toThrow('died')
    expect(at('device.key')).toBe(former)
    expect(forgetPending(folder)).toEqual({ id: 'id1', arn: 'arn1' })
    expect(isPending(folder)).toBe(false)
    await make(cloud(null))
    expect(at('former.key')).toBe(former)
    expect(at('device.key')).not.toBe(former)
  })
})

test('the log of a campus tells where each node stands, whatever a kill left of its last line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'autovolt-log-'))
  try {
    const log = openCampusLog(folder, 'local')
    log.write('n1', 'begun')
    log.write('n1', 'made', 'id1')
    log.write('n1', 'done')
    log.write('n2', 'begun')
    log.write('n3', 'allowed')
    appendFileSync(log.path, '{"node":"n2","step":"do')
    const again = openCampusLog(folder, 'local')
    expect(['n1', 'n2', 'n3', 'n4'].map(again.stepOf)).toEqual([
      'done',
      'begun',
      'allowed',
      undefined,
    ])
    expect(again.unfinished()).toEqual(['n2'])
    again.write('n2', 'done')
    expect(openCampusLog(folder, 'local').unfinished()).toEqual([])
    expect(openCampusLog(folder, 'prod').stepOf('n1')).toBeUndefined()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
