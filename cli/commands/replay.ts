import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  node?: string
  day?: string
  period: string
  certs?: string
  retrySeconds: string
  fromArchive: boolean
  from?: string
  to?: string
  resume: boolean
  records?: string
  bucket?: string
  bucketRegion?: string
}

/** `autovolt replay <csv[.gz]…> --node N --day D`, and `autovolt replay --from-archive` */
export function replay(program: Command, output: Output): void {
  withStackOptions(program.command('replay'))
    .description(
      'play recorded traces as a node, over MQTT with its certificate; or hand what the archive holds to ingest again',
    )
    .argument(
      '[csv...]',
      'traces, plain or gzipped, of one day each; several are played onto consecutive days',
    )
    .option('--node <esp32_name>', 'a provisioned node; from the archive: only its messages')
    .option('--day <YYYY-MM-DD>', 'the local day the first trace is played onto')
    .option('--period <seconds>', 'seconds between readings', '30')
    .option('--certs <dir>', 'where its certificate is (default: <data-dir>/things/<esp32_name>)')
    .option('--retry-seconds <n>', 'how long to wait for a broker that went away', '60')
    .option('--from-archive', 'replay archived messages with the receipt they had', false)
    .option('--from <instant|day>', 'from the archive: only what was received from then on')
    .option('--to <instant|day>', 'from the archive: only what was received before then')
    .option('--resume', 'from the archive: go on where the same replay was stopped', false)
    .option('--records <file>', 'from the archive: these lines, such as those that failed before')
    .option('--bucket <name>', "from the archive: another bucket than the stack's own, its copy")
    .option('--bucket-region <region>', 'where that bucket is')
    .action(async (files: string[], options: Options) => {
      const { usage } = await import('../failure.ts')
      if (options.fromArchive) {
        if (files.length > 0) throw usage('--from-archive takes no traces')
        await fromArchive(options, output)
        return
      }
      if (files.length === 0) throw usage('a trace, or --from-archive, must be given')
      const { option, whole } = await import('../quantity.ts')
      const { Esp32Name, LocalDay } = await import('../../functions/contract/names.ts')
      const { play } = await import('../replay/play.ts')
      const { node, day, period, retrySeconds, certs } = options
      if (node === undefined || day === undefined) throw usage('--node and --day must be given')
      const request = {
        files,
        node: option('--node', Esp32Name, node),
        day: option('--day', LocalDay, day),
        periodS: option('--period', whole(1, 86_400), period),
        retryMs: option('--retry-seconds', whole(0, 86_400), retrySeconds) * 1000,
        certs,
      }
      await play(await openStack(options), request, output)
    })
}

async function fromArchive(options: Options, output: Output): Promise<void> {
  const { option } = await import('../quantity.ts')
  const { Failure } = await import('../failure.ts')
  const { Esp32Name } = await import('../../functions/contract/names.ts')
  const { instantOrDay } = await import('../provisioning/instant.ts')
  const { replayArchive } = await import('../archive/replay.ts')
  const stack = await openStack(options)
  const { node, from, to, records, bucket, bucketRegion } = options
  const at = (name: string, text: string | undefined, otherwise: number) =>
    text === undefined ? otherwise : instantOrDay(name, text, stack.siteTimeZone)
  const done = await replayArchive(
    stack,
    {
      node: node === undefined ? undefined : option('--node', Esp32Name, node),
      fromMs: at('--from', from, 0),
      toMs: at('--to', to, Number.POSITIVE_INFINITY),
      isResuming: options.resume,
      records,
      bucket,
      region: bucketRegion,
    },
    (line) => output.out(`${line}\n`),
  )
  output.out(
    `${done.messages} messages of ${done.objects} objects: ${done.created} readings stored, ` +
      `${done.duplicates} were there, ${done.conflicts} conflict, ${done.quarantined} messages quarantined\n`,
  )
  if (done.failedFile !== null) {
    throw new Failure(
      `${done.failed} messages failed and are kept in ${done.failedFile}; ` +
        'replay them with --from-archive --records once the cause is gone',
    )
  }
}
