import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { ChannelIdentities } from '#server/claims/channel-identities.js'
import { thrownBy } from '../../protocol/rejection.js'

const JIM = { uid: 'jim', umd: { name: 'Jim' } }
const said = (uid?: string, umd?: unknown) => ({ uid, umd })

describe('ChannelIdentities', () => {
  let identities: ChannelIdentities

  beforeEach(() => {
    identities = new ChannelIdentities(JIM)
  })

  describe('#on', () => {
    it('is its own where no token said anything', () => {
      expect(identities.on('a')).to.deep.equal(JIM)
      expect(identities.on('__proto__')).to.deep.equal(JIM)
      expect(identities.on()).to.deep.equal(JIM)
    })

    it('is nothing of whom nothing is known', () => {
      expect(new ChannelIdentities(said()).on('a')).to.deep.equal({})
    })

    it('is what was said last of that channel', () => {
      identities.set('a', said('x', 1))
      identities.set('a', said('y', null))
      identities.set('b', said('z', 2))
      expect(identities.on('a')).to.deep.equal({ uid: 'y', umd: null })
      expect(identities.on('b')).to.deep.equal({ uid: 'z', umd: 2 })
      expect(identities.on()).to.deep.equal(JIM)
    })
  })

  describe('#set', () => {
    it('keeps what a token leaves out', () => {
      identities.set('a', said(undefined, 5))
      identities.set('b', said('jim'))
      expect(identities.on('a')).to.deep.equal({ uid: 'jim', umd: 5 })
      expect(identities.on('b')).to.deep.equal(JIM)
    })

    it('does not say of another user what is known of this one', () => {
      identities.set('a', said('eve'))
      expect(identities.on('a')).to.deep.equal({ uid: 'eve' })
    })

    it('takes nothing of what an earlier token said', () => {
      identities.set('a', said('eve', { name: 'Eve' }))
      identities.set('a', said(undefined, 5))
      expect(identities.on('a')).to.deep.equal({ uid: 'jim', umd: 5 })
    })

    it('leaves it as it is for a token that says nothing of it', () => {
      identities.set('a', said('eve'))
      identities.set('a', said())
      expect(identities.on('a')).to.deep.equal({ uid: 'eve' })
    })

    it('refuses one channel more than claims may have, but none that it knows', () => {
      for (let index = 0; index < 1000; index += 1) identities.set(String(index), said('x'))
      const error = thrownBy(() => identities.set('1000', said('x'))) as RpcError
      expect(RpcError.is(error)).to.equal(true)
      expect([error.code, error.data]).to.deep.equal(['bad_claims', { field: 'channels', limit: 1000 }])
      identities.set('1000', said())
      identities.set('5', said('y'))
      expect(identities.on('5')).to.deep.equal({ uid: 'y' })
    })
  })

  describe('#said', () => {
    it('is whole, and there only if a token said it', () => {
      identities.set('a', said(undefined, 5))
      expect(identities.stated('a')).to.deep.equal({ uid: 'jim', umd: 5 })
      expect(identities.stated('b')).to.equal(undefined)
    })
  })
})
