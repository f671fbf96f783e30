import { describe, expect, it } from 'vitest'
import { roleOf, statements, synthesize } from './synthesized.ts'

const app = synthesize('prod')
const all = statements(app)

/** What a function may do to tables, indexes and streams: `{ledger: ['PutItem', …]}`. */
function rightsOf(functionName: string): Record<string, string[]> {
  const role = roleOf(app, functionName)
  const rights: Record<string, string[]> = {}
  for (const statement of all.filter((each) => each.role === role)) {
    const actions = statement.actions.filter((action) => action.startsWith('dynamodb:'))
    if (actions.length === 0) continue
    expect(statement.effect).toBe('Allow')
    for (const resource of statement.resources) {
      const name = resource.replace(/^Arn:autovolt-prod-/, '')
      rights[name] = [
        ...(rights[name] ?? []),
        ...actions.map((action) => action.replace('dynamodb:', '')),
      ].sort()
    }
  }
  return rights
}

const reading = ['DescribeStream', 'GetRecords', 'GetShardIterator']

describe('a function may do to tables what its job needs, and nothing else', () => {
  it.each([
    [
      'ingest',
      { telemetry: ['GetItem', 'PutItem'], quarantine: ['PutItem'], control: ['UpdateItem'] },
    ],
    [
      'ingest-http',
      {
        telemetry: ['GetItem', 'PutItem'],
        quarantine: ['PutItem'],
        nodes: ['GetItem'],
        control: ['UpdateItem'],
      },
    ],
    [
      'presence',
      {
        nodes: ['GetItem', 'PutItem', 'UpdateItem'],
        control: ['UpdateItem'],
        quarantine: ['PutItem'],
      },
    ],
    [
      'ledger',
      {
        ledger: ['GetItem', 'PutItem', 'Query'],
        nodes: ['GetItem', 'PutItem', 'Query'],
        control: ['GetItem', 'PutItem', 'UpdateItem'],
        quarantine: ['PutItem'],
        'StreamArn:autovolt-prod-telemetry': reading,
        '*': ['ListStreams'],
      },
    ],
    [
      'rollup',
      {
        ledger: ['GetItem', 'Query'],
        nodes: ['GetItem', 'PutItem', 'Query', 'Scan', 'UpdateItem'],
        rollups: ['GetItem', 'PutItem', 'Query'],
        control: ['GetItem', 'PutItem', 'Query', 'UpdateItem'],
      },
    ],
    [
      'tally',
      {
        control: ['PutItem', 'UpdateItem'],
        'StreamArn:autovolt-prod-telemetry': reading,
        'StreamArn:autovolt-prod-ledger': reading,
        '*': ['ListStreams'],
      },
    ],
    [
      'api',
      {
        ledger: ['GetItem', 'Query'],
        nodes: ['GetItem', 'Query', 'Scan'],
        'nodes/index/by-classroom': ['Query'],
        rollups: ['GetItem', 'Query'],
        control: ['GetItem', 'Query'],
      },
    ],
    [
      'probe',
      {
        ledger: ['GetItem', 'Query'],
        nodes: ['GetItem', 'Query'],
        'nodes/index/by-classroom': ['Query'],
        rollups: ['GetItem', 'Query'],
        control: ['GetItem', 'Query'],
      },
    ],
    ['backup', { nodes: ['Scan'], control: ['Scan'] }],
    ['admin', { rollups: ['Query'], control: ['GetItem', 'PutItem', 'Query'] }],
    ['operate', { nodes: ['PutItem', 'Query'], control: ['GetItem', 'PutItem'] }],
    ['provisioning-hook', { nodes: ['GetItem'], control: ['GetItem', 'UpdateItem'] }],
    [
      'reconcile',
      {
        telemetry: ['Query'],
        ledger: ['Query'],
        nodes: ['Query', 'Scan'],
        rollups: ['GetItem'],
        quarantine: ['Query'],
        control: ['GetItem', 'PutItem', 'Query'],
      },
    ],
    [
      'recalculate',
      {
        rollups: ['GetItem', 'PutItem', 'Query'],
        control: ['GetItem', 'PutItem', 'Query'],
      },
    ],
  ])('%s', (name, expected) => {
    expect(rightsOf(`autovolt-prod-${name}`)).toEqual(expected)
  })

  it('and these are all functions', () => {
    const names = app
      .ofType('AWS::Lambda::Function')
      .map(({ properties }) => properties.FunctionName)
    expect(names.sort()).toEqual([
      'autovolt-prod-admin',
      'autovolt-prod-api',
      'autovolt-prod-backup',
      'autovolt-prod-ingest',
      'autovolt-prod-ingest-http',
      'autovolt-prod-ledger',
      'autovolt-prod-operate',
      'autovolt-prod-pre-token',
      'autovolt-prod-presence',
      'autovolt-prod-probe',
      'autovolt-prod-provisioning-hook',
      'autovolt-prod-recalculate',
      'autovolt-prod-reconcile',
      'autovolt-prod-rollup',
      'autovolt-prod-tally',
    ])
  })
})

