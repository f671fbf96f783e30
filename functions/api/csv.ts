/** A field of a CSV file; null is empty. */
export type Field = string | number | null

/** One line of a CSV file by RFC 4180, with its end. */
export function csvLine(fields: readonly Field[]): string {
  return `${fields.map(toText).join(',')}\r\n`
}

function toText(field: Field): string {
  if (field === null) return ''
  if (typeof field === 'number') return String(field)
  const guarded = isFormula(field) ? `'${field}` : field
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded
}

/**
 * What a spreadsheet would run when it opens the file: a text beginning with one of these, also
 * behind spaces, which some of them pass over. Numbers are written as numbers and are none.
 */
function isFormula(text: string): boolean {
  return /^\s*[=+\-@\uff0b\uff0d\uff1d\uff20]/.test(text) || /^[\t\r\n]/.test(text)
}
