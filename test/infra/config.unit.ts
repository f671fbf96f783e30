import { describe, expect, it } from 'vitest'
import { parseStageConfig } from '../../infra/config.ts'
import { stageConfig } from '../../infra/stages.ts'

describe('the defaults', () => {
  it('are those of a site in India', () => {
    expect(
      parseStageConfig({ stage: 'prod', corsOrigins: ['https://energy.example.org'] }),
    ).toEqual({
      stage: 'prod',
      region: 'ap-south-1',
      siteTimeZone: 'Asia/Kolkata',
      currency: 'INR',
      rawRetentionDays: 730,
      quarantineRetentionDays: 90,
      logRetentionDays: 30,
      logLevel: 'WARN',
      protectData: true,
      rollout: 'canary',
      corsOrigins: ['https://energy.example.org'],
      tallyWindowSeconds: 60,
      ledgerWindowSeconds: 1,
      reconcileWorkers: 32,
      tableLimits: { readUnits: 2000, writeUnits: 1000 },
      apiThrottle: { rate: 200, burst: 400 },
      archive: {
        bufferSeconds: 300,
        bufferMb: 64,
        coldAfterDays: 90,
        replicaRegion: 'ap-southeast-1',
      },
    })
  })
})

describe('a wrong configuration', () => {
  const wrong = (overrides: object) => () => stageConfig('prod', overrides)

  it.each([
    [{ logRetentionDays: 10 }, 'logRetentionDays: must be one of 1, 3, 5, 7, 14,'],
    [{ logRetentionDays: 10 }, '(is 10)'],
    [{ siteTimeZone: 'India' }, 'siteTimeZone: must be an IANA time zone such as Asia/Kolkata'],
    [{ siteTimeZone: '+05:30' }, '(is "+05:30")'],
    [{ currency: 'Rs' }, 'currency: must be an ISO 4217 code such as INR (is "Rs")'],
    [{ region: 'Mumbai' }, 'region: must be an AWS region such as ap-south-1 (is "Mumbai")'],
    [{ account: '123' }, 'account: must be 12 digits (is "123")'],
    [{ alarmEmail: 'ops' }, 'alarmEmail: must be an e-mail address (is "ops")'],
    [{ onCallEmail: '' }, 'onCallEmail: must be an e-mail address (is "")'],
    [{ corsOrigins: [] }, 'corsOrigins: must name at least one origin'],
    [{ corsOrigins: ['*'] }, 'corsOrigins.0: must be an origin'],
    [{ corsOrigins: ['http://energy.example.org'] }, '(is "http://energy.example.org")'],
    [{ corsOrigins: ['https://energy.example.org/'] }, 'corsOrigins.0: must be an origin'],
    [{ tallyWindowSeconds: 601 }, 'tallyWindowSeconds'],
    [{ tallyWindowSeconds: 1.5 }, '(is 1.5)'],
    [{ rawRetentionDays: 0 }, 'rawRetentionDays'],
    [{ apiThrottle: { rate: 0, burst: 1 } }, 'apiThrottle.rate'],
    [{ archive: { bufferSeconds: 901 } }, 'archive.bufferSeconds'],
    [{ archive: { replicaRegion: 'ap-south-1' } }, 'archive.replicaRegion: must be another region'],
    [{ archive: { expireAfterDays: 730 } }, 'must be more than rawRetentionDays, 730 (is 730)'],
    [{ archive: { deepAfterDays: 100 } }, 'deepAfterDays must be at least coldAfterDays + 90'],
    [{ rollout: 'blue-green' as 'canary' }, '(is "blue-green")'],
    [{ tallyWindow: 3 }, 'tallyWindow'],
    [{ formerSystem: { url: 'former.example', nodes: ['a'] } }, '(is "former.example")'],
    [{ formerSystem: { url: 'http://former.example/', nodes: ['a'] } }, 'must begin with https'],
    ...['https://us:secret@former.example/', 'https://former.example/?key=secret'].map(
      (url): [object, string] => [
        { formerSystem: { url, nodes: ['a'] } },
        'formerSystem.url: must hold no user, password or query',
      ],
    ),
    [{ formerSystem: { url: 'https://former.example/' } }, 'must name 1 to 100 nodes and class'],
    [{ formerSystem: { url: 'https://former.example/', nodes: ['a b'] } }, 'formerSystem.nodes.0'],
  ])('%j is refused with "%s"', (overrides, message) => {
    expect(wrong(overrides)).toThrow(message)
  })

  it('names every wrong field at once', () => {
    expect(wrong({ currency: 'x', region: 'y' })).toThrow(/region.*\n.*currency/)
  })

  it('names the stages there are', () => {
    expect(() => stageConfig('production')).toThrow(
      'stage must be one of local, dev, staging, prod (is "production")',
    )
  })
})

describe('the stages', () => {
  it.each([
    ['local', false, 2],
    ['dev', true, 10],
    ['staging', true, 60],
    ['prod', true, 60],
  ])('%s protects its data: %s, tallies every %i s', (stage, protectData, tallyWindowSeconds) => {
    expect(stageConfig(stage)).toMatchObject({ stage, protectData, tallyWindowSeconds })
  })

  it('take what is given for this synthesis, and nothing for what is undefined', () => {
    const config = stageConfig('prod', { alarmEmail: 'ops@example.org', region: undefined })
    expect(config).toMatchObject({ alarmEmail: 'ops@example.org', region: 'ap-south-1' })
  })
})
