import { expect, it } from 'vitest'
import { imports, projectFiles } from '../check/sources.ts'

it('the truth of the simulation agrees with nobody: it imports itself and the chance of the campus', () => {
  const allowed = /^(simulate\/truth\/[a-z]+\.ts|local\/fleet\/model\/chance\.ts)$/
  const foreign = projectFiles()
    .filter((path) => path.startsWith('simulate/truth/'))
    .flatMap((path) => imports(path).map((name) => [path, name] as const))
    .filter(([, name]) => !allowed.test(name))
  expect(foreign).toEqual([])
})
