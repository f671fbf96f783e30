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

const USAGE = 'npm run test:integration -- [--stage dev|staging|prod --url <HttpApiUrl>]'

const { stage, url, help } = given()
if (help) {
  console.log(USAGE)
  process.exit(0)
}
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

function given() {
  try {
    return parseArgs({
      options: {
        stage: { type: 'string', default: 'local' },
        url: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}
