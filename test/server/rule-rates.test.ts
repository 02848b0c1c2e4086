import type { RpcError, ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { ChannelRules } from '#server/channels/channel-rules.js'
import { BUCKETS_PER_SOCKET, RuleRates } from '#server/channels/rule-rates.js'
import type { ChannelRuleTable } from '#server/channels/rule-table.js'
import { thrownBy } from '../protocol/rejection.js'
import { makeSocket } from './sockets.js'

describe('RuleRates', () => {
  const ratesOf = (table: ChannelRuleTable) => {
    const rules = new ChannelRules(table)
    return new RuleRates({ rates: (channel, event) => rules.for(channel).rates(event) })
  }

  /** Which of some publications are taken. */
  function taken(rates: RuleRates, socket: ServerSocket, tries: [event: string | undefined, now: number][]) {
    return tries.map(([event, now]) => {
      try {
        rates.take(socket, { channel: 'chat', event }, now)
        return true
      } catch {
        return false
      }
    })
  }

  const { socket } = makeSocket()

  it('refuses what is over a rate, and says which, and after how long it would do', () => {
    const rates = ratesOf({ chat: { events: { typing: { rate: { perSecond: 2, burst: 1 } } } } })
    rates.take(socket, { channel: 'chat', event: 'typing' }, 0)
    const error = thrownBy(() => rates.take(socket, { channel: 'chat', event: 'typing' }, 100)) as RpcError
    expect(error.code).to.equal('rate_limited')
    expect(error.message).to.equal('Over the limit of a rate: channels.events.rate (limit 2)')
    expect(error.data).to.deep.equal({
      field: 'channels.events.rate',
      limit: 2,
      retryAfter: 400,
      channel: 'chat',
      event: 'typing',
    })
    expect(
      taken(rates, socket, [
        ['typing', 499],
        ['typing', 500],
      ]),
    ).to.deep.equal([false, true])
  })

  it('names the rate of a rule, and no event where there is none', () => {
    const rates = ratesOf({ 'c*': { rate: { perSecond: 1 } } })
    rates.take(socket, { channel: 'chat' }, 0)
    const error = thrownBy(() => rates.take(socket, { channel: 'chat' }, 0)) as RpcError
    expect(error.data).to.deep.equal({ field: 'channels.rate', limit: 1, retryAfter: 1000, channel: 'chat' })
  })

  it('counts each socket and each channel for itself', () => {
    const rates = ratesOf({ '*': { rate: { perSecond: 1 } } })
    const { socket: other } = makeSocket()
    for (const [who, channel] of [
      [socket, 'a'],
      [socket, 'b'],
      [other, 'a'],
    ] as const)
      expect(() => rates.take(who, { channel }, 0)).not.to.throw()
    expect(() => rates.take(socket, { channel: 'a' }, 0)).to.throw()
  })

  it('counts all events of an entry together, so that another name does not help', () => {
    const rates = ratesOf({ chat: { events: { 'x-*': { rate: { perSecond: 1 } } } } })
    expect(
      taken(rates, socket, [
        ['x-1', 0],
        ['x-2', 0],
        ['other', 0],
        [undefined, 0],
      ]),
    ).to.deep.equal([true, false, true, true])
  })

  it('needs room in all that mean the event, and takes from none if one has none', () => {
    const rates = ratesOf({
      chat: { rate: { perSecond: 1, burst: 3 }, events: { typing: { rate: { perSecond: 1, burst: 1 } } } },
    })
    const typing: [string, number] = ['typing', 0]
    expect(taken(rates, socket, [typing, typing, typing, ['say', 0], ['say', 0], ['say', 0]])).to.deep.equal([
      true,
      false,
      false,
      true,
      true,
      false,
    ])
  })

  it('takes back', () => {
    const rates = ratesOf({ chat: { rate: { perSecond: 1 }, events: { a: { rate: { perSecond: 1 } } } } })
    const restore = rates.take(socket, { channel: 'chat', event: 'a' }, 0)
    expect(taken(rates, socket, [['a', 0]])).to.deep.equal([false])
    restore()
    expect(
      taken(rates, socket, [
        ['a', 0],
        ['b', 0],
      ]),
    ).to.deep.equal([true, false])
  })

  it('keeps nothing for a socket on channels without a rate', () => {
    const rates = ratesOf({ chat: { publish: true } })
    rates.take(socket, { channel: 'chat' }, 0)
    expect(rates.sizeFor(socket)).to.equal(0)
  })

  it('forgets buckets that are full again', () => {
    const rates = ratesOf({ '*': { rate: { perSecond: 1 } } })
    for (let index = 0; index < 10_000; index += 1) {
      rates.take(socket, { channel: `c-${index}` }, index * 100)
      expect(rates.sizeFor(socket)).to.be.at.most(64 + 64)
    }
  })

  it('has room for a given number of channels of one socket, and says when there is more', () => {
    const { socket: many } = makeSocket()
    const rates = ratesOf({ '*': { rate: { perSecond: 0.1 } } })
    for (let index = 0; index < BUCKETS_PER_SOCKET; index += 1)
      rates.take(many, { channel: `c-${index}` }, index)
    const error = thrownBy(() => rates.take(many, { channel: 'new' }, 5000)) as RpcError
    expect([error.code, (error.data as { retryAfter: number }).retryAfter]).to.deep.equal([
      'rate_limited',
      5000,
    ])
    expect(rates.sizeFor(many)).to.equal(BUCKETS_PER_SOCKET)
    expect(() => rates.take(many, { channel: 'c-0' }, 10_000)).not.to.throw()
    expect(() => rates.take(many, { channel: 'new' }, 10_001)).not.to.throw()
  })
})
