import { nearestName } from '@token-socket/protocol'
import { expect } from 'chai'

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
