import { expect } from 'chai'
import sinon from 'sinon'
import { BoundedCache } from '#server/runtime/bounded-cache.js'

describe('Memo', () => {
  describe('#get', () => {
    it('makes a value once, and gives the same again', () => {
      const make = sinon.spy((name: string) => ({ name }))
      const memo = new BoundedCache(2, make)
      expect(memo.get('a')).to.deep.equal({ name: 'a' })
      expect(memo.get('a')).to.equal(memo.get('a'))
      expect(make.args).to.deep.equal([['a']])
    })

    it('forgets the one that was made first, beyond its limit', () => {
      const make = sinon.spy((name: string) => ({ name }))
      const memo = new BoundedCache(2, make)
      for (const name of ['a', 'b', 'c', 'c', 'b', 'a']) memo.get(name)
      expect(make.args.flat()).to.deep.equal(['a', 'b', 'c', 'a'])
    })

    it('never holds more than its limit', () => {
      const memo = new BoundedCache(3, (name) => ({ name }))
      for (let index = 0; index < 100; index += 1) {
        memo.get(`name-${index}`)
        expect(memo.size).to.be.at.most(3)
      }
    })

    it('throws what the function throws, and asks it again the next time', () => {
      const make = sinon.stub()
      make.onFirstCall().throws(new Error('not yet'))
      make.onSecondCall().returns({ good: true })
      const memo = new BoundedCache(1, make)
      expect(() => memo.get('a')).to.throw('not yet')
      expect(memo.get('a')).to.deep.equal({ good: true })
    })

    it('knows no name that every object has', () => {
      const memo = new BoundedCache(9, (name) => ({ name }))
      for (const name of ['__proto__', 'constructor', 'toString', '']) {
        expect(memo.get(name)).to.deep.equal({ name })
      }
    })
  })
})
