/** A column: its title, and whether its values are numbers (set to the right). */
export interface Column {
  title: string
  isNumber?: boolean
}

/** Rows as aligned text, one line each, the titles first. */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map(({ isNumber }, at) => {
        const text = cells[at] ?? ''
        const width = widths[at] ?? 0
        return isNumber ? text.padStart(width) : text.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return `${[columns.map((column) => column.title), ...rows].map(line).join('\n')}\n`
}

/** Milliwatt-hours as Wh, milliwatts as W: three decimals, or a dash for nothing. */
export function thousandths(value: number | null | undefined): string {
  return value == null ? '-' : (value / 1000).toFixed(3)
}
