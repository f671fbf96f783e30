import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../firmware')
const MAX_LINES = 400

const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/\/\/.*/g, ' ')

/** Names of the functions a header declares: `type name(arguments);`, over several lines if need be. */
const declared = (header: string): string[] =>
  [...withoutComments(header).matchAll(/\b(port_\w+)\s*\([^;{}]*\)\s*;/g)].map(
    (match) => match[1] as string,
  )

/** Names of the functions a source file defines, with a body that is not empty. */
const defined = (source: string): string[] =>
  [
    ...withoutComments(source).matchAll(
      /^[a-z][^\n;{}()=]*?\b(port_\w+)\s*\([^;{}]*\)\s*\{([^}]*)/gm,
    ),
  ]
    .filter((match) => (match[2] as string).trim() !== '')
    .map((match) => match[1] as string)

const shell = readdirSync(join(ROOT, 'main'))
  .filter((name) => /\.[ch]$/.test(name))
  .map((name) => ({ name, source: readFileSync(join(ROOT, 'main', name), 'utf8') }))

const functionsOfPort = declared(readFileSync(join(ROOT, 'core/port.h'), 'utf8'))

describe('the ESP-IDF shell', () => {
  it('finds the functions of port.h', () => {
    expect(functionsOfPort).toEqual(
      expect.arrayContaining(['port_flash_write', 'port_mqtt_publish', 'port_led']),
    )
  })

  it('implements every function of port.h, each once', () => {
    const found = shell.flatMap(({ source }) => defined(source))
    expect(functionsOfPort.filter((name) => !found.includes(name))).toEqual([])
    expect(found.filter((name, at) => found.indexOf(name) !== at)).toEqual([])
    expect(found.filter((name) => !functionsOfPort.includes(name))).toEqual([])
  })

  it('counts in integers', () => {
    const floating = shell.filter(({ source }) =>
      /\b(float|double)\b/.test(withoutComments(source)),
    )
    expect(floating.map(({ name }) => name)).toEqual([])
  })

  it(`has no file over ${MAX_LINES} lines`, () => {
    const long = shell.filter(({ source }) => source.split('\n').length > MAX_LINES)
    expect(long.map(({ name }) => name)).toEqual([])
  })
})
