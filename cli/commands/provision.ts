import type { Command } from 'commander'
import { Failure, usage } from '../failure.ts'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'
import { entryOf, type NodeOptions, withNodeOptions } from './node-options.ts'

interface Options extends StackOptions, NodeOptions {
  csv?: string
  for: string
  out?: string
}

/** `autovolt provision <esp32_name> --classroom <name>`, or `--csv <file>` for many */
export function provision(program: Command, output: Output): void {
  withNodeOptions(withStackOptions(program.command('provision')))
    .description('register nodes and write the key and certificates they connect with')
    .argument('[esp32_name]', 'name of the node, its thing and its MQTT client id')
    .option('--classroom <name>', 'where it stands (its first place covers all earlier time)')
    .option(
      '--csv <file>',
      'a campus: node,classroom,rating_w,rollover_wh,channels,serial; goes on where an earlier run ended',
    )
    .option('--for <days>', 'with --csv: how long nodes with a serial have to claim', '30')
    .option('--out <dir>', 'where the files go (default: <data-dir>/things/<esp32_name>)')
    .action(async (esp32Name: string | undefined, options: Options) => {
      if (options.csv !== undefined) {
        if (esp32Name !== undefined)
          throw usage(`--csv: leave out "${esp32Name}"; the file names them`)
        return campus(output, options.csv, options)
      }
      if (esp32Name === undefined) throw usage('esp32_name is missing (or --csv <file>)')
      if (options.classroom === undefined) {
        throw usage("required option '--classroom <name>' not specified")
      }
      const { provisionNode } = await import('../provisioning/provision.ts')
      const entry = await entryOf(esp32Name, options)
      const stack = await openStack(options)
      const done = await provisionNode(stack, entry, { out: options.out })
      const what = done.isNew ? 'provisioned' : 'was registered before: further certificate for'
      output.out(
        `${what} ${entry.esp32Name} in ${entry.classroom}: device.crt, device.key, ca.crt in ${done.directory}\n`,
      )
      if (done.restated > 0) {
        output.out(
          `booked lines were restated by what holds since then: ${done.restated} entries\n`,
        )
      }
    })
}

async function campus(output: Output, file: string, options: Options): Promise<void> {
  const { option, whole } = await import('../quantity.ts')
  const { readCampus } = await import('../provisioning/campus-file.ts')
  const { provisionCampus } = await import('../provisioning/campus.ts')
  const days = option('--for', whole(1, 365), options.for)
  const rows = readCampus(file)
  const stack = await openStack(options)
  const done = await provisionCampus(stack, rows, {
    forMs: days * 86_400_000,
    progress: (line) => output.out(`${line}\n`),
  })
  const { provisioned, allowed, known, failed, leftOver, log } = done
  output.out(
    `${rows.length} nodes: ${provisioned} provisioned, ${allowed} allowed to claim, ${known} done before, ${failed.length} failed; log in ${log}\n`,
  )
  if (leftOver.length > 0) {
    output.out(
      `an earlier run began these, and the file does not name them: ${leftOver.join(', ')}; \`autovolt provision <node>\` completes each\n`,
    )
  }
  if (failed.length === 0) return
  const lines = failed.map(({ line, node, reason }) => `${file}:${line}: ${node}: ${reason}`)
  output.err(`${lines.join('\n')}\n`)
  throw new Failure(`${failed.length} of ${rows.length} nodes failed; run it again to go on`)
}
