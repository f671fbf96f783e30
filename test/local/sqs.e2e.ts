import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { expect, it } from 'vitest'
import { startLocal } from '../../local/boot.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { tinyApp } from './fixture/app.ts'
import { temporary } from './fixture/temporary.ts'

it('the control endpoint serves queues to an SDK client, and they survive a restart', async () => {
  const options = {
    app: tinyApp({ probeUrl: 'http://127.0.0.1:9' }),
    dataDir: temporary(),
    httpPort: 0,
    mqttPort: 0,
    fresh: false,
    fleet: false,
  }
  const QueueName = 'autovolt-local-failures'
  {
    await using stack = await startLocal(options)
    const client = new SQSClient(localClient(stack.endpoints.control, 'ap-south-1'))
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName }))
    expect(await client.send(new ListQueuesCommand({}))).toMatchObject({ QueueUrls: [QueueUrl] })
    await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'first',
        MessageAttributes: { reason: { DataType: 'String', StringValue: 'test' } },
      }),
    )
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'second' }))
    const received = await client.send(new ReceiveMessageCommand({ QueueUrl }))
    expect(received.Messages).toMatchObject([
      { Body: 'first', MessageAttributes: { reason: { StringValue: 'test' } } },
    ])
    const ReceiptHandle = received.Messages?.[0]?.ReceiptHandle
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
    await expect(
      client.send(new SendMessageCommand({ QueueUrl: `${QueueUrl}-not`, MessageBody: 'x' })),
    ).rejects.toMatchObject({ name: 'QueueDoesNotExist' })
    client.destroy()
  }
  await using stack = await startLocal(options)
  const client = new SQSClient(localClient(stack.endpoints.control, 'ap-south-1'))
  const QueueUrl = stack.endpoints.queues[QueueName]
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  )
  expect(Attributes).toMatchObject({
    QueueArn: 'arn:aws:sqs:ap-south-1:000000000000:autovolt-local-failures',
    ApproximateNumberOfMessages: '1',
  })
  client.destroy()
})
