import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { buildApp } from '../../infra/app.ts'
import { stageConfig } from '../../infra/stages.ts'

const run = promisify(execFile)

const outdir = mkdtempSync(join(tmpdir(), 'autovolt-bundles-'))
afterAll(() => rmSync(outdir, { recursive: true, force: true }))

/** The bundled functions: name, folder of the code, and the variables they run with. */
const bundles = buildApp(stageConfig('local'), { outdir })
  .synth()
  .stacks.flatMap(({ template }) => Object.values<BundledResource>(template.Resources))
  .filter(({ Type }) => Type === 'AWS::Lambda::Function')
  .map(({ Properties, Metadata }) => ({
    name: Properties.FunctionName,
    folder: join(outdir, Metadata['aws:asset:path']),
    variables: Object.fromEntries(
      // Table names are references; any text does for loading.
      Object.entries(Properties.Environment.Variables).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : key,
      ]),
    ),
  }))

interface BundledResource {
  Type: string
  Properties: { FunctionName: string; Environment: { Variables: Record<string, unknown> } }
  Metadata: { 'aws:asset:path': string }
}

describe('bundled functions', () => {
  it('are there', () => {
    expect(bundles.length).toBeGreaterThan(10)
  })

  it.each(bundles.map((bundle) => [bundle.name, bundle] as const))(
    '%s loads in Node 24 by itself and exports its handler',
    async (_, { folder, variables }) => {
      const url = pathToFileURL(join(folder, 'index.mjs'))
      const { stdout } = await run(
        process.execPath,
        [
          '--input-type=module',
          '--eval',
          `const { handler } = await import('${url}'); console.log(process.version, typeof handler)`,
        ],
        // From a folder without node_modules: whatever is not in the bundle is missing.
        {
          cwd: folder,
          env: { ...variables, AWS_REGION: 'ap-south-1' },
        },
      )
      expect(stdout).toMatch(/^v24\.\S+ function\n$/)
    },
  )

  it.each(bundles.map((bundle) => [bundle.name, bundle] as const))(
    '%s is small enough to start fast, and has a source map without the sources',
    (_, { folder }) => {
      expect(readdirSync(folder).sort()).toEqual(['index.mjs', 'index.mjs.map'])
      expect(statSync(join(folder, 'index.mjs')).size).toBeLessThan(2_000_000)
      const map = JSON.parse(readFileSync(join(folder, 'index.mjs.map'), 'utf8'))
      expect(map.sources.length).toBeGreaterThan(10)
      expect(map.sourcesContent).toBeUndefined()
    },
  )
})
