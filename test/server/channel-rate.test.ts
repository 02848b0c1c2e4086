import type { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { ChannelRate } from '../../packages/server/src/channels/channel-rate.js'
import { thrownBy } from '../protocol/rejection.js'
import { makeSocket } from './sockets.js'

describe('ChannelRate', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['performance'] })
  })

  afterEach(() => clock.restore())

  it('refuses what is over the limit, and names the limit and the channel', () => {
    const rate = new ChannelRate('publicationRate', 3)
    const { socket } = makeSocket()
    for (let count = 0; count < 3; count += 1) rate.count(socket, 'a')
    const error = thrownBy(() => rate.count(socket, 'a')) as RpcError
    expect(error.code).to.equal('too_many_messages')
    expect(error.data).to.deep.equal({ field: 'publicationRate', limit: 3, channel: 'a' })
  })

  it('counts each channel and each socket for itself', () => {
    const rate = new ChannelRate('publicationRate', 1)
    const [one, two] = [makeSocket().socket, makeSocket().socket]
    for (const channel of ['a', 'b', '__proto__'])
      for (const socket of [one, two]) rate.count(socket, channel)
    expect((thrownBy(() => rate.count(one, '__proto__')) as RpcError).code).to.equal('too_many_messages')
  })

  it('begins anew with the next second', () => {
    const rate = new ChannelRate('publicationRate', 1)
    const { socket } = makeSocket()
    rate.count(socket, 'a')
    clock.tick(999)
    expect((thrownBy(() => rate.count(socket, 'a')) as RpcError).code).to.equal('too_many_messages')
    clock.tick(1)
    rate.count(socket, 'a')
  })

  it('takes the first of a second however large it is, and does not count what it refuses', () => {
    const rate = new ChannelRate('publicationBytes', 100)
    const { socket } = makeSocket()
    rate.count(socket, 'a', 500)
    rate.count(socket, 'b', 60)
    expect((thrownBy(() => rate.count(socket, 'b', 60)) as RpcError).code).to.equal('too_many_messages')
    rate.count(socket, 'b', 40)
    expect((thrownBy(() => rate.count(socket, 'a', 1)) as RpcError).code).to.equal('too_many_messages')
  })
})
