import type { Plugin, Resource } from '../runtime.ts'
import { CannotRunLocally, refuse } from './refuse.ts'

/** True when no plug-in does anything with the type, knowingly. */
export function isInert(plugins: readonly Plugin[], type: string): boolean {
  const supports = plugins.map((plugin) => plugin.supports[type]).filter((it) => it !== undefined)
  return supports.length > 0 && supports.every((it) => !Array.isArray(it))
}

/**
 * Holds every resource of the app against what the plug-ins honour. Throws one `CannotRunLocally`
 * that lists each type and property nobody honours, so that one start shows all of them.
 */
export function checkSupport(resources: readonly Resource[], plugins: readonly Plugin[]): void {
  const problems: CannotRunLocally[] = []
  for (const resource of resources) {
    const supports = plugins
      .map((plugin) => plugin.supports[resource.type])
      .filter((it) => it !== undefined)
    if (supports.length === 0) {
      const todo =
        'Take it out of the local stage, or give it a plug-in (or a reason in local/inert.ts).'
      problems.push(refuse(resource, '', 'nothing on this machine stands for this type', todo))
      continue
    }
    if (isInert(plugins, resource.type)) continue
    const honoured = new Set(supports.filter((it) => Array.isArray(it)).flat())
    for (const property of Object.keys(resource.properties)) {
      if (honoured.has(property)) continue
      const todo = 'Leave it out on the local stage, or honour it in the plug-in for this type.'
      problems.push(refuse(resource, property, 'this property is not honoured here', todo))
    }
  }
  if (problems.length === 0) return
  if (problems.length === 1) throw problems[0]
  throw new CannotRunLocally(problems.map((it) => it.message).join('\n'))
}
