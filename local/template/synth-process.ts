import { buildApp } from '../../infra/app.ts'

/**
 * Synthesizes the project's app into the directory named by the first argument, in a process that
 * then ends: CDK blocks its process for seconds, which would make the stack deaf to Ctrl-C, and
 * keeps some 250 MB, which the running stack has no use for.
 */
buildApp(undefined, { outdir: String(process.argv[2]) }).synth()
