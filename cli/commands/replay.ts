import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  node: string
  day: string
  period: string
  certs?: string
  retrySeconds: string
}

/** `autovolt replay <csv[.gz]…> --node <esp32_name> --day YYYY-MM-DD` */
export function replay(program: Command, output: Output): void {
  withStackOptions(program.command('replay'))
    .description('play recorded traces as a node, over MQTT with its certificate')
    .argument(
      '<csv...>',
      'traces, plain or gzipped, of one day each; several are played onto consecutive days',
    )
    .requiredOption('--node <esp32_name>', 'a provisioned node')
    .requiredOption('--day <YYYY-MM-DD>', 'the local day the first trace is played onto')
    .option('--period <seconds>', 'seconds between readings', '30')
    .option('--certs <dir>', 'where its certificate is (default: <data-dir>/things/<esp32_name>)')
    .option('--retry-seconds <n>', 'how long to wait for a broker that went away', '60')
    .action(async (files: string[], options: Options) => {
      const { option, whole } = await import('../quantity.ts')
      const { Esp32Name, LocalDay } = await import('../../functions/contract/names.ts')
      const { play } = await import('../replay/play.ts')
      const request = {
        files,
        node: option('--node', Esp32Name, options.node),
        day: option('--day', LocalDay, options.day),
        periodS: option('--period', whole(1, 86_400), options.period),
        retryMs: option('--retry-seconds', whole(0, 86_400), options.retrySeconds) * 1000,
        certs: options.certs,
      }
      await play(await openStack(options), request, output)
    })
}
