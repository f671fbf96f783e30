/** The classroom an order is for; null for the whole site, which `all` means too. */
export const classroomOf = (named: string | null | undefined): string | null =>
  named === 'all' ? null : (named ?? null)
