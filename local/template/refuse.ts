/** What a message about a resource names; `Resource` fits. */
export interface Located {
  logicalId: string
  stack: string
  path: string
  type: string
}

/** The app asks for something this machine cannot honour. Starting stops; nothing is left half running. */
export class CannotRunLocally extends Error {
  override name = 'CannotRunLocally'
}

/**
 * Makes the error for a resource that cannot be honoured.
 * `where` is a property path ('' for the resource itself), `why` a clause, `todo` an instruction.
 */
export function refuse(it: Located, where: string, why: string, todo: string): CannotRunLocally {
  const property = where === '' ? '' : `, property ${where}`
  return new CannotRunLocally(
    `${it.type} '${it.logicalId}' (${it.path} in stack ${it.stack})${property}: ${why}. ${todo}`,
  )
}
