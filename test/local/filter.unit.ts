import { describe, expect, it } from 'vitest'
import { compileFilter } from '../../local/streams/filter.ts'

const record = {
  eventName: 'INSERT',
  dynamodb: { Keys: { id: { S: 'room-7#2' } }, NewImage: { n: { N: '5' }, gone: { NULL: true } } },
}

describe('a filter pattern', () => {
  it.each([
    [{ eventName: ['INSERT'] }, true],
    [{ eventName: ['MODIFY', 'REMOVE'] }, false],
    [{ eventName: ['INSERT'], dynamodb: { Keys: { id: { S: [{ prefix: 'room-' }] } } } }, true],
    [{ eventName: ['INSERT'], dynamodb: { Keys: { id: { S: [{ prefix: 'hall-' }] } } } }, false],
    [{ dynamodb: { Keys: { id: { S: [{ suffix: '#2' }] } } } }, true],
    [{ dynamodb: { NewImage: { n: { N: ['4', '5'] } } } }, true],
    [{ dynamodb: { NewImage: { n: [{ exists: true }] } } }, true],
    [{ dynamodb: { OldImage: [{ exists: false }] } }, true],
    [{ dynamodb: { NewImage: { absent: { S: ['x'] } } } }, false],
    [{ dynamodb: { NewImage: { gone: { NULL: [true] } } } }, true],
    [{ eventName: [{ 'anything-but': ['REMOVE'] }] }, true],
    [{ eventName: [{ 'anything-but': 'INSERT' }] }, false],
    [{ userIdentity: [{ 'anything-but': ['x'] }] }, false],
    [{}, true],
  ])('%j', (pattern, passes) => {
    expect(compileFilter(pattern)(record)).toBe(passes)
  })

  it.each([
    [{ a: [{ numeric: ['>', 1] }] }, 'the condition {"numeric":[">",1]} is not supported'],
    [{ a: [['x']] }, 'a list inside a list'],
    [{ a: 'x' }, 'a pattern is an object, not "x"'],
  ])('that is not understood is refused: %j', (pattern, message) => {
    expect(() => compileFilter(pattern)).toThrow(message)
  })
})
