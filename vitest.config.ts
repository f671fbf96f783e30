import { defineConfig } from 'vitest/config'

/**
 * The kind of a test is in its file name. Each kind is a vitest project, so that `npm run check`
 * runs the boundary rules alone and the slow end-to-end part can be left out with `--project`.
 */
const project = (name: string, include: string[], more: object = {}) => ({
  test: { name, include, ...more },
})

/** The checks run apart from the rest, and each run leaves its own counts. */
const asked = (name: string) => process.argv.includes(name)
const alone = asked('integration') && !asked('unit') ? 'integration' : 'parts'
const run = asked('check') ? 'check' : alone

export default defineConfig({
  test: {
    // Left to itself vitest keeps a processor free, which is half of a machine with two.
    maxWorkers: '100%',
    // The counts that the closing line of a CI run is made of.
    reporters: ['default', ['json', { outputFile: `.vitest/${run}.json` }]],
    projects: [
      project('check', ['test/**/*.check.ts']),
      // Long enough for a machine that runs the stacks of the end-to-end tests beside them.
      project('unit', ['test/**/*.{unit,property,contract}.ts'], {
        testTimeout: 60_000,
        hookTimeout: 60_000,
      }),
      // They only look at templates, so files may share what takes longest: loading CDK, synthesizing.
      project('infra', ['test/**/*.infra.ts'], {
        testTimeout: 120_000,
        hookTimeout: 120_000,
        isolate: false,
      }),
      // They wait on conditions, so a limit only ends what would never come: far beyond a busy machine's pace.
      project('e2e', ['test/**/*.e2e.ts'], {
        testTimeout: 300_000,
        hookTimeout: 300_000,
        globalSetup: 'test/e2e/assembly.ts',
      }),
      project('integration', ['test/**/*.integration.ts'], {
        testTimeout: 180_000,
        hookTimeout: 180_000,
      }),
    ],
  },
})
