import { describe, expect, test } from 'vitest'
import { allocate, energyOf, share } from '../../functions/domain/amounts.ts'

describe('integer shares', () => {
  test('rounds down', () => expect(share(10, 1, 3)).toBe(3))
  test('gives the whole for the whole', () => expect(share(7, 9, 9)).toBe(7))
  test('stays exact where the product passes 2^53', () =>
    expect(share(9_000_000_000_000, 86_399_999, 86_400_000)).toBe(8_999_999_895_833))
  test('rounds a negative amount down too', () =>
    expect(share(-9_000_000_000_001, 43_200_001, 86_400_000)).toBe(-4_500_000_104_168))
})

describe('splitting a sum', () => {
  test('loses no unit', () => expect(allocate(100, [1, 1, 1])).toEqual([33, 33, 34]))
  test('gives nothing to a weight of zero', () =>
    expect(allocate(5, [0, 2, 0, 3])).toEqual([0, 2, 0, 3]))
  test('gives nobody anything when nothing has weight', () =>
    expect(allocate(5, [0, 0])).toEqual([0, 0]))
})

test('1,000 W for an hour are 1,000 Wh', () =>
  expect(energyOf(1_000_000, 3_600_000)).toBe(1_000_000))
