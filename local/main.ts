import { type LocalStack, startLocal } from './boot.ts'
import { parseOptions } from './options.ts'
import { CannotRunLocally } from './template/refuse.ts'

/** `npm start`: runs the stack until it is told to stop. */
const options = parseOptions(process.argv.slice(2))

// Lambda has no zone but UTC; a handler that leans on the machine's would behave otherwise there.
process.env.TZ = 'UTC'

const startedAt = performance.now()
let stack: LocalStack | undefined
let stopping = false

const stop = async (code: number) => {
  if (stopping) return
  stopping = true
  console.log('Stopping …')
  await stack?.stop()
  process.exit(code)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second one means now; the database ends with this process by itself.
    if (stopping || !stack) process.exit(130)
    stop(0)
  })
}

try {
  stack = await startLocal({ ...options, progress: (line) => console.log(line) })
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  console.log(`\nReady after ${seconds} s.\n`)
  for (const [label, url] of Object.entries({ ...stack.urls, Control: stack.endpoints.control })) {
    console.log(`  ${label.padEnd(10)} ${url}`)
  }
  const elsewhere = options.dataDir === '.autovolt' ? '' : ` --data-dir ${options.dataDir}`
  console.log(`
  Data       ${options.dataDir} (logs of the functions in logs/)
  A token    npm run -s autovolt -- token --role viewer${elsewhere}

Ctrl-C stops.`)
  await stack.failed
} catch (error) {
  if (error instanceof CannotRunLocally) console.error(`\n${error.message}`)
  else console.error(error)
  await stop(1)
}
