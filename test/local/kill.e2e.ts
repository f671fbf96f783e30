import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { expect, it } from 'vitest'
import { startLocal } from '../../local/boot.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import type { Endpoints } from '../../local/runtime.ts'
import { tinyApp } from './fixture/app.ts'
import { eventually, startProbe } from './fixture/probe.ts'
import { temporary } from './fixture/temporary.ts'

interface Running {
  child: ChildProcess
  accepted: number[]
  endpoints: Promise<Endpoints>
}

const run = (dataDir: string, probeUrl: string, events: number): Running => {
  const child = fork(
    join(import.meta.dirname, 'fixture', 'run.ts'),
    [dataDir, probeUrl, String(events)],
    { execArgv: [] },
  )
  const accepted: number[] = []
  const endpoints = new Promise<Endpoints>((resolve) => {
    child.on('message', (message: { accepted?: number; endpoints?: Endpoints }) => {
      if (message.accepted) accepted.push(message.accepted)
      if (message.endpoints) resolve(message.endpoints)
    })
  })
  return { child, accepted, endpoints }
}

const kill = async (child: ChildProcess) => {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const databaseOf = (dataDir: string) => Number(readFileSync(join(dataDir, 'dynamodb.pid'), 'utf8'))

it('kill -9 loses no accepted event and no stream record, and takes the database along', async () => {
  await using probe = await startProbe()
  // Nothing succeeds before the kill: all of it must be there afterwards.
  probe.verdict = () => 'not yet'
  const dataDir = temporary()
  const first = run(dataDir, probe.url, 50)
  const endpoints = await first.endpoints
  expect(first.accepted).toHaveLength(50)
  const client = new DynamoDBClient(localClient(endpoints.dynamodb, 'ap-south-1'))
  for (let n = 1; n <= 20; n += 1) {
    const Item = { id: { S: `key-${n % 5}` }, n: { N: String(n) } }
    await client.send(new PutItemCommand({ TableName: 'autovolt-local-things', Item }))
  }
  client.destroy()
  const database = databaseOf(dataDir)
  await kill(first.child)
  await eventually(() => (existsSync(`/proc/${database}`) ? undefined : true))

  probe.told.length = 0
  probe.verdict = () => undefined
  await using _stack = await startLocal({
    app: tinyApp({ probeUrl: probe.url }),
    dataDir,
    httpPort: 0,
    mqttPort: 0,
    fresh: false,
    fleet: false,
  })
  const events = () => new Set(probe.told.flatMap((it) => it.event?.n ?? []))
  const records = () =>
    new Set(probe.told.flatMap((it) => it.record?.dynamodb.SequenceNumber ?? []))
  await probe.until(() => events().size === 50 && records().size === 20)
})

it('a second stack on a data directory is refused; after kill -9 it is not', async () => {
  await using probe = await startProbe()
  const dataDir = temporary()
  const first = run(dataDir, probe.url, 0)
  await first.endpoints
  const options = {
    app: tinyApp({ probeUrl: probe.url }),
    dataDir,
    httpPort: 0,
    mqttPort: 0,
    fresh: false,
    fleet: false,
  }
  await expect(startLocal(options)).rejects.toThrow(
    `A local stack (process ${first.child.pid}) already runs on the data directory ${dataDir}`,
  )
  expect(existsSync(join(dataDir, 'endpoints.json'))).toBe(true)
  await kill(first.child)
  await using stack = await startLocal(options)
  expect(stack.endpoints.pid).toBe(process.pid)
})
