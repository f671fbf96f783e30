import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { expect, it } from 'vitest'
import { startLocal } from '../../local/boot.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { tinyApp } from './fixture/app.ts'
import { eventually, startProbe } from './fixture/probe.ts'
import { temporary } from './fixture/temporary.ts'

const start = (dataDir: string, probeUrl: string) =>
  startLocal({
    app: tinyApp({ probeUrl, consumer: 'allOrNothing' }),
    dataDir,
    httpPort: 0,
    mqttPort: 0,
    fresh: false,
    fleet: false,
  })

it('the stack fails aloud when its database is gone', async () => {
  const dataDir = temporary()
  await using stack = await start(dataDir, 'http://127.0.0.1:9')
  process.kill(Number(readFileSync(join(dataDir, 'dynamodb.pid'), 'utf8')), 'SIGKILL')
  await expect(stack.failed).rejects.toThrow(/^The local database ended by itself \(exit 137/)
})

it('stream records all readers have done are trimmed, except the newest', async () => {
  await using probe = await startProbe()
  const dataDir = temporary()
  await using stack = await start(dataDir, probe.url)
  const client = new DynamoDBClient(localClient(stack.endpoints.dynamodb, 'ap-south-1'))
  const put = (n: number) =>
    client.send(
      new PutItemCommand({
        TableName: 'autovolt-local-things',
        Item: { id: { S: 'a' }, n: { N: String(n) } },
      }),
    )
  for (let n = 1; n <= 30; n += 1) await put(n)
  await probe.until((told) => told.flatMap((it) => it.ids).length === 30)

  const database = new DatabaseSync(join(dataDir, 'dynamodb.sqlite'), { readOnly: true })
  const left = database.prepare('SELECT sequence_number FROM _stream_records')
  const numbers = await eventually(() => {
    const rows = left.all().map((row) => row.sequence_number)
    return rows.length < 30 ? rows : undefined
  })
  expect(numbers).toEqual(['30'])
  database.close()
  // The numbers go on from the one kept, so the reader misses nothing.
  await put(31)
  await probe.until((told) => told.flatMap((it) => it.ids).length === 31)
  client.destroy()
})
