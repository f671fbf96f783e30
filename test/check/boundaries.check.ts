import { describe, expect, test } from 'vitest'
import { code, imports, projectFiles, source } from './sources.ts'

const files = projectFiles()
const under = (folder: string) =>
  files.filter((path) => path.startsWith(folder) && path.endsWith('.ts'))

/** Offences as `file: what`, so that a failing test is the list of things to mend. */
function offences(paths: readonly string[], find: (path: string) => string[]): string[] {
  return paths.flatMap((path) => find(path).map((what) => `${path}: ${what}`))
}

function importsOutside(folder: string, allowed: readonly RegExp[]): string[] {
  return offences(under(folder), (path) =>
    imports(path).filter((name) => !allowed.some((a) => a.test(name))),
  )
}

describe('the arrows between folders', () => {
  test('the contract imports only itself and zod', () => {
    expect(importsOutside('functions/contract/', [/^functions\/contract\//, /^zod$/])).toEqual([])
  })

  test('the domain imports only itself, luxon and zod', () => {
    expect(
      importsOutside('functions/domain/', [/^functions\/domain\//, /^luxon$/, /^zod$/]),
    ).toEqual([])
  })

  test('adapters import contract, domain, other adapters and packages, never a use case', () => {
    const own = /^functions\/(contract|domain|adapters)\//
    expect(
      importsOutside('functions/adapters/', [own, /^(?!functions\/|infra\/|local\/|cli\/|test\/)/]),
    ).toEqual([])
  })

  test('functions know nothing of where they run', () => {
    expect(
      importsOutside('functions/', [/^functions\//, /^(?!infra\/|local\/|cli\/|test\/)/]),
    ).toEqual([])
  })

  test('the description of the cloud imports nothing of the code it deploys', () => {
    expect(importsOutside('infra/', [/^infra\//, /^(?!functions\/|local\/|cli\/|test\/)/])).toEqual(
      [],
    )
  })

  test('the simulated campus knows the truth without the domain', () => {
    expect(importsOutside('local/fleet/', [/^(?!functions\/domain\/)/])).toEqual([])
  })
})

describe('the domain', () => {
  const domain = under('functions/domain/')

  test('takes time, chance and settings as arguments', () => {
    const hidden =
      /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bprocess\b|Math\.random|DateTime\.now|\bcrypto\b/g
    expect(offences(domain, (path) => code(path).match(hidden) ?? [])).toEqual([])
  })

  test('has no fractions: no decimal literal, and no division that is not rounded at once', () => {
    const fraction = (path: string) =>
      code(path)
        .replace(/'[^'\n]*'|`[^`]*`|\/\^.*?\$?\/\./g, '')
        .split('\n')
        .filter(
          (line) =>
            /\b\d+\.\d/.test(line) ||
            (/ \/ /.test(line) && !/Math\.(floor|ceil|round)|BigInt/i.test(line)),
        )
        .map((line) => line.trim())
    expect(offences(domain, fraction)).toEqual([])
  })
})

describe('the ledger', () => {
  test('is put by one module, which one function uses', () => {
    const writers = under('functions/').filter(
      (path) =>
        /import (?!type)[^;]*?\bjournal\b[^;]*?from '[^']*adapters\/journal\.ts'/.test(
          source(path),
        ) && /\bjournal\(/.test(code(path)),
    )
    expect(writers).toEqual(['functions/ledger/handler.ts'])
  })

  test('is named as a table to write to nowhere else', () => {
    const write = /(Put|Update|Delete|BatchWrite|TransactWrite)Command/
    const writing = under('functions/').filter(
      (path) => write.test(code(path)) && /ledger/i.test(code(path)),
    )
    expect(writing).toEqual(['functions/adapters/journal.ts'])
  })

  test('knows no update and no delete', () => {
    expect(code('functions/adapters/journal.ts').match(/(Update|Delete)(Command|:)/g)).toBeNull()
  })
})

describe('the files', () => {
  const sources = files.filter((path) => /\.(ts|mjs|js|c|h|css|html)$/.test(path))

  test('have at most 400 lines', () => {
    const long = (path: string) => {
      const lines = source(path).split('\n').length
      return lines > 401 ? [`${lines} lines`] : []
    }
    expect(offences(sources, long)).toEqual([])
  })

  test('are named for a noun, never for being useful', () => {
    const vague = /(^|\/)(utils?|helpers?|common|mappers?|misc|shared)(\.|\/)/
    expect(files.filter((path) => vague.test(path))).toEqual([])
  })

  test('name no path of the machine they were written on', () => {
    const machine = /(^|[^A-Za-z0-9.~])\/(work|root|home\/[a-z]+)\//
    const named = (path: string) =>
      source(path)
        .split('\n')
        .filter((line) => machine.test(line))
    const texts = files.filter(
      (path) => /\.(ts|json|md|c|h|sh|txt|yml|mjs)$/.test(path) && path !== 'package-lock.json',
    )
    expect(
      offences(
        texts.filter((path) => path !== 'test/check/boundaries.check.ts'),
        named,
      ),
    ).toEqual([])
  })

  test('leave nothing for later', () => {
    const later = (path: string) => code(path).match(/\b(TODO|FIXME|XXX)\b/g) ?? []
    expect(
      offences(
        sources.filter((path) => !path.startsWith('test/check/')),
        later,
      ),
    ).toEqual([])
  })
})
