import { expect } from 'chai'
import fc from 'fast-check'
import { copyData } from '#server/runtime/data-copy.js'

/** Every object and list in some data. */
function partsOf(data: unknown): object[] {
  if (typeof data !== 'object' || data === null) return []
  return [data, ...Object.values(data).flatMap(partsOf)]
}

describe('copyData', () => {
  it('copies whatever JSON carries, and shares no object with it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const data: unknown = JSON.parse(text)
        const copy = copyData(data)
        expect(JSON.stringify(copy)).to.equal(JSON.stringify(data))
        const parts = new Set(partsOf(data))
        expect(partsOf(copy).filter((part) => parts.has(part))).to.deep.equal([])
      }),
    )
  })

  for (const text of ['{"__proto__":{"a":1}}', '{"a":{"__proto__":5}}', '[{"constructor":{"prototype":{}}}]'])
    it(`keeps names that objects inherit: ${text}`, () => {
      const data: Record<string, unknown> = JSON.parse(text)
      const copy = copyData(data)
      expect(JSON.stringify(copy)).to.equal(text)
      expect(Object.getPrototypeOf(copy)).to.equal(Object.getPrototypeOf(data))
      expect((copy as { a?: unknown }).a).to.deep.equal(data.a)
    })

  it('copies what a middleware may put there', () => {
    const data = { at: new Date(5), all: [new Map([[1, { a: 1 }]])], big: 1n, none: undefined }
    const copy = copyData(data)
    expect(copy).to.deep.equal(data)
    expect(copy.at).to.not.equal(data.at)
    expect(copy.all[0]?.get(1)).to.not.equal(data.all[0]?.get(1))
  })

  const circle: unknown[] = []
  circle.push(circle)
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown
  for (const [title, data] of Object.entries({
    'a function': [() => 1],
    'a symbol': { a: Symbol('a') },
    circle,
    deep,
  }))
    it(`throws where there is no copy: ${title}`, () => {
      expect(() => copyData(data)).to.throw()
    })
})
