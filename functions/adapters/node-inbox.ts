import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane'
import { ResendRequest } from '../contract/commands.ts'

/** Asks nodes for readings again, on the topic that each reads. */
export interface NodeInbox {
  resend(esp32Name: string, request: ResendRequest): Promise<void>
}

/** The client is made with the first request, which few runs see. */
export function nodeInbox(): NodeInbox {
  let client: IoTDataPlaneClient | undefined
  return {
    async resend(esp32Name, request) {
      client ??= new IoTDataPlaneClient({})
      const payload = Buffer.from(JSON.stringify(ResendRequest.parse(request)))
      const topic = `autovolt/${esp32Name}/resend`
      await client.send(new PublishCommand({ topic, qos: 1, payload }))
    },
  }
}
