import { runInNewContext } from 'node:vm'
import { encodeData, findJsonLosses } from '@token-socket/protocol'
import { expect } from 'chai'
import { inNodeOnly } from '../only-in.js'

class Point {
  x = 1
  length(): number {
    return this.x
  }
}

class Getter {
  get area(): number {
    return 1
  }
}

class Record {
  id = 1
}

class Money {
  toJSON(): string {
    return '1 EUR'
  }
}

const LOST = {
  'a Map': new Map([['a', 1]]),
  'a Set': new Set([1]),
  'a WeakMap': new WeakMap(),
  'a Promise': Promise.resolve(1),
  'a RegExp': /a/,
  'an Error': new TypeError('no'),
  'an ArrayBuffer': new ArrayBuffer(1),
  'a Uint8Array': new Uint8Array(2),
  'a Buffer': Buffer.from('ab'),
  'a Float32Array': new Float32Array(2),
  'an Int8Array': new Int8Array(2),
  'a DataView': new DataView(new ArrayBuffer(1)),
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  'a function': () => {},
  'a symbol': Symbol('a'),
  'an invalid Date': new Date(Number.NaN),
  'an instance of Point': new Point(),
  'an instance of Getter': new Getter(),
  'an instance of URLSearchParams': new URLSearchParams('a=1'),
} as const

describe('json losses', () => {
  describe('#findJsonLosses', () => {
    for (const [type, value] of Object.entries(LOST)) {
      const { it: test } = value instanceof URLSearchParams ? inNodeOnly('Bun gives it `toJSON`') : { it }
      test(`finds ${type}, at any depth`, () => {
        expect(findJsonLosses(value)).to.have.length(1)
        expect(findJsonLosses(value)[0]).to.include({ path: 'data', type })
        expect(findJsonLosses({ items: [1, { when: value }] })[0]).to.include({
          path: 'data.items[1].when',
          type,
        })
        expect(findJsonLosses([value], 'req')[0]).to.include({ path: 'req[0]', type })
      })

      test(`says what to send instead of ${type}`, () => {
        expect(findJsonLosses({ value })[0]?.remedy).to.match(
          /^(it|its|its bytes) .*: (send|await|check|give) ?/,
        )
      })
    }

    it('finds what another realm made', () => {
      expect(findJsonLosses({ map: runInNewContext('new Map()') })[0]).to.include({
        path: 'data.map',
        type: 'a Map',
      })
      expect(findJsonLosses(runInNewContext('({ a: [1, { b: new Date(0) }] })'))).to.deep.equal([])
    })

    it('finds undefined in a list, also where a list has a hole', () => {
      expect(findJsonLosses([1, undefined])[0]).to.include({ path: 'data[1]', type: 'undefined in a list' })
      // biome-ignore lint/suspicious/noSparseArray: this is what is found
      expect(findJsonLosses([1, , 3])[0]).to.include({ path: 'data[1]' })
    })

    for (const value of [
      undefined,
      null,
      'text',
      0,
      -0,
      true,
      10n,
      new Date(0),
      new Money(),
      new URL('http://a.example'),
      new Record(),
      Object('boxed'),
      Object.create(null),
      { toJSON: () => 1, map: new Map() },
      { a: undefined, b: [1, 'x', null, { c: false }] },
    ]) {
      it(`finds nothing in ${typeof value === 'bigint' ? '10n' : encodeData(value)}`, () => {
        expect(findJsonLosses(value)).to.deep.equal([])
        expect(findJsonLosses(value)).to.equal(findJsonLosses(1))
      })
    }

    it('gives the first of each type', () => {
      const data = { a: new Map(), b: new Map(), c: [new Set(), Number.NaN] }
      expect(findJsonLosses(data).map(({ path }) => path)).to.deep.equal(['data.a', 'data.c[0]', 'data.c[1]'])
    })

    it('writes keys that are no names in quotes, and cuts long ones', () => {
      expect(findJsonLosses({ 'a b': new Map() })[0]?.path).to.equal('data["a b"]')
      expect(findJsonLosses({ ['k'.repeat(1000)]: new Map() })[0]?.path).to.have.length.below(60)
    })

    it('calls no getter', () => {
      let calls = 0
      findJsonLosses({
        get own() {
          calls += 1
          return new Map()
        },
      })
      expect(calls).to.equal(0)
    })

    it('never throws', () => {
      const revoked = Proxy.revocable({}, {})
      revoked.revoke()
      expect(findJsonLosses({ proxy: revoked.proxy })).to.deep.equal([])
    })

    it('ends with what is circular, deep or large', () => {
      const circle: { self?: object } = {}
      circle.self = circle
      let deep: unknown = new Map()
      for (let level = 0; level < 10_000; level += 1) deep = [deep]
      expect(findJsonLosses(circle)).to.deep.equal([])
      expect(findJsonLosses(deep)).to.deep.equal([])
      let looks = 0
      const counted = new Proxy(new Array(1e9), {
        get: (list, key) => {
          if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1
          return key === 'length' ? list.length : 1
        },
      })
      expect(findJsonLosses(counted)).to.deep.equal([])
      expect(looks).to.be.below(1001)
    })
  })
})
