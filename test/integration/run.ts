/**
 * Runs the integration tests: against a stack that they start themselves, or against a deployed stage.
 *
 *     npm run test:integration
 *     npm run test:integration -- --stage dev --url https://….execute-api.ap-south-1.amazonaws.com
 *
 * On a stage they provision nodes of their own (`it-…`) in classrooms of their own, and retire them at
 * the end. They need AWS credentials, and the token of an admin: from AUTOVOLT_TOKEN, or by signing in.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    stage: { type: 'string', default: 'local' },
    url: { type: 'string' },
  },
})
const { stage, url } = values
if (stage !== 'local' && url === undefined) {
  console.error('--stage needs --url: the output HttpApiUrl of the stack Autovolt-<stage>-Api')
  process.exit(2)
}
const vitest = new URL('../../node_modules/vitest/vitest.mjs', import.meta.url).pathname
const done = spawnSync(process.execPath, [vitest, 'run', '--project', 'integration'], {
  stdio: 'inherit',
  env: { ...process.env, AUTOVOLT_STAGE: stage, ...(url && { AUTOVOLT_URL: url }) },
})
process.exit(done.status ?? 1)
