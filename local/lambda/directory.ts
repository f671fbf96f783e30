import type { Resource, Runtime } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { FUNCTION } from './function.ts'

/** The resource types of versions and aliases, and their properties that mean something here. */
export const VERSION = 'AWS::Lambda::Version'
export const VERSION_PROPERTIES = ['FunctionName', 'Description'] as const
export const ALIAS = 'AWS::Lambda::Alias'
/** Calls divided between versions are not among them: a start of the stack makes one version. */
export const ALIAS_PROPERTIES = [
  'FunctionName',
  'FunctionVersion',
  'Name',
  // No effect here: it only describes.
  'Description',
] as const

/** What a call names when it names no alias and no version. */
export const LATEST = '$LATEST'

/** What the text of a reference means: a function name or ARN, with or without a qualifier. */
export interface Callee {
  name: string
  /** The function's ARN with the qualifier as the caller gave it; without, where none was given. */
  arn: string
  qualifier: string
  /** The version that runs. */
  version: string
}

/** The functions of the app by everything one may call them. */
export interface Directory {
  /** Undefined when there is no such function, or no such alias or version of it. */
  find(reference: string, qualifier?: string): Callee | undefined
}

/** Reads functions, versions and aliases of the template. */
export function readDirectory(runtime: Pick<Runtime, 'ofType'>): Directory {
  const functions = new Map<string, { arn: string; versions: Map<string, string> }>()
  for (const { ref, attributes } of runtime.ofType(FUNCTION)) {
    functions.set(ref, { arn: String(attributes.Arn), versions: new Map([[LATEST, LATEST]]) })
  }
  const versionsOf = (resource: Resource) => {
    const name = functionName(String(resource.properties.FunctionName))
    const found = functions.get(name)
    if (found) return found.versions
    const why = `there is no function '${name}' in the app`
    throw refuse(resource, 'FunctionName', why, 'Name a function of the app.')
  }
  for (const resource of runtime.ofType(VERSION)) {
    const version = String(resource.attributes.Version)
    versionsOf(resource).set(version, version)
  }
  for (const resource of runtime.ofType(ALIAS)) {
    const { Name, FunctionVersion } = resource.properties
    const versions = versionsOf(resource)
    const version = versions.get(String(FunctionVersion))
    if (version === undefined) {
      const why = `the function has no version ${String(FunctionVersion)}`
      throw refuse(resource, 'FunctionVersion', why, 'Name a version of the app.')
    }
    versions.set(String(Name), version)
  }

  return {
    find(reference, given) {
      const name = functionName(reference)
      const found = functions.get(name)
      if (!found) return undefined
      const qualifier = given ?? qualifierOf(reference)
      const version = found.versions.get(qualifier ?? LATEST)
      if (version === undefined) return undefined
      const arn = qualifier === undefined ? found.arn : `${found.arn}:${qualifier}`
      return { name, arn, qualifier: qualifier ?? LATEST, version }
    },
  }
}

/** The name in a function name, a name with qualifier, or an ARN with or without qualifier. */
export function functionName(reference: string): string {
  const name = reference.startsWith('arn:') ? reference.split(':')[6] : reference.split(':')[0]
  return name ?? reference
}

function qualifierOf(reference: string): string | undefined {
  return reference.split(':')[reference.startsWith('arn:') ? 7 : 1]
}
