import { expect, test } from 'vitest'
import { imports, projectFiles, source } from './sources.ts'

/** The packages this product is promised to be built with. */
const CARD = [
  'aws-cdk-lib',
  'constructs',
  '@aws-sdk/client-dynamodb',
  '@aws-sdk/lib-dynamodb',
  '@aws-sdk/client-timestream-write',
  '@middy/core',
  'luxon',
  'zod',
  'vitest',
  'aws-sdk-client-mock',
]

const manifest = JSON.parse(source('package.json')) as Record<string, Record<string, string>>
const declared = {
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.optionalDependencies,
}
const imported = new Set(
  projectFiles()
    .filter((path) => path.endsWith('.ts'))
    .flatMap(imports),
)

test.each(CARD)('%s is declared with an exact version and imported', (name) => {
  expect(declared[name]).toMatch(/^\d+\.\d+\.\d+$/)
  expect([...imported].some((path) => path === name || path.startsWith(`${name}/`))).toBe(true)
})

test('every dependency has an exact version', () => {
  const loose = Object.entries(declared).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
  expect(loose).toEqual([])
})

test('the top level holds what the card names', () => {
  const top = new Set(projectFiles().map((path) => path.split('/')[0]))
  for (const name of [
    'infra',
    'functions',
    'firmware',
    'test',
    'cdk.json',
    'package.json',
    'tsconfig.json',
    'README.md',
  ]) {
    expect(top).toContain(name)
  }
})
