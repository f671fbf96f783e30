import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { expect, it } from 'vitest'
import { presentOf } from '../../cli/stack/clock.ts'

/** A table in a cloud whose clock shows `date`. */
function cloud(date: string | undefined) {
  const headers = date === undefined ? {} : { date }
  const plain = new DynamoDBClient({
    region: 'ap-south-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: {
      handle: async () => ({ response: { statusCode: 200, headers, body: Buffer.from('{}') } }),
    },
  })
  const client = DynamoDBDocumentClient.from(plain)
  const ask = () => client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: 'a' } } }))
  return { client, ask }
}

const at = (time: string) => () => Date.parse(`2026-01-15T${time}Z`)

it.each([
  ['right', '20:30:07.250', '2026-01-15T20:30:07.250Z'],
  ['an hour behind', '19:30:07.250', '2026-01-15T20:30:07.000Z'],
  ['a moment behind', '20:30:06.999', '2026-01-15T20:30:07.000Z'],
  ['an hour ahead', '21:30:07.250', '2026-01-15T20:30:08.000Z'],
])(
  'a clock that is %s names nothing by another instant than the cloud has',
  async (_, here, is) => {
    const { client, ask } = cloud('Thu, 15 Jan 2026 20:30:07 GMT')
    const present = await presentOf({ kind: 'aws' }, client, ask, at(here))
    expect(new Date(present).toISOString()).toBe(is)
    // Asked again, it is the answer then that counts.
    expect(await presentOf({ kind: 'aws' }, client, ask, at(here))).toBe(present)
  },
)

it('an answer without a date is refused, not guessed', async () => {
  const { client, ask } = cloud(undefined)
  const present = presentOf({ kind: 'aws' }, client, ask, at('20:30:07'))
  await expect(present).rejects.toThrow('AWS answered with no date')
})

it('a local stack has the clock of its machine', async () => {
  const { client } = cloud(undefined)
  const ask = () => expect.fail('it was asked')
  const present = await presentOf({ kind: 'local' }, client, ask, at('20:30:07'))
  expect(new Date(present).toISOString()).toBe('2026-01-15T20:30:07.000Z')
})
