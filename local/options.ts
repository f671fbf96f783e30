import { Command, InvalidArgumentError } from 'commander'
import type { StartOptions } from './runtime.ts'

/** Each is a process of its own. */
const MAX_NATIVE_NODES = 20

/** Reads the command line of `npm start`. A wrong value ends the process, naming option, limit and value. */
export function parseOptions(argv: readonly string[]): StartOptions {
  const command = new Command('npm start --')
    .description('Runs the whole synthesized AutoVolt app on this machine.')
    .option('--http-port <port>', 'port of the HTTP API; 0 takes a free one', port, 3001)
    .option('--mqtt-port <port>', 'port of the MQTT broker (TLS); 0 takes a free one', port, 8883)
    .option('--data-dir <directory>', 'where all state is kept', directory, '.autovolt')
    .option('--fresh', 'start without the state of earlier runs', false)
    .option('--no-fleet', 'without the simulated campus')
    .option('--native-node <count>', "further nodes that run the firmware's own code", nodes, 0)
    .allowExcessArguments(false)
    .parse([...argv], { from: 'user' })
  return command.opts<StartOptions>()
}

function port(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > 65_535) {
    throw new InvalidArgumentError(`A port is a whole number from 0 to 65535, not '${text}'.`)
  }
  return value
}

function nodes(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > MAX_NATIVE_NODES) {
    throw new InvalidArgumentError(
      `A count of nodes is a whole number from 0 to ${MAX_NATIVE_NODES}, not '${text}'.`,
    )
  }
  return value
}

function directory(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('A directory name cannot be empty.')
  return text
}
