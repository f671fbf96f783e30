import {
  CreateJobCommand,
  DescribeThingCommand,
  DescribeThingGroupCommand,
  type IoTClient,
  type JobExecutionsRolloutConfig,
  paginateListThingGroups,
  paginateListThingsInThingGroup,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot'
import { releasePrefix, thingGroupPrefix } from '../../infra/names.ts'
import { Failure } from '../failure.ts'
import { groupName } from '../provisioning/group.ts'
import { withIot } from '../provisioning/thing.ts'
import type { Stack } from '../stack/stack.ts'
import { jobDocument } from './document.ts'
import type { Image } from './image.ts'
import { releasePlace, uploadImage } from './images.ts'
import { describeRollout, rolloutOf } from './rollout.ts'

/** Which nodes get a release. */
export interface Selection {
  readonly nodes: readonly string[]
  /** Thing groups by their own names. */
  readonly groups: readonly string[]
  readonly classrooms: readonly string[]
  /** Every classroom there is. */
  readonly all: boolean
}

export interface ReleaseOptions {
  readonly rate: JobExecutionsRolloutConfig
  readonly abortAtPercent: number
  readonly timeoutMinutes: number
  readonly nowMs?: number
}

/** A release under way. */
export interface Released {
  readonly release: string
  readonly nodes: number
  /** How it goes through them, in words. */
  readonly rollout: string
}

/** AWS IoT signs addresses for an hour at most; a download that begins in time may end later. */
const ADDRESS_LIVES_S = 3600

/** AWS IoT Jobs takes no more things and groups for one job. */
const MOST_TARGETS = 100

/** Puts the image where nodes can fetch it, and makes the job. Each call makes another release. */
export async function releaseImage(
  stack: Stack,
  image: Image,
  selection: Selection,
  options: ReleaseOptions,
  progress: (line: string) => void,
): Promise<Released> {
  return withIot(stack, async (iot) => {
    const { arns, nodes } = await targetsOf(iot, stack, selection)
    const place = releasePlace(stack, arns[0] ?? '')
    progress(`image ${image.version}: ${image.bytes.length} bytes, sha-256 ${image.sha256}`)
    const isNew = await uploadImage(stack, place.bucket, image)
    progress(`${isNew ? 'put into' : 'lies already in'} ${place.bucket}`)
    const release = releaseName(stack.stage, image.version, options.nowMs ?? Date.now())
    const rollout = rolloutOf({ ...options, nodes: nodes.size })
    await iot.send(
      new CreateJobCommand({
        jobId: release,
        description: `autovolt-node ${image.version}, sha-256 ${image.sha256}`,
        targets: arns,
        targetSelection: 'SNAPSHOT',
        document: jobDocument(image.version, place),
        presignedUrlConfig: { roleArn: place.roleArn, expiresInSec: ADDRESS_LIVES_S },
        ...rollout,
      }),
    )
    return { release, nodes: nodes.size, rollout: describeRollout(rollout) }
  })
}

/** `autovolt-<stage>-fw-<version>-<yymmddhhmmss>`, in UTC; AWS IoT takes 64 letters, digits, _ and -. */
export function releaseName(stage: string, version: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/\D/g, '').slice(2, 14)
  return `${releasePrefix({ stage })}${version.replaceAll('.', '-')}-${stamp}`
}

/** What the job is told, and the nodes that are in it now. */
async function targetsOf(
  iot: IoTClient,
  stack: Stack,
  selection: Selection,
): Promise<{ arns: string[]; nodes: Set<string> }> {
  const arns: string[] = []
  const nodes = new Set<string>()
  const rooms = selection.classrooms.map((room) => groupName(stack.stage, room))
  const all = selection.all ? await groupsOf(iot, stack) : []
  const groups = new Set([...selection.groups, ...rooms, ...all])
  const named = new Set(selection.nodes)
  if (named.size + groups.size > MOST_TARGETS) {
    throw new Failure(
      `nodes and groups of a release must be at most ${MOST_TARGETS} (are ${named.size + groups.size}); ` +
        'make several releases, or name by --group a thing group that holds all these nodes',
    )
  }
  for (const thingName of named) {
    const thing = await found(
      `node ${thingName}`,
      iot.send(new DescribeThingCommand({ thingName })),
    )
    arns.push(thing.thingArn ?? '')
    nodes.add(thingName)
  }
  for (const thingGroupName of groups) {
    const group = await found(
      `thing group ${thingGroupName}`,
      iot.send(new DescribeThingGroupCommand({ thingGroupName })),
    )
    arns.push(group.thingGroupArn ?? '')
    for await (const { things = [] } of paginateListThingsInThingGroup(
      { client: iot },
      { thingGroupName },
    )) {
      for (const thing of things) nodes.add(thing)
    }
  }
  if (nodes.size > 0) return { arns, nodes }
  throw new Failure('the release reaches no node: the groups that were named are empty')
}

/** The groups of all classrooms. */
async function groupsOf(iot: IoTClient, stack: Stack): Promise<string[]> {
  const names: string[] = []
  const namePrefixFilter = thingGroupPrefix({ stage: stack.stage })
  for await (const { thingGroups = [] } of paginateListThingGroups(
    { client: iot },
    { namePrefixFilter },
  )) {
    names.push(...thingGroups.flatMap(({ groupName: name }) => name ?? []))
  }
  return names
}

async function found<T>(what: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (cause) {
    if (!(cause instanceof ResourceNotFoundException)) throw cause
    throw new Failure(`there is no ${what}`, { cause })
  }
}
