import type { Command } from 'commander'
import { Failure, usage } from '../failure.ts'
import type { NodeProgress } from '../firmware/status.ts'
import type { Output } from '../program.ts'
import { openStack, type Stack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface WaitOptions extends StackOptions {
  wait?: boolean
  waitFor: string
}

interface ReleaseOptions extends WaitOptions {
  version: string
  nodes?: string
  group: string[]
  classroom: string[]
  all?: boolean
  rate: string
  abortAt: string
  timeout: string
}

/** `autovolt firmware release|status|cancel` */
export function firmware(program: Command, output: Output): void {
  const group = program.command('firmware').description('bring new firmware to nodes over the air')
  const repeated = (value: string, all: string[]) => [...all, value]

  const withWait = (command: Command) =>
    command
      .option('--wait', 'go on telling until no node is at it any more')
      .option('--wait-for <minutes>', 'with --wait: end with 1 after so long; 0 looks once', '240')

  withWait(withStackOptions(group.command('release')))
    .description('check a signed image, and let AWS IoT Jobs offer it to nodes at a rate')
    .argument('<image>', 'signed image (build/signed.bin, see docs/firmware.md)')
    .requiredOption('--version <version>', 'the version the image must be')
    .option('--nodes <names>', 'these nodes, parted by commas')
    .option('--group <name>', 'the nodes of a thing group; repeat for several', repeated, [])
    .option('--classroom <name>', 'the nodes of a classroom; repeat for several', repeated, [])
    .option('--all', 'the nodes of every classroom')
    .option(
      '--rate <rate>',
      'nodes a minute, or exponential, or exponential:<start>',
      'exponential',
    )
    .option('--abort-at <percent>', 'stop when so many of those that answered failed', '5')
    .option('--timeout <minutes>', 'a node that takes longer has failed', '60')
    .action((file: string, options: ReleaseOptions) => release(output, file, options))

  withWait(withStackOptions(group.command('status')))
    .description('the releases of the stage, or how far each node is with one')
    .argument('[release]', 'as `firmware release` printed it')
    .action(async (name: string | undefined, options: WaitOptions) => {
      const waitMinutes = await waitOf(options)
      const stack = await openStack(options)
      if (name === undefined) {
        if (options.wait) throw usage('--wait: name the release to wait for')
        return list(output, stack)
      }
      if (options.wait) return follow(output, stack, name, waitMinutes)
      await show(output, stack, name)
    })

  withStackOptions(group.command('cancel'))
    .description('offer a release to no further node; one that is at it finishes')
    .argument('<release>', 'as `firmware release` printed it')
    .option('--reason <text>', 'why')
    .option('--force', 'take back also what a node is at; it may install it all the same')
    .action(async (name: string, options: StackOptions & { reason?: string; force?: boolean }) => {
      const { cancelRelease, inWords } = await import('../firmware/status.ts')
      const { reason, force = false } = options
      const job = await cancelRelease(await openStack(options), name, { force, reason })
      output.out(`${name} ${inWords(job)}\n`)
    })
}

async function waitOf({ waitFor }: WaitOptions): Promise<number> {
  const { option, whole } = await import('../quantity.ts')
  return option('--wait-for', whole(0, 10_080), waitFor)
}

async function release(output: Output, file: string, options: ReleaseOptions): Promise<void> {
  const { option, whole } = await import('../quantity.ts')
  const { Percent, Rate } = await import('../firmware/rollout.ts')
  const { Classroom, Esp32Name } = await import('../../functions/contract/names.ts')
  const { readImage } = await import('../firmware/image.ts')
  const { releaseImage } = await import('../firmware/release.ts')
  const selection = {
    nodes: (options.nodes?.split(',') ?? []).map((name) => option('--nodes', Esp32Name, name)),
    groups: options.group,
    classrooms: options.classroom.map((name) => option('--classroom', Classroom, name)),
    all: options.all ?? false,
  }
  const { nodes, groups, classrooms, all } = selection
  if (!all && nodes.length + groups.length + classrooms.length === 0) {
    throw usage('say which nodes: --nodes, --group, --classroom or --all')
  }
  const rollout = {
    rate: option('--rate', Rate, options.rate),
    abortAtPercent: option('--abort-at', Percent, options.abortAt),
    timeoutMinutes: option('--timeout', whole(1, 10_080), options.timeout),
  }
  const waitMinutes = await waitOf(options)
  const image = readImage(file)
  if (image.version !== options.version) {
    throw new Failure(
      `${file}: version must be ${options.version}, as --version says (is ${image.version})`,
    )
  }
  const stack = await openStack(options)
  const say = (line: string) => output.out(`${line}\n`)
  const made = await releaseImage(stack, image, selection, rollout, say)
  say(`${made.release}: to ${made.nodes} nodes ${made.rollout}`)
  if (options.wait) await follow(output, stack, made.release, waitMinutes)
}

async function follow(
  output: Output,
  stack: Stack,
  name: string,
  waitMinutes: number,
): Promise<void> {
  const status = await import('../firmware/status.ts')
  const { followRelease, hasEnded, notWell, waitedFor } = status
  const job = await followRelease(stack, name, waitMinutes * 60_000, (line) =>
    output.out(`${line}\n`),
  )
  if (!hasEnded(job)) {
    const nodes = await show(output, stack, name)
    throw new Failure(
      `${name} goes on, and after ${waitMinutes} minutes still waits for: ${waitedFor(nodes)}`,
    )
  }
  const bad = notWell(job)
  if (bad === 0) return
  await show(output, stack, name)
  throw new Failure(`${name}: ${bad} nodes do not have it`)
}

async function show(output: Output, stack: Stack, name: string): Promise<readonly NodeProgress[]> {
  const { inWords, releaseStatus } = await import('../firmware/status.ts')
  const { textTable } = await import('../show/table.ts')
  const { siteTime } = await import('../show/time.ts')
  const { job, nodes } = await releaseStatus(stack, name)
  const why = job.comment ?? job.reasonCode
  output.out(`${name} ${inWords(job)}${why === undefined ? '' : ` (${why})`}\n`)
  if (job.description !== undefined) output.out(`${job.description}\n`)
  if (nodes.length === 0) return nodes
  output.out(
    textTable(
      [{ title: 'node' }, { title: 'status' }, { title: 'since' }, { title: 'reason' }],
      nodes.map(({ node, status, sinceMs, reason }) => [
        node,
        status,
        sinceMs === undefined ? '-' : siteTime(sinceMs, stack.siteTimeZone),
        reason ?? '',
      ]),
    ),
  )
  return nodes
}

async function list(output: Output, stack: Stack): Promise<void> {
  const { releasesOf } = await import('../firmware/status.ts')
  const { textTable } = await import('../show/table.ts')
  const { siteTime } = await import('../show/time.ts')
  const releases = await releasesOf(stack)
  if (releases.length === 0) {
    output.out(`no firmware was released in ${stack.stage}\n`)
    return
  }
  output.out(
    textTable(
      [{ title: 'release' }, { title: 'status' }, { title: 'since' }],
      releases.map(({ jobId = '', status = '', createdAt }) => [
        jobId,
        status,
        createdAt === undefined ? '-' : siteTime(createdAt.getTime(), stack.siteTimeZone),
      ]),
    ),
  )
}
