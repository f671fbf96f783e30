import { PRICE_LISTS, PRICED, type Priced } from '../../infra/price-lists.ts'
import { usage } from '../failure.ts'
import { type Pico, picoPerUnit } from './money.ts'

/** Prices of one unit. */
export type Prices = Readonly<Record<Priced, Pico>>

/** Those of a region that were found nowhere, so that they are from memory. */
export function notFound(region: string): Priced[] {
  const found = PRICE_LISTS[region]?.found ?? {}
  return (Object.keys(PRICED) as Priced[]).filter((name) => found[name] === undefined)
}

/** The prices of a region, some of them replaced (`--price write=0.65`, for as many as the list prices). */
export function pricesOf(region: string, given: readonly string[] = []): Prices {
  const list = PRICE_LISTS[region]
  if (list === undefined) {
    throw usage(
      `--region must be one of ${Object.keys(PRICE_LISTS).join(', ')}, whose prices are known (is "${region}"); give those of another with --price`,
    )
  }
  const dollars: Record<string, string> = { ...list.dollars }
  for (const text of given) {
    const [name = '', price = ''] = text.split('=')
    if (!(name in PRICED) || !/^\d{1,6}(\.\d{1,12})?$/.test(price)) {
      throw usage(
        `--price must be <name>=<dollars>, with a name of ${Object.keys(PRICED).join(', ')} (is "${text}")`,
      )
    }
    dollars[name] = price
  }
  return Object.fromEntries(
    Object.entries(PRICED).map(([name, { per }]) => {
      try {
        return [name, picoPerUnit(dollars[name] as string, per)]
      } catch (cause) {
        throw usage(`--price ${name}: ${(cause as Error).message}`)
      }
    }),
  ) as Record<Priced, Pico>
}
