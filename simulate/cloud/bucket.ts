import {
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Anchor } from '../../functions/reconcile/look.ts'
import type { Objects } from '../../local/s3/objects.ts'

/** Runs a call as the cloud does, with what may go wrong before and after it. */
export type Around = <T>(name: string, call: () => Promise<T>) => Promise<T>

/** A client of one bucket over the local append-only store of objects, whose puts go wrong. */
export function bucketClient(objects: Objects, around: Around): S3Client {
  const send = async (command: unknown): Promise<unknown> => {
    if (command instanceof PutObjectCommand) {
      const { Key = '', Body, ContentType = '' } = command.input
      return around(Key, async () => objects.put(Key, Buffer.from(String(Body)), ContentType))
    }
    if (command instanceof GetObjectCommand) {
      const stored = objects.get(command.input.Key ?? '')
      if (stored === undefined) throw new NoSuchKey({ $metadata: {}, message: 'no such key' })
      const text = stored.body.toString()
      return { Body: { transformToString: async () => text } }
    }
    if (command instanceof ListObjectsV2Command) {
      const { Prefix = '', StartAfter = '' } = command.input
      const found = objects.list().filter(({ key }) => key.startsWith(Prefix) && key > StartAfter)
      return { Contents: found.map(({ key }) => ({ Key: key })) }
    }
    throw new Error('the simulated bucket knows put, get and list only')
  }
  return { send } as unknown as S3Client
}

/** Every anchor that was kept, by register. */
export function anchors(objects: Objects): ReadonlyMap<string, readonly Anchor[]> {
  const texts = objects
    .list()
    .filter(({ key }) => key.startsWith('anchors/'))
    .map(({ key }) => String(objects.get(key)?.body))
  const all = texts.flatMap((text) => JSON.parse(text) as Anchor[])
  return Map.groupBy(all, ({ register }) => register)
}
