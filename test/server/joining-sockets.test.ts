import type { ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { type JoiningSocket, JoiningSockets } from '#server/authentication/joining-sockets.js'
import { readClaims } from '#server/claims/claims.js'
import { matcherOf, type Selection } from '#server/cluster/selectors.js'
import { makeSocket } from './sockets.js'

describe('JoiningSockets', () => {
  let joining: JoiningSockets
  let one: JoiningSocket
  let socket: ServerSocket
  let leave: () => void

  beforeEach(() => {
    joining = new JoiningSockets()
    ;({ socket } = makeSocket({ identity: { claims: readClaims({ uid: 'ann' }) }, isJoining: true }))
    void joining.run((begun) => {
      one = begun
      return new Promise<void>((resolve) => {
        leave = resolve
      })
    })
  })

  afterEach(() => leave())

  const end = (who: Selection) => joining.endWhere(matcherOf(who), { reconnect: false })

  describe('#endWhere', () => {
    it('ends one at once whose user is known', () => {
      one.identify(socket)
      expect([end({ uid: 'bob' }), one.isEnded]).to.deep.equal([0, false])
      expect([end({ uid: 'ann' }), one.isEnded]).to.deep.equal([1, true])
      expect(end({ uid: 'ann' })).to.equal(0)
    })

    it('ends one as soon as its user is known', () => {
      expect([end({ uid: 'ann' }), one.isEnded]).to.deep.equal([0, false])
      one.identify(socket)
      expect(one.isEnded).to.equal(true)
    })

    it('ends one that meets the conditions once its listeners have decided', () => {
      one.identify(socket)
      expect(end({ uid: 'ann', data: { device: 'phone' } })).to.equal(0)
      one.check()
      expect(one.isEnded).to.equal(false)
      socket.data.device = 'phone'
      one.check()
      expect(one.isEnded).to.equal(true)
    })

    it('leaves alone one that was let in: it is ended there', () => {
      one.identify(socket)
      one.admit()
      expect([end({ uid: 'ann' }), one.isEnded]).to.deep.equal([0, false])
    })
  })

  describe('#later', () => {
    it('acts on those that are let in and meant then, in order', () => {
      const acts: string[] = []
      joining.later(matcherOf({ uid: 'ann' }), () => acts.push('before it was known'))
      one.identify(socket)
      joining.later(matcherOf({ uid: 'bob' }), () => acts.push('another user'))
      joining.later(matcherOf({ data: { device: 'phone' } }), () => acts.push('by data'))
      joining.later(matcherOf({ data: { device: 'laptop' } }), () => acts.push('by other data'))
      socket.data.device = 'phone'
      expect(acts).to.deep.equal([])
      one.settle(socket)
      one.settle(socket)
      expect(acts).to.deep.equal(['before it was known', 'by data'])
    })

    it('does nothing with one that is gone', () => {
      const acts: string[] = []
      one.identify(socket)
      joining.later(matcherOf({ uid: 'ann' }), () => acts.push('gone'))
      socket.disconnected(1006)
      one.settle(socket)
      expect(acts).to.deep.equal([])
    })
  })
})
