import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** The name of the stored form of the series. */
export const ENCODING = 'varint;deflate-raw'

/**
 * Whole numbers as zigzag varints, seven bits a byte, then deflated: most blocks of a night are zero,
 * and a day of eight channels stays near one write unit.
 */
export function packSeries(series: readonly number[][]): Uint8Array {
  const bytes: number[] = []
  for (const value of series.flat()) {
    let rest = value >= 0 ? 2 * value : -2 * value - 1
    while (rest >= 128) {
      bytes.push((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    bytes.push(rest)
  }
  return deflateRawSync(Buffer.from(bytes), { level: 9 })
}

export function unpackSeries(packed: Uint8Array, length: number): number[][] {
  const values: number[] = []
  let value = 0
  let scale = 1
  for (const byte of inflateRawSync(packed, { maxOutputLength: 1024 * 1024 })) {
    value += (byte % 128) * scale
    scale *= 128
    if (byte < 128) {
      values.push(value % 2 === 0 ? value / 2 : -(value + 1) / 2)
      value = 0
      scale = 1
    }
  }
  const series: number[][] = []
  for (let i = 0; i < values.length; i += length) series.push(values.slice(i, i + length))
  return series
}
