import type { RpcError, ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { ChannelRate } from '#server/channels/channel-rate.js'
import { thrownBy } from '../protocol/rejection.js'
import { makeSocket } from './sockets.js'

describe('ChannelRate', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['performance'] })
  })

  afterEach(() => clock.restore())

  /** How many of one each are taken now. */
  function taken(rate: ChannelRate, socket: ServerSocket, count: number): number {
    const before = Array.from({ length: count }, () => {
      try {
        rate.count(socket, 'a')
        return 1
      } catch {
        return 0
      }
    })
    return before.reduce<number>((sum, one) => sum + one, 0)
  }

  it('refuses what is over the limit, and names the limit and the channel', () => {
    const rate = new ChannelRate('publicationRate', 3)
    const { socket } = makeSocket()
    expect(taken(rate, socket, 6)).to.equal(6)
    const error = thrownBy(() => rate.count(socket, 'a')) as RpcError
    expect(error.code).to.equal('too_many_messages')
    expect(error.data).to.deep.equal({ field: 'publicationRate', limit: 3, channel: 'a' })
  })

  it('counts each channel and each socket for itself', () => {
    const rate = new ChannelRate('publicationRate', 1)
    const [one, two] = [makeSocket().socket, makeSocket().socket]
    for (let count = 0; count < 2; count += 1)
      for (const channel of ['a', 'b', '__proto__'])
        for (const socket of [one, two]) rate.count(socket, channel)
    expect((thrownBy(() => rate.count(one, '__proto__')) as RpcError).code).to.equal('too_many_messages')
  })

  it('takes in a second what is its own, and what the second before left unused', () => {
    const rate = new ChannelRate('publicationRate', 100)
    const { socket } = makeSocket()
    for (const [sent, expected] of [
      [100, 100],
      [150, 100],
      [40, 40],
      [300, 160],
      [300, 100],
      [0, 0],
      [300, 200],
    ] as const) {
      expect(taken(rate, socket, sent)).to.equal(expected)
      clock.tick(1000)
    }
  })

  it('takes an even stream that a stall bunches', () => {
    const rate = new ChannelRate('publicationRate', 1000)
    const { socket } = makeSocket()
    let late = 0
    // Every 10 ms 9.6 publications; those of 300 ms come together, twice in five seconds.
    for (let at = 0; at < 5000; at += 10) {
      const stalls = at % 2500 >= 700 && at % 2500 < 1000
      late += 9.6
      if (!stalls) {
        expect(taken(rate, socket, Math.floor(late))).to.equal(Math.floor(late))
        late -= Math.floor(late)
      }
      clock.tick(10)
    }
  })

  it('begins anew with the next second, exactly', () => {
    const rate = new ChannelRate('publicationRate', 1)
    const { socket } = makeSocket()
    expect(taken(rate, socket, 2)).to.equal(2)
    clock.tick(999)
    expect(taken(rate, socket, 1)).to.equal(0)
    clock.tick(1)
    expect(taken(rate, socket, 2)).to.equal(1)
  })

  it('takes the first of a second however large it is, and does not count what it refuses', () => {
    const rate = new ChannelRate('publicationBytes', 100)
    const { socket } = makeSocket()
    rate.count(socket, 'a', 500)
    rate.count(socket, 'b', 160)
    expect((thrownBy(() => rate.count(socket, 'b', 60)) as RpcError).code).to.equal('too_many_messages')
    rate.count(socket, 'b', 40)
    expect((thrownBy(() => rate.count(socket, 'a', 1)) as RpcError).code).to.equal('too_many_messages')
  })
})
