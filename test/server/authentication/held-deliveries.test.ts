import type { BrokerListener, Publication } from '@token-socket/server'
import { expect } from 'chai'
import sinon, { type SinonFakeTimers } from 'sinon'
import { LOG_CHANNEL } from '#server/authentication/authorization-order.js'
import { HeldDeliveries } from '#server/authentication/held-deliveries.js'

describe('HeldDeliveries', () => {
  let clock: SinonFakeTimers
  let got: string[]
  let before: () => void
  let held: HeldDeliveries

  beforeEach(() => {
    clock = sinon.useFakeTimers()
    got = []
    before = () => {}
    const next: BrokerListener = {
      publication: ({ json }) => got.push(json),
      broadcast: (json) => got.push(json),
      command: ({ channel }) => got.push(channel),
      presence: ({ uid }) => got.push(uid),
    }
    held = new HeldDeliveries(
      { order: ({ json }) => got.push(`order ${json}`), before: () => before() },
      next,
    )
  })

  afterEach(() => clock.restore())

  const publication = (json: string, channel = 'a'): Publication => ({ channel, json, id: json })

  it('passes everything on at once, and orders to their log', () => {
    held.publication(publication('1'))
    held.broadcast('2')
    held.publication(publication('3', LOG_CHANNEL))
    expect(got).to.deep.equal(['1', '2', 'order 3'])
  })

  it('keeps all but orders waiting, in order', () => {
    held.hold()
    held.publication(publication('1'))
    held.broadcast('2')
    held.command({ type: 'unsubscribeAll', channel: '3' })
    held.presence({ channel: 'a', uid: '4', change: 'joined', seq: 1, epoch: 'e' })
    held.publication(publication('5', LOG_CHANNEL))
    expect(got).to.deep.equal(['order 5'])
    held.release()
    held.broadcast('6')
    expect(got).to.deep.equal(['order 5', '1', '2', '3', '4', '6'])
  })

  it('holds the delivery that shows that the process was stopped', () => {
    before = () => held.hold()
    held.publication(publication('1'))
    expect(got).to.deep.equal([])
  })

  for (const [what, deliver] of Object.entries({
    publication: () => held.publication(publication('1')),
    broadcast: () => held.broadcast('1'),
    command: () => held.command({ type: 'unsubscribeAll', channel: '1' }),
    presence: () => held.presence({ channel: 'a', uid: '1', change: 'joined', seq: 1, epoch: 'e' }),
  }))
    it(`looks whether the process was stopped before it delivers a ${what}`, () => {
      before = () => held.hold()
      deliver()
      expect(got).to.deep.equal([])
    })

  it('lets nothing wait for more than three seconds, however long it has held', () => {
    held.hold()
    clock.tick(60_000)
    held.publication(publication('1'))
    clock.tick(2999)
    expect(got).to.deep.equal([])
    clock.tick(1)
    expect(got).to.deep.equal(['1'])
    held.publication(publication('2'))
    expect(got).to.deep.equal(['1', '2'])
  })
})
