/**
 * Runs the broker on a data directory (first argument) until it is killed, for the tests of what
 * survives that. Says its endpoints to the parent, and every event a rule hands over.
 */
import { iot } from '../../local/iot/plugin.ts'
import { startEdge } from './edge.ts'
import { iotResources } from './nodes.ts'

const edge = await startEdge({
  resources: iotResources(),
  plugins: [iot],
  dataDir: process.argv[2] ?? '',
})
edge.takeAsync = async (event) => void process.send?.({ event })
process.send?.({ control: edge.control, endpoints: edge.started.endpoints })
