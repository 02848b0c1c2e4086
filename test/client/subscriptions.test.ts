import { type Outcome, RpcError, type SubscriptionMessage } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { Subscriptions } from '../../packages/client/src/subscriptions.js'
import { errorOf } from './waiting.js'

const ACCEPTED: Outcome = { data: 'success' }
const REFUSED: Outcome = { error: 'Forbidden', code: 'forbidden' }

describe('Subscriptions', () => {
  const sent: SubscriptionMessage[] = []
  const failed = sinon.spy((_error: RpcError) => {})
  const restored = sinon.spy()
  const recovered = sinon.spy()
  const gap = sinon.spy()
  let subscriptions: Subscriptions
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers()
    sent.length = 0
    failed.resetHistory()
    for (const spy of [restored, recovered, gap]) spy.resetHistory()
    const owner = {
      send: (message: SubscriptionMessage) => sent.push(message),
      failed,
      restored,
      recovered,
      gap,
    }
    subscriptions = new Subscriptions({ timeout: 1000, waiting: 10, calls: 15 }, owner)
  })

  afterEach(() => sinon.restore())

  /** Answers the request that was sent last. */
  function answer(outcome: Outcome): void {
    subscriptions.answered(sent.at(-1)?.id ?? '', outcome)
  }

  /** What was sent, as words. */
  function requests(): string[] {
    return sent.map(({ type, channel }) => `${type} ${channel}`)
  }

  describe('#subscribe', () => {
    it('sends nothing for a channel that is subscribed already', async () => {
      subscriptions.connected(false)
      const first = subscriptions.subscribe('a')
      answer(ACCEPTED)
      await first
      await subscriptions.subscribe('a')
      expect(requests()).to.deep.equal(['subscribe a'])
    })

    it('takes channels with the names of inherited properties', async () => {
      subscriptions.connected(false)
      const done = subscriptions.subscribe('__proto__')
      answer(ACCEPTED)
      await done
      expect(subscriptions.channels).to.deep.equal(['__proto__'])
      expect(subscriptions.has('toString')).to.equal(false)
    })

    it('waits for a link without a time-out', async () => {
      const done = subscriptions.subscribe('a')
      clock.tick(100_000)
      subscriptions.connected(false)
      answer(ACCEPTED)
      await done
    })

    it('fails with `timeout` when it was sent and is not answered, and drops the channel', async () => {
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      clock.tick(1000)
      expect(await errorOf(done)).to.have.property('code', 'timeout')
      expect(subscriptions.channels).to.deep.equal([])
    })

    it('survives the loss of the link before its answer', async () => {
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      subscriptions.disconnected()
      subscriptions.connected(false)
      answer(ACCEPTED)
      await done
      expect(requests()).to.deep.equal(['subscribe a', 'subscribe a'])
    })

    it('keeps a channel that the server granted while it refused the request', async () => {
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      subscriptions.noticed('subscribe', { channel: 'a' })
      answer(REFUSED)
      expect(await errorOf(done)).to.have.property('code', 'forbidden')
      expect(subscriptions.channels).to.deep.equal(['a'])
    })
  })

  describe('#unsubscribe', () => {
    it('asks the server also when the channel is not known here', async () => {
      subscriptions.connected(false)
      const done = subscriptions.unsubscribe('a')
      expect(requests()).to.deep.equal(['unsubscribe a'])
      answer(ACCEPTED)
      await done
    })

    it('keeps the channel when the server refuses', async () => {
      subscriptions.connected(false)
      const subscribed = subscriptions.subscribe('a')
      answer(ACCEPTED)
      await subscribed
      const done = subscriptions.unsubscribe('a')
      expect(subscriptions.has('a')).to.equal(false)
      answer(REFUSED)
      expect(await errorOf(done)).to.have.property('code', 'forbidden')
      expect(subscriptions.has('a')).to.equal(true)
    })

    it('is done when the link is lost', async () => {
      subscriptions.connected(false)
      void subscriptions.subscribe('a')
      answer(ACCEPTED)
      const done = subscriptions.unsubscribe('a')
      subscriptions.disconnected()
      await done
      expect(subscriptions.channels).to.deep.equal([])
    })

    it('fails with `timeout` when it is not answered', async () => {
      subscriptions.connected(false)
      void subscriptions.subscribe('a')
      answer(ACCEPTED)
      const done = subscriptions.unsubscribe('a')
      clock.tick(1000)
      expect(await errorOf(done)).to.have.property('code', 'timeout')
    })

    it('sends nothing twice when it comes before the link', async () => {
      void subscriptions.subscribe('a').catch(() => {})
      await subscriptions.unsubscribe('a')
      subscriptions.connected(false)
      expect(requests()).to.deep.equal([])
    })
  })

  describe('the last wish', () => {
    it('wins over subscribe → unsubscribe → subscribe while the first answer is pending', async () => {
      subscriptions.connected(false)
      const first = subscriptions.subscribe('a')
      const overtaken = errorOf(subscriptions.unsubscribe('a'))
      const last = subscriptions.subscribe('a')
      answer(ACCEPTED)
      await Promise.all([first, last])
      expect(await overtaken).to.have.property('code', 'aborted')
      expect(requests()).to.deep.equal(['subscribe a'])
      expect(subscriptions.channels).to.deep.equal(['a'])
    })

    it('wins over subscribe → unsubscribe while the first answer is pending', async () => {
      subscriptions.connected(false)
      const first = subscriptions.subscribe('a')
      const last = subscriptions.unsubscribe('a')
      answer(ACCEPTED)
      await first
      expect(requests()).to.deep.equal(['subscribe a', 'unsubscribe a'])
      answer(ACCEPTED)
      await last
      expect(subscriptions.channels).to.deep.equal([])
    })

    it('wins over unsubscribe → subscribe while the first answer is pending', async () => {
      subscriptions.connected(false)
      void subscriptions.subscribe('a')
      answer(ACCEPTED)
      const first = subscriptions.unsubscribe('a')
      const last = subscriptions.subscribe('a')
      answer(ACCEPTED)
      await first
      answer(ACCEPTED)
      await last
      expect(requests()).to.deep.equal(['subscribe a', 'unsubscribe a', 'subscribe a'])
      expect(subscriptions.channels).to.deep.equal(['a'])
    })

    it('leaves nothing when the first subscribe is refused', async () => {
      subscriptions.connected(false)
      const first = errorOf(subscriptions.subscribe('a'))
      const last = subscriptions.unsubscribe('a')
      answer(REFUSED)
      expect(await first).to.have.property('code', 'forbidden')
      await last
      expect(requests()).to.deep.equal(['subscribe a'])
    })
  })

  describe('#connected', () => {
    it('asks again for every channel, and tells when all are answered', () => {
      subscriptions.noticed('subscribe', { channel: 'a' })
      subscriptions.noticed('subscribe', { channel: 'b' })
      subscriptions.disconnected()
      subscriptions.connected(false)
      expect(requests()).to.deep.equal(['subscribe a', 'subscribe b'])
      for (const { id } of [...sent]) {
        expect(restored.called).to.equal(false)
        subscriptions.answered(id, ACCEPTED)
      }
      expect(restored.callCount).to.equal(1)
    })

    it('tells at once when there is nothing to ask for', () => {
      subscriptions.connected(false)
      expect(restored.callCount).to.equal(1)
    })

    it('never asks again for what was refused', () => {
      subscriptions.noticed('subscribe', { channel: 'a' })
      subscriptions.disconnected()
      subscriptions.connected(false)
      answer(REFUSED)
      expect(failed.args[0]?.[0].data).to.deep.equal({ channel: 'a' })
      subscriptions.disconnected()
      subscriptions.connected(false)
      expect(requests()).to.deep.equal(['subscribe a'])
    })

    it('asks again for what was not answered, and does not hold up what waits', () => {
      subscriptions.noticed('subscribe', { channel: 'a' })
      subscriptions.disconnected()
      subscriptions.connected(false)
      clock.tick(1000)
      expect(failed.args[0]?.[0]).to.have.property('code', 'timeout')
      expect(restored.callCount).to.equal(1)
      expect(requests()).to.deep.equal(['subscribe a', 'subscribe a'])
    })

    it('asks not for what the server granted on the new link already', () => {
      subscriptions.noticed('subscribe', { channel: 'a' })
      subscriptions.disconnected()
      subscriptions.noticed('subscribe', { channel: 'a' })
      subscriptions.connected(false)
      expect(requests()).to.deep.equal([])
    })
  })

  describe('#noticed', () => {
    it('settles requests to the azuqua server', async () => {
      subscriptions.connected(true)
      const done = subscriptions.subscribe('a')
      subscriptions.noticed('subscribe', { channel: 'a' })
      await done
    })

    it('drops what the server unsubscribed', () => {
      subscriptions.connected(false)
      subscriptions.noticed('subscribe', { channel: 'a' })
      subscriptions.noticed('unsubscribe', { channel: 'a' })
      expect(subscriptions.channels).to.deep.equal([])
    })

    it('ignores a late notice of the other kind while a request is under way', async () => {
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      subscriptions.noticed('unsubscribe', { channel: 'a' })
      answer(ACCEPTED)
      await done
      expect(subscriptions.channels).to.deep.equal(['a'])
    })
  })

  it('#answered tells whether the answer is one of its own', () => {
    expect(subscriptions.answered('1', ACCEPTED)).to.equal(false)
  })

  it('#close fails every wish', async () => {
    const done = subscriptions.subscribe('a')
    subscriptions.close(new RpcError('ended'))
    expect(await errorOf(done)).to.have.property('code', 'ended')
    expect(subscriptions.channels).to.deep.equal([])
  })

  it('bounds the wishes that wait, and counts settled ones no more', async () => {
    subscriptions.connected(false)
    for (let rounds = 0; rounds < 20; rounds += 1) {
      const done = subscriptions.subscribe(`c${rounds}`)
      answer(ACCEPTED)
      await done
    }
    subscriptions.disconnected()
    for (let wishes = 0; wishes < 10; wishes += 1) void subscriptions.subscribe(`d${wishes}`)
    expect(await errorOf(subscriptions.subscribe('e'))).to.have.property('code', 'queue_full')
  })

  it('counts wishes that wait for an answer as calls, not as a queue', async () => {
    subscriptions.connected(false)
    const done = Array.from({ length: 15 }, (_, index) => subscriptions.subscribe(`c${index}`))
    const refused = await errorOf(subscriptions.subscribe('d'))
    expect(refused).to.deep.include({ code: 'too_many_calls', data: { field: 'callsOut', limit: 15 } })
    expect(subscriptions.channels).to.have.length(15)
    for (const { id } of [...sent]) subscriptions.answered(id, ACCEPTED)
    await Promise.all(done)
    void subscriptions.subscribe('d')
    expect(sent.at(-1)).to.include({ channel: 'd' })
  })
})
