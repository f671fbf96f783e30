import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvLine } from '../../functions/api/csv.ts'

describe('a CSV line', () => {
  it.each([
    [['a', 1.5, null], 'a,1.5,\r\n'],
    [['Room 1, left', 'say "hi"'], '"Room 1, left","say ""hi"""\r\n'],
    [['two\nlines'], '"two\nlines"\r\n'],
    [[-1], '-1\r\n'],
  ])('%j is %j', (fields, line) => {
    expect(csvLine(fields)).toBe(line)
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '  =1', '＝1', '＋1', '－1', '＠x'])(
    'takes %j for the text it is',
    (text) => {
      expect(parse(csvLine([text]))[0]?.[0]).toBe(`'${text}`)
    },
  )

  it('is read back as what was written', () => {
    const text = fc
      .string({ unit: 'grapheme' })
      .filter((one) => !/^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(one))
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 5 }), (fields) => {
        expect(parse(csvLine(fields), { record_delimiter: '\r\n' })).toEqual([fields])
      }),
    )
  })
})
