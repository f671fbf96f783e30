// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes its variables so.
import { describe, expect, it } from 'vitest'
import { resolveIntrinsics, type Scope } from '../../local/template/intrinsics.ts'

const scope: Scope = {
  ref: (id) => ({ 'AWS::Region': 'ap-south-1', Queue: 'http://queue' })[id] ?? `ref-${id}`,
  attribute: (id, attribute) => `${id}/${attribute}`,
  importValue: (name) => `imported ${name}`,
  fail: (why) => new Error(why),
}
const resolve = (value: unknown) => resolveIntrinsics(value, scope)

describe('intrinsics', () => {
  it.each([
    ['plain values', { a: [1, true, null, 'x'] }, { a: [1, true, null, 'x'] }],
    ['Ref', { Ref: 'Queue' }, 'http://queue'],
    ['Fn::GetAtt as list', { 'Fn::GetAtt': ['Table', 'Arn'] }, 'Table/Arn'],
    ['Fn::GetAtt as text, with a nested attribute', { 'Fn::GetAtt': 'A.B.C' }, 'A/B.C'],
    [
      'Fn::Join of resolved parts',
      { 'Fn::Join': [':', ['arn', { Ref: 'AWS::Region' }]] },
      'arn:ap-south-1',
    ],
    ['Fn::Split and Fn::Select', { 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    ['Fn::Select by a number in text', { 'Fn::Select': ['0', ['x', 'y']] }, 'x'],
    [
      'Fn::Sub of references and attributes',
      { 'Fn::Sub': '${AWS::Region}-${Table.Arn}' },
      'ap-south-1-Table/Arn',
    ],
    [
      'Fn::Sub with its own variables',
      { 'Fn::Sub': ['${Own}/${Q}', { Own: { Ref: 'Queue' } }] },
      'http://queue/ref-Q',
    ],
    [
      'Fn::Sub keeping a literal',
      { 'Fn::Sub': 'client/${!iot:Connection.Thing.ThingName}' },
      'client/${iot:Connection.Thing.ThingName}',
    ],
    ['Fn::ImportValue', { 'Fn::ImportValue': 'Stack:Export' }, 'imported Stack:Export'],
    ['Fn::Base64', { 'Fn::Base64': 'abc' }, 'YWJj'],
    ['AWS::NoValue in an object', { a: { Ref: 'AWS::NoValue' }, b: 1 }, { b: 1 }],
    ['AWS::NoValue in a list', [1, { Ref: 'AWS::NoValue' }], [1]],
    ['a policy variable in plain text', '${iot:ClientId}', '${iot:ClientId}'],
  ])('resolves %s', (_, value, expected) => {
    expect(resolve(value)).toEqual(expected)
  })

  it.each([
    [{ 'Fn::If': ['c', 1, 2] }, 'the intrinsic Fn::If is not supported'],
    [{ 'Fn::GetAZs': '' }, 'the intrinsic Fn::GetAZs is not supported'],
    [{ 'Fn::Select': [3, ['a']] }, 'Fn::Select asks for item 3 of a list of 1'],
    [{ 'Fn::Join': ['', [{ a: 1 }]] }, 'Fn::Join needs text and got {"a":1}'],
    [{ 'Fn::GetAtt': ['Table'] }, 'Fn::GetAtt needs two parts'],
  ])('refuses %j', (value, message) => {
    expect(() => resolve(value)).toThrow(message)
  })
})