describe('a function may start', () => {
  const starts = (name: string) =>
    all
      .filter(({ role, actions }) => {
        return role === roleOf(app, name) && actions.includes('lambda:InvokeFunction')
      })
      .flatMap(({ resources }) => resources)

  it('the recalculation, when admins order one', () => {
    expect(starts('autovolt-prod-admin')).toEqual(['Arn:autovolt-prod-recalculate:live'])
  })

  it('those who repair what a nightly run finds, and itself to go on', () => {
    expect(starts('autovolt-prod-reconcile')).toEqual([
      expect.stringMatching(/^arn:aws:lambda:ap-south-1:.+:function:autovolt-prod-reconcile:live$/),
      'Arn:autovolt-prod-ledger:live',
      'Arn:autovolt-prod-rollup:live',
    ])
  })

  it('a reconciliation, when an operator asks for one, and the ledger, when one decides', () => {
    expect(starts('autovolt-prod-operate')).toEqual([
      'Arn:autovolt-prod-ledger:live',
      'Arn:autovolt-prod-reconcile:live',
    ])
  })

  it('itself, to go on with what the ledger owes', () => {
    expect(starts('autovolt-prod-ledger')).toEqual([
      expect.stringMatching(/^arn:aws:lambda:ap-south-1:.+:function:autovolt-prod-ledger:live$/),
    ])
  })

  it('itself, to go on with a recalculation', () => {
    expect(starts('autovolt-prod-recalculate')).toEqual([
      expect.stringMatching(
        /^arn:aws:lambda:ap-south-1:.+:function:autovolt-prod-recalculate:live$/,
      ),
    ])
  })
})

describe('the ledger', () => {
  const reads = ['dynamodb:GetItem', 'dynamodb:Query']
  const onLedger = all.filter(({ resources }) =>
    resources.some((resource) => /^Arn:autovolt-prod-ledger($|\/)/.test(resource)),
  )

  it('is written by one function, with puts', () => {
    const writers = onLedger.flatMap(({ role, actions }) =>
      actions
        .filter((action) => action.startsWith('dynamodb:') && !reads.includes(action))
        .map((action) => `${role} ${action}`),
    )
    expect(writers).toEqual([`${roleOf(app, 'autovolt-prod-ledger')} dynamodb:PutItem`])
  })

  it('is not reached through a wildcard', () => {
    for (const { role, actions, resources } of all) {
      expect(actions.filter((action) => action.includes('*'))).toEqual([])
      // Objects of buckets are named by run, day and delivery, and topics by their node.
      const others = resources.filter(
        (each) =>
          !/(Anchors.*\/(anchors|manifests)\/\*|topic\/autovolt\/\*\/resend|:(thing|cert|thinggroup\/autovolt-prod-room-)\/?\*)$/.test(
            each,
          ) &&
          !/(Archive.*\/(raw|error|registry)\/\*|FirmwareBucket[0-9A-F]{8}\/images\/\*|ArchiveBucket[0-9A-F]{8}\/\*|-archive-replica-.*\/\*)$/.test(
            each,
          ),
      )
      for (const resource of others.filter((each) => each.includes('*'))) {
        expect(resource).toBe('*')
        expect(['dynamodb:ListStreams', 'cloudwatch:DescribeAlarms'], role).toContain(
          actions.join(),
        )
      }
    }
  })

  it('has no policy of its own that would open it to others', () => {
    for (const { properties } of app.ofType('AWS::DynamoDB::Table')) {
      expect(properties.ResourcePolicy).toBeUndefined()
    }
  })
})

describe('roles', () => {
  it('have no managed and no inline policies besides those seen here', () => {
    for (const { id, properties } of app.ofType('AWS::IAM::Role')) {
      expect(properties.ManagedPolicyArns, id).toBeUndefined()
      expect(properties.Policies, id).toBeUndefined()
    }
    expect(app.ofType('AWS::IAM::ManagedPolicy')).toEqual([])
    expect(app.ofType('AWS::IAM::User')).toEqual([])
  })

  it('of functions log to the log group of their function only', () => {
    for (const { properties } of app.ofType('AWS::Lambda::Function')) {
      const logging = all.filter(
        ({ role, actions }) =>
          role === roleOf(app, properties.FunctionName) &&
          actions.some((action) => action.startsWith('logs:')),
      )
      expect(logging.map(({ actions, resources }) => ({ actions, resources }))).toEqual([
        {
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [`Arn:/aws/lambda/${properties.FunctionName}`],
        },
      ])
    }
  })
})
