import { Command, CommanderError, Help, type Option } from 'commander'
import { alarms } from './commands/alarms.ts'
import { allow } from './commands/allow.ts'
import { backup } from './commands/backup.ts'
import { cost } from './commands/cost.ts'
import { criteria } from './commands/criteria.ts'
import { firmware } from './commands/firmware.ts'
import { claim, enrol, revoke, rotate } from './commands/identity.ts'
import { compare, importLegacy } from './commands/legacy.ts'
import { node } from './commands/node.ts'
import { pause } from './commands/pause.ts'
import { provision } from './commands/provision.ts'
import { quarantine } from './commands/quarantine.ts'
import { rebook } from './commands/rebook.ts'
import { reconcile } from './commands/reconcile.ts'
import { redrive } from './commands/redrive.ts'
import { replay } from './commands/replay.ts'
import { restate } from './commands/restate.ts'
import { restore } from './commands/restore.ts'
import { resume } from './commands/resume.ts'
import { rollup } from './commands/rollup.ts'
import { show } from './commands/show.ts'
import { tickets } from './commands/tickets.ts'
import { token } from './commands/token.ts'
import { users } from './commands/users.ts'
import { verify } from './commands/verify.ts'
import { Failure, isUnreachable, oneLine } from './failure.ts'

/** Where a command writes; tests pass their own. */
export interface Output {
  out(text: string): void
  err(text: string): void
}

const standard: Output = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
}

/** In the order of the help. */
const COMMANDS = [
  provision,
  allow,
  claim,
  enrol,
  rotate,
  revoke,
  node,
  firmware,
  token,
  users,
  replay,
  show,
  verify,
  alarms,
  reconcile,
  tickets,
  rollup,
  redrive,
  rebook,
  backup,
  restore,
  pause,
  resume,
  restate,
  quarantine,
  criteria,
  cost,
  importLegacy,
  compare,
]

/**
 * Runs `autovolt` with the arguments after the command's name and gives its exit code: 0, 1 for a
 * failure (a line on stderr, or one for each of several faults), 2 for a wrong call.
 */
export async function run(args: readonly string[], output: Output = standard): Promise<number> {
  const program = programOf(output)
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    return report(error, output)
  }
}

/** All commands with their arguments and options. */
export function programOf(output: Output): Command {
  const program = new Command('autovolt')
    .description('Provision nodes, replay traces and check the ledger, on a local stack or on AWS.')
    .exitOverride()
    .configureOutput({
      writeOut: output.out,
      writeErr: output.err,
      // A failure is one line, also where it has a guess what was meant.
      outputError: (text, write) =>
        write(
          `${text
            .replace(/^error:/, 'autovolt:')
            .trim()
            .replace(/\n/g, ' ')}\n`,
        ),
    })
    .configureHelp({ optionDescription })
  for (const add of COMMANDS) add(program, output)
  return program
}

/** What an option is, whether it must be there, and its default where it has one that says something. */
function optionDescription(option: Option): string {
  const none = option.defaultValue === false || `${option.defaultValue}` === ''
  const shown = none ? Object.create(option, { defaultValue: { value: undefined } }) : option
  const text = new Help().optionDescription(shown)
  return option.mandatory ? `${text} (required)` : text
}

function report(error: unknown, output: Output): number {
  // Commander has printed its own line already; help and version are no failures.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const hint =
    !(error instanceof Failure) && isUnreachable(error)
      ? ' (nothing answers there: is the stack still running? start it with `npm start`)'
      : ''
  const text = error instanceof Failure ? error.message : oneLine(error)
  output.err(`autovolt: ${text}${hint}\n`)
  return error instanceof Failure ? error.exitCode : 1
}
