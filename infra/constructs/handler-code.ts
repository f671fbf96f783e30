import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Stack } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { buildSync } from 'esbuild'

const projectRoot = join(import.meta.dirname, '..', '..')
const HOUR_MS = 3_600_000
let bundles: string | undefined

/**
 * The code of a function: what its handler file imports, in one file. The construct of CDK starts a
 * bundler for each function, and each reads the same packages again; here one run makes them all,
 * which is most of what a first start waits for.
 *
 * @param entry the handler file, from the root of the repository; it exports `handler`
 */
export function handlerCode(scope: Construct, entry: string): Code {
  // Who looks at the templates only has no use for code.
  if (!Stack.of(scope).bundlingRequired) return Code.fromAsset(join(projectRoot, dirname(entry)))
  bundles ??= bundleHandlers()
  return Code.fromAsset(join(bundles, folderOf(entry)))
}

const folderOf = (entry: string) => entry.replace(/\.ts$/, '')

/** Bundles every handler file into a folder of its own; they end with the process. */
function bundleHandlers(): string {
  // In the project: source maps name files from where they lie, and must not differ by machine.
  const cache = join(projectRoot, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  // A process that is killed leaves its folder.
  for (const left of globSync('autovolt-handlers-*', { cwd: cache })) {
    const age = Date.now() - statSync(join(cache, left)).mtimeMs
    if (age > HOUR_MS) rmSync(join(cache, left), { recursive: true, force: true })
  }
  const outdir = mkdtempSync(join(cache, 'autovolt-handlers-'))
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }))
  const entries = globSync('functions/*/*.ts', { cwd: projectRoot })
    .filter((file) =>
      /^export const handler\b/m.test(readFileSync(join(projectRoot, file), 'utf8')),
    )
    .sort()
  process.stderr.write(`Bundling ${entries.length} functions\n`)
  buildSync({
    absWorkingDir: projectRoot,
    entryPoints: entries.map((file) => ({ in: file, out: join(folderOf(file), 'index') })),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Packages that ship both forms are bundled as modules; their CommonJS form would fail
    // on `require` of Node's own modules at run time.
    mainFields: ['module', 'main'],
    // Names stay as written, so that stack traces and error names read true.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  })
  return outdir
}
