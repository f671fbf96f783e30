import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface RotateOptions extends StackOptions {
  out?: string
  grace?: string
  settle?: boolean
}

/** `autovolt rotate <node>` */
export function rotate(program: Command, output: Output): void {
  withStackOptions(program.command('rotate'))
    .description(
      'a new key and certificate for a node; the former end once it was seen with the new',
    )
    .argument('<esp32_name>', 'name of the node')
    .option('--grace <hours>', 'end the former ones after this, seen or not')
    .option('--settle', 'the node has renewed by itself: only end what it left behind')
    .option('--out <dir>', 'where the files are (default: <data-dir>/things/<esp32_name>)')
    .action(async (given: string, options: RotateOptions) => {
      const { rotateNode, settleRenewal } = await import('../provisioning/rotate.ts')
      const name = await nameOf(given)
      const stack = await openStack(options)
      if (options.settle) {
        const ended = await settleRenewal(stack, name)
        output.out(`${name}: ${ended.length} former certificates ended\n`)
        return
      }
      const { option, whole } = await import('../quantity.ts')
      const hours =
        options.grace === undefined ? undefined : option('--grace', whole(0, 8_760), options.grace)
      const done = await rotateNode(stack, name, {
        out: options.out,
        ...(hours !== undefined && { graceMs: hours * 3_600_000 }),
      })
      const id = done.certificateId.slice(0, 12)
      output.out(
        done.isDone
          ? `${name} has certificate ${id}…; ${done.ended.length} former ended\n`
          : `${name}: certificate ${id}… in ${done.directory}, the former still open it; bring the files to the node, and call this again once it has connected\n`,
      )
    })
}

/** `autovolt revoke <node>` */
export function revoke(program: Command, output: Output): void {
  withStackOptions(program.command('revoke'))
    .description('take the identity of a node away, at once: it is cut off and cannot come back')
    .argument('<esp32_name>', 'name of the node')
    .option('--reason <text>', 'why, for the registry')
    .action(async (given: string, options: StackOptions & { reason?: string }) => {
      const { needSomething, revokeNode } = await import('../provisioning/revoke.ts')
      const name = await nameOf(given)
      const stack = await openStack(options)
      const done = await revokeNode(stack, name, options.reason)
      needSomething(done, name)
      const cut = done.wasConnected
        ? 'its connection was cut'
        : 'it had no open connection any more'
      const off = done.withdrawn.length > 0 ? '; it is off the allow-list' : ''
      output.out(`${name}: ${done.certificates.length} certificates revoked; ${cut}${off}\n`)
    })
}

/** `autovolt claim` and `autovolt enrol` */
export function claim(program: Command, output: Output): void {
  withStackOptions(program.command('claim'))
    .description('make the claim certificate that new nodes are flashed with')
    .option('--replace', 'the claim certificates before it end')
    .option('--out <dir>', 'where the files go (default: <data-dir>/claim)')
    .action(async (options: StackOptions & { replace?: boolean; out?: string }) => {
      const { makeClaim } = await import('../provisioning/claim.ts')
      const stack = await openStack(options)
      const { directory, ended } = await makeClaim(stack, {
        ...(options.out !== undefined && { out: options.out }),
        replace: options.replace ?? false,
      })
      const former = ended > 0 ? `; ${ended} former ended` : ''
      output.out(`claim certificate: device.crt, device.key, ca.crt in ${directory}${former}\n`)
    })
}

export function enrol(program: Command, output: Output): void {
  withStackOptions(program.command('enrol'))
    .description('do on this machine what a new node does: claim an identity, to try the way')
    .requiredOption('--serial <mac>', 'hardware address to claim with, 12 hexadecimal digits')
    .option('--claim <dir>', 'where the claim certificate is (default: <data-dir>/claim)')
    .action(async (options: StackOptions & { serial: string; claim?: string }) => {
      const { option } = await import('../quantity.ts')
      const { Serial } = await import('../../functions/contract/claim.ts')
      const { enrol: start } = await import('../provisioning/enrol.ts')
      const serial = option('--serial', Serial, options.serial)
      const stack = await openStack(options)
      const done = await start(stack, serial, options)
      output.out(`${serial} is ${done.esp32Name}: its files are in ${done.directory}\n`)
    })
}

async function nameOf(given: string): Promise<string> {
  const { option } = await import('../quantity.ts')
  const { Esp32Name } = await import('../../functions/contract/names.ts')
  return option('esp32_name', Esp32Name, given)
}
