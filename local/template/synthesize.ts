import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  globSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { App } from 'aws-cdk-lib'
import { CloudAssembly } from 'aws-cdk-lib/cx-api'
import * as z from 'zod'
import { CannotRunLocally } from './refuse.ts'
import type { StackTemplate } from './resolve.ts'

/** The synthesized app: its templates and where each bundled asset lies. */
export interface Synthesized {
  stacks: StackTemplate[]
  /** The region the stacks name. */
  region: string
  /** Directory (or file) of a file asset by its object key in the asset bucket. */
  assets: ReadonlyMap<string, string>
  /** True when an unchanged earlier synthesis was taken. */
  reused: boolean
}

const STAMP = '.made-from'
const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

const manifestSchema = z.object({
  files: z
    .record(
      z.string(),
      z.object({
        source: z.object({ path: z.string().optional() }),
        destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
      }),
    )
    .default({}),
})

/** Synthesizes an app a test built by itself. */
export function synthesize(app: App): Synthesized {
  return read(app.synth(), false)
}

/**
 * Synthesizes the project's app for the local stage into `<dataDir>/app`. Bundling takes seconds,
 * so an earlier result is taken when nothing it was made from has changed.
 */
export async function synthesizeProject(
  dataDir: string,
  progress: (line: string) => void,
): Promise<Synthesized> {
  const outdir = join(dataDir, 'app')
  const stamp = join(outdir, STAMP)
  const source = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === source) {
    return read(new CloudAssembly(outdir), true)
  }
  // Made aside and renamed, so that a start that is killed leaves nothing that looks whole.
  for (const name of readdirSync(dataDir)) {
    if (/^app(\.\d+)?$/.test(name)) rmSync(join(dataDir, name), { recursive: true })
  }
  const making = join(dataDir, `app.${process.pid}`)
  await runSynthesis(making, progress)
  writeFileSync(join(making, STAMP), source)
  renameSync(making, outdir)
  return read(new CloudAssembly(outdir), false)
}

async function runSynthesis(outdir: string, progress: (line: string) => void): Promise<void> {
  const script = fileURLToPath(new URL('./synth-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, outdir], {
    cwd: PROJECT,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const output: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    output.push(line)
    const bundling = /^Bundling (\d+ functions)$/.exec(line)
    if (bundling) progress(`  bundling ${bundling[1]}`)
  })
  const [code, signal] = await once(child, 'close')
  if (code === 0) return
  const said = output.slice(-60).join('\n')
  throw new CannotRunLocally(`The app does not synthesize (exit ${code ?? signal}):\n${said}`)
}

/**
 * A digest of everything a synthesis is made from: the CDK and function sources, the project's own
 * configuration, the packages npm really installed, and the Node version.
 */
export function fingerprint(): string {
  const digest = createHash('sha256').update(process.version)
  const files = globSync(
    ['infra/**/*', 'functions/**/*', '*.json', 'node_modules/.package-lock.json'],
    { cwd: PROJECT, withFileTypes: true },
  )
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  for (const file of files) {
    const content = readFileSync(file)
    digest.update(`\0${file}\0${content.length}\0`).update(content)
  }
  return digest.digest('hex')
}

function read(assembly: CloudAssembly, reused: boolean): Synthesized {
  const assets = new Map<string, string>()
  const stacks: StackTemplate[] = []
  const regions = new Set<string>()
  for (const stack of assembly.stacksRecursively) {
    const region = stack.environment.region
    if (region !== 'unknown-region') regions.add(region)
    const paths = new Map<string, string>()
    for (const it of stack.findMetadataByType('aws:cdk:logicalId')) {
      // Metadata paths end in the L1's own name, as a rule `Resource`, which says nothing.
      paths.set(String(it.data), it.path.replace(/^\//, '').replace(/\/Resource$/, ''))
    }
    stacks.push({ stack: stack.stackName, template: stack.template, paths })

    const manifest = join(assembly.directory, `${stack.id}.assets.json`)
    if (!existsSync(manifest)) continue
    const { files } = manifestSchema.parse(JSON.parse(readFileSync(manifest, 'utf8')))
    for (const { source, destinations } of Object.values(files)) {
      if (source.path === undefined) continue
      for (const { objectKey } of Object.values(destinations)) {
        assets.set(objectKey, join(assembly.directory, source.path))
      }
    }
  }
  if (regions.size > 1) {
    const names = [...regions].join(', ')
    throw new CannotRunLocally(`The stacks name several regions (${names}). Give all stacks one.`)
  }
  return { stacks, region: [...regions][0] ?? 'ap-south-1', assets, reused }
}
