import { nearestName } from '@token-socket/protocol'
import { expect } from 'chai'
import { Random } from './random.js'

/** Damerau and Levenshtein's distance, by its definition. */
function tableDistance(a: string, b: string): number {
  const table = [...a, ''].map(() => [...b, ''].map(() => 0))
  const at = (row: number, column: number) => table[row]?.[column] ?? 0
  for (let row = 0; row <= a.length; row += 1) {
    for (let column = 0; column <= b.length; column += 1) {
      const ways =
        row === 0 || column === 0 ? [row + column] : [at(row - 1, column) + 1, at(row, column - 1) + 1]
      if (row > 0 && column > 0) ways.push(at(row - 1, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1))
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        ways.push(at(row - 2, column - 2) + 1)
      ;(table[row] as number[])[column] = Math.min(...ways)
    }
  }
  return at(a.length, b.length)
}

const NAMES = ['orders.pay', 'orders.list', 'users.find', 'echo', 'whoami']

describe('nearest name', () => {
  describe('#nearestName', () => {
    for (const [wrong, right] of [
      ['orders.pya', 'orders.pay'],
      ['order.pay', 'orders.pay'],
      ['Orders.Pay', 'orders.pay'],
      ['orders.payy', 'orders.pay'],
      ['orders.lst', 'orders.list'],
      ['user.fnd', 'users.find'],
      ['ehco', 'echo'],
      ['whoam', 'whoami'],
    ]) {
      it(`is ${right} for ${wrong}`, () => expect(nearestName(String(wrong), NAMES)).to.equal(right))
    }

    for (const wrong of ['', 'invoices.send', 'x', 'echo', 'ec'.repeat(1000), '__proto__', 'constructor']) {
      it(`is none for ${wrong.slice(0, 20) || 'nothing'}`, () =>
        expect(nearestName(wrong, NAMES)).to.equal(undefined))
    }

    it('is the nearest of several', () => expect(nearestName('lists', ['lost', 'list'])).to.equal('list'))

    it('is what the whole table of distances gives, of names at random', () => {
      const random = new Random(7)
      const word = () =>
        Array.from({ length: 1 + random.number(12) }, () => random.pick(['a', 'b', 'c'])).join('')
      for (let round = 0; round < 3000; round += 1) {
        const [wrong, names] = [word(), [word(), word(), word()]]
        const limit = Math.min(3, Math.max(1, Math.floor(wrong.length / 3)))
        const others = names.filter((name) => name !== wrong && tableDistance(wrong, name) <= limit)
        const least = Math.min(...others.map((name) => tableDistance(wrong, name)))
        const expected = others.find((name) => tableDistance(wrong, name) === least)
        expect(nearestName(wrong, names), `${wrong} of ${names}`).to.equal(expected)
      }
    })

    it('compares with 500 names', () => {
      let taken = 0
      const names = function* () {
        for (;;) {
          taken += 1
          yield 'unlike'
        }
      }
      expect(nearestName('echo', names())).to.equal(undefined)
      expect(taken).to.be.below(510)
    })
  })
})
