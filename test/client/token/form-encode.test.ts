import { expect } from 'chai'
import { formEncode } from '#client/token/form-encode.js'

describe('formEncode', () => {
  const examples: readonly (readonly [what: string, data: Record<string, unknown>, encoded: string])[] = [
    ['plain values', { a: 1, b: true, c: 'x y' }, 'a=1&b=true&c=x y'],
    ['nested objects', { a: { b: { c: 'd' } } }, 'a[b][c]=d'],
    ['arrays', { a: ['x', { y: 1 }] }, 'a[0]=x&a[1][y]=1'],
    ['dates', { at: new Date(0) }, 'at=1970-01-01T00:00:00.000Z'],
    ['nothing for empty strings, null and undefined', { a: '', b: null, c: undefined }, ''],
    ['nothing for empty objects', { a: {}, b: [], c: 1 }, 'c=1'],
  ]
  for (const [what, data, encoded] of examples) {
    it(`encodes ${what}`, () => {
      expect(decodeURIComponent(formEncode(data))).to.equal(encoded)
    })
  }

  it('escapes what has a meaning in URLs', () => {
    expect(formEncode({ 'a&b': '=#' })).to.equal('a%26b=%3D%23')
  })
})
