import { enableCompileCache } from 'node:module'

// Compiled code is kept between calls; it must be switched on before anything else is imported,
// which is why the program itself comes by a dynamic import.
enableCompileCache()
// A reader that has seen enough, such as `head`, closes the pipe. The work goes on, untold.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
const { run } = await import('./program.ts')
process.exitCode = await run(process.argv.slice(2))
