import {
  encodeError,
  limitError,
  type Outcome,
  RpcError,
  type SubscriptionMessage,
} from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { Subscriptions } from '#client/channels/subscriptions.js'
import { errorOf } from '../waiting.js'

const ACCEPTED: Outcome = { data: 'success' }
const REFUSED: Outcome = { error: 'Forbidden', code: 'forbidden' }

describe('Subscriptions', () => {
  const sent: SubscriptionMessage[] = []
  const failed = sinon.spy((_error: RpcError) => {})
  const restored = sinon.spy()
  const entered = sinon.spy()
  const left = sinon.spy()
  const refused = sinon.stub().returns(false)
  const ignored = sinon.spy()
  const bound = new Set<string>()
  let token: (channel: string) => Promise<string> | undefined
  let subscriptions: Subscriptions
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers()
    sent.length = 0
    failed.resetHistory()
    for (const spy of [restored, entered, left, refused, ignored]) spy.resetHistory()
    bound.clear()
    token = () => undefined
    const owner = {
      send: (message: SubscriptionMessage) => sent.push(message),
      failed,
      restored,
      entered,
      left,
      refused,
      isBound: (channel: string) => bound.has(channel),
      ignored,
      token: (channel: string) => token(channel),
    }
    subscriptions = new Subscriptions(
      { callTimeout: 1000, queueSize: 10, limits: { callsOut: 15, grantedChannels: 5 } },
      owner,
    )
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
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
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
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
      subscriptions.noticed({ type: 'subscribed', channel: 'b' })
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

    for (const code of ['engine_unavailable', 'rate_limited', 'too_many_calls', 'too_many_messages']) {
      it(`asks again, later each time, for what was refused with ${code} when the link came back`, async () => {
        subscriptions.connected(false)
        const done = subscriptions.subscribe('a')
        answer(ACCEPTED)
        await done
        subscriptions.disconnected()
        subscriptions.connected(false)
        sinon.stub(Math, 'random').returns(0.5)
        for (let tries = 0; tries < 3; tries += 1) {
          answer({ error: 'later', code })
          expect(failed.lastCall.args[0]).to.deep.include({ code, data: { channel: 'a' } })
          expect(subscriptions.has('a')).to.equal(true)
          sent.length = 0
          clock.tick(1000 * 2 ** tries - 1)
          expect(requests()).to.deep.equal([])
          clock.tick(1)
          expect(requests()).to.deep.equal(['subscribe a'])
        }
        answer(ACCEPTED)
        sent.length = 0
        clock.tick(10_000)
        expect(requests()).to.deep.equal([])
        expect(subscriptions.channels).to.deep.equal(['a'])
        expect(refused.called).to.equal(false)
      })
    }

    /** Limits that are reached by what other sockets have, perhaps those of before the loss. */
    const PASSING = [
      ['too_many_subscriptions', 'subscriptionsPerUser'],
      ['too_many_members', 'presencesPerUser'],
      ['too_many_members', 'presences'],
      ['too_many_members', 'members'],
    ] as const
    for (const [code, field] of PASSING) {
      const full = () => encodeError(limitError(code, { field, limit: 7 }))

      it(`asks again, later each time, and tells the channel, when ${field} is reached after a loss`, async () => {
        subscriptions.connected(false)
        const done = subscriptions.subscribe('a')
        answer(ACCEPTED)
        await done
        subscriptions.disconnected()
        subscriptions.connected(false)
        sinon.stub(Math, 'random').returns(0.5)
        for (const delay of [1000, 2000, 4000, 8000, 16_000, 16_000]) {
          answer(full())
          expect(refused.lastCall.args[1]).to.deep.include({ code, data: { field, limit: 7 } })
          sent.length = 0
          clock.tick(delay - 1)
          expect(requests()).to.deep.equal([])
          clock.tick(1)
          expect(requests()).to.deep.equal(['subscribe a'])
        }
        answer(ACCEPTED)
        expect(subscriptions.channels).to.deep.equal(['a'])
        expect([refused.callCount, clock.countTimers()]).to.deep.equal([6, 0])
      })

      it(`asks again for a bound channel when ${field} is reached`, () => {
        bound.add('a')
        subscriptions.connected(false)
        subscriptions.bound('a')
        answer(full())
        sent.length = 0
        clock.tick(1500)
        expect(requests()).to.deep.equal(['subscribe a'])
      })

      it(`gives a caller that waits the refusal of ${field}, and does not ask again`, async () => {
        subscriptions.connected(false)
        const error = errorOf(subscriptions.subscribe('a'))
        answer(full())
        expect(await error).to.deep.include({ code, data: { field, limit: 7 } })
        sent.length = 0
        clock.tick(60_000)
        expect(requests()).to.deep.equal([])
      })
    }

    it("does not ask again beyond the socket's own limit of subscriptions", () => {
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
      subscriptions.disconnected()
      subscriptions.connected(false)
      answer(encodeError(limitError('too_many_subscriptions', { field: 'subscriptions', limit: 7 })))
      sent.length = 0
      clock.tick(60_000)
      expect(requests()).to.deep.equal([])
      expect(refused.callCount).to.equal(1)
    })

    it('asks no more for what is not wanted when it could', async () => {
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      answer(ACCEPTED)
      await done
      subscriptions.disconnected()
      subscriptions.connected(false)
      answer({ error: 'later', code: 'engine_unavailable' })
      void subscriptions.unsubscribe('a')
      answer(ACCEPTED)
      sent.length = 0
      clock.tick(10_000)
      expect(requests()).to.deep.equal([])
      expect(subscriptions.channels).to.deep.equal([])
    })

    it('asks no more when it is closed', async () => {
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      answer(ACCEPTED)
      await done
      subscriptions.disconnected()
      subscriptions.connected(false)
      answer({ error: 'later', code: 'engine_unavailable' })
      subscriptions.close(new RpcError('ended'))
      sent.length = 0
      clock.tick(10_000)
      expect(requests()).to.deep.equal([])
      expect(clock.countTimers()).to.equal(0)
    })

    it('never asks again for what was refused', () => {
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
      subscriptions.disconnected()
      subscriptions.connected(false)
      answer(REFUSED)
      expect(failed.args[0]?.[0].data).to.deep.equal({ channel: 'a' })
      subscriptions.disconnected()
      subscriptions.connected(false)
      expect(requests()).to.deep.equal(['subscribe a'])
    })

    it('asks again for what was not answered, and does not hold up what waits', () => {
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
      subscriptions.disconnected()
      subscriptions.connected(false)
      clock.tick(1000)
      expect(failed.args[0]?.[0]).to.have.property('code', 'timeout')
      expect(restored.callCount).to.equal(1)
      expect(requests()).to.deep.equal(['subscribe a', 'subscribe a'])
    })

    it('asks not for what the server granted on the new link already', () => {
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
      subscriptions.disconnected()
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
      subscriptions.connected(false)
      expect(requests()).to.deep.equal([])
    })
  })

  describe('on a channel that keeps its publications', () => {
    const at = (offset: number, epoch = 'e') => ({ epoch, offset })
    const subscribed = (position: object, more: object = {}) =>
      subscriptions.noticed({ type: 'subscribed', channel: 'a', position, ...more } as never)

    /** Subscribed to `a`, at 5. */
    beforeEach(async () => {
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      subscribed(at(5))
      answer(ACCEPTED)
      await done
    })

    const lose = () => {
      subscriptions.disconnected()
      subscriptions.connected(false)
    }

    it('says where it was when it comes back', () => {
      expect(subscriptions.passed('a', at(6))).to.equal(true)
      lose()
      expect(sent.at(-1)).to.deep.include({ type: 'subscribe', from: at(6) })
      subscribed(at(6), { recovered: true })
      expect(entered.lastCall.args[1]).to.equal(false)
      expect(subscriptions.passed('a', at(7))).to.equal(true)
    })

    it('returns the proof of the last position that the server gave, and no other', () => {
      subscribed(at(5), { proof: 'first' })
      subscriptions.passed('a', at(6))
      lose()
      expect(sent.at(-1)).to.deep.include({ from: at(6), proof: 'first' })
      subscribed(at(9), { proof: 'of a position that is not ours' })
      subscribed(at(6), { recovered: true, proof: 'second' })
      answer(ACCEPTED)
      lose()
      expect(sent.at(-1)).to.deep.include({ from: at(6), proof: 'second' })
      subscribed(at(6), { recovered: true })
      answer(ACCEPTED)
      lose()
      expect(sent.at(-1)).to.deep.include({ from: at(6), proof: undefined })
    })

    it('takes nothing for news that it has had', () => {
      expect(subscriptions.passed('a', at(5))).to.equal(false)
      expect(subscriptions.passed('a', at(4))).to.equal(false)
      expect(requests()).to.deep.equal(['subscribe a'])
    })

    it('asks again from where it was when one is missing', () => {
      expect(subscriptions.passed('a', at(7))).to.equal(false)
      expect(sent.at(-1)).to.deep.include({ type: 'subscribe', from: at(5) })
      expect(subscriptions.passed('a', at(8))).to.equal(false)
      expect(requests()).to.deep.equal(['subscribe a', 'subscribe a'])
      subscribed(at(5), { recovered: true })
      for (const offset of [6, 7, 8]) expect(subscriptions.passed('a', at(offset))).to.equal(true)
    })

    it('does not take the server’s own notice for the answer to where it was', () => {
      lose()
      subscribed(at(9))
      expect(entered.lastCall.args[1]).to.equal(true)
      expect(subscriptions.passed('a', at(10))).to.equal(false)
      subscribed(at(5), { recovered: true })
      for (const offset of [6, 7, 8, 9, 10]) expect(subscriptions.passed('a', at(offset))).to.equal(true)
    })

    it('goes on from where the server says after a gap', () => {
      lose()
      subscribed(at(3, 'new'), { recovered: false, reason: 'epoch_changed' })
      expect(subscriptions.passed('a', at(4, 'new'))).to.equal(true)
    })

    it('forgets where it was on a channel that keeps nothing any more', () => {
      lose()
      subscriptions.noticed({ type: 'subscribed', channel: 'a', recovered: false, reason: 'no_history' })
      answer(ACCEPTED)
      lose()
      expect(sent.at(-1)).to.have.property('from', undefined)
    })

    it('recovers many times over', () => {
      for (let offset = 5; offset < 50; offset += 1) {
        lose()
        expect(sent.at(-1)).to.deep.include({ from: at(offset) })
        subscribed(at(offset), { recovered: true })
        answer(ACCEPTED)
        expect(subscriptions.passed('a', at(offset + 1))).to.equal(true)
      }
    })
  })

  describe('on a channel with a token of its own', () => {
    it('subscribes when the token is there, with it', async () => {
      let give = (_token: string) => {}
      token = () => new Promise((resolve) => (give = resolve))
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      expect(sent).to.deep.equal([])
      give('T')
      await Promise.resolve()
      expect(sent.at(-1)).to.deep.include({ type: 'subscribe', channel: 'a', token: 'T' })
      answer(ACCEPTED)
      await done
    })

    it('asks for another one on the next link, and calls do not wait for it', async () => {
      const tokens = ['T1', 'T2']
      token = async () => tokens.shift() ?? ''
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      await Promise.resolve()
      answer(ACCEPTED)
      await done
      subscriptions.disconnected()
      restored.resetHistory()
      subscriptions.connected(false)
      expect(restored.calledOnce).to.equal(true)
      await Promise.resolve()
      expect(sent.at(-1)).to.deep.include({ token: 'T2' })
    })

    it('is refused when there is none', async () => {
      token = () => Promise.reject(new RpcError('token_failed', 'no'))
      subscriptions.connected(false)
      const error = await errorOf(subscriptions.subscribe('a'))
      expect(error).to.include({ code: 'token_failed', message: 'no' })
      expect(refused.args).to.deep.equal([['a', error]])
      expect([sent, subscriptions.channels]).to.deep.equal([[], []])
    })

    it('sends nothing when the link is gone before the token is there', async () => {
      let give = (_token: string) => {}
      token = () => new Promise((resolve) => (give = resolve))
      subscriptions.connected(false)
      void subscriptions.subscribe('a').catch(() => {})
      subscriptions.disconnected()
      give('late')
      await Promise.resolve()
      expect(sent).to.deep.equal([])
    })
  })

  it('tells that a channel is left, whoever wanted that', async () => {
    subscriptions.connected(false)
    const done = subscriptions.subscribe('a')
    answer(ACCEPTED)
    await done
    const over = subscriptions.unsubscribe('a')
    answer(ACCEPTED)
    await over
    subscriptions.noticed({ type: 'subscribed', channel: 'b' })
    subscriptions.noticed({ type: 'unsubscribed', channel: 'b' })
    expect(left.args).to.deep.equal([['a'], ['b', 'server'], ['b']])
  })

  describe('#noticed', () => {
    it('settles requests to the legacy server', async () => {
      subscriptions.connected(true)
      const done = subscriptions.subscribe('a')
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
      await done
    })

    it('drops what the server unsubscribed', () => {
      subscriptions.connected(false)
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
      subscriptions.noticed({ type: 'unsubscribed', channel: 'a' })
      expect(subscriptions.channels).to.deep.equal([])
    })

    it('ignores a late notice of the other kind while a request is under way', async () => {
      subscriptions.connected(false)
      const done = subscriptions.subscribe('a')
      subscriptions.noticed({ type: 'unsubscribed', channel: 'a' })
      subscriptions.noticed({ type: 'subscribed', channel: 'a' })
      answer(ACCEPTED)
      await done
      expect(subscriptions.channels).to.deep.equal(['a'])
    })
  })

  describe('the server’s last word', () => {
    const on = () => subscriptions.noticed({ type: 'subscribed', channel: 'a' })
    const off = () => subscriptions.noticed({ type: 'unsubscribed', channel: 'a' })
    const LATER: Outcome = { error: 'later', code: 'engine_unavailable' }

    beforeEach(() => {
      subscriptions.connected(false)
      sinon.stub(Math, 'random').returns(0.5)
    })

    for (const [when, notices] of [
      ['before it was on', [off]],
      ['after it was on', [on, off]],
    ] as const) {
      it(`fails a subscribe that a kick has undone, ${when}`, async () => {
        const error = errorOf(subscriptions.subscribe('a'))
        for (const notice of notices) notice()
        answer(ACCEPTED)
        expect(await error).to.have.property('code', 'aborted')
        expect(subscriptions.channels).to.deep.equal([])
      })
    }

    it('keeps what a refused unsubscribe never had', async () => {
      const error = errorOf(subscriptions.unsubscribe('a'))
      answer(REFUSED)
      expect(await error).to.have.property('code', 'forbidden')
      void subscriptions.subscribe('a')
      expect(requests()).to.deep.equal(['unsubscribe a', 'subscribe a'])
    })

    it('is not touched by the retry of a subscription that is gone', () => {
      subscriptions.bound('a')
      answer(LATER)
      void subscriptions.unsubscribe('a')
      off()
      answer(ACCEPTED)
      void subscriptions.subscribe('a')
      on()
      answer(ACCEPTED)
      clock.tick(20_000)
      expect(subscriptions.channels).to.deep.equal(['a'])
    })

    it('undoes at the server a subscribe that was not answered in time', async () => {
      const error = errorOf(subscriptions.subscribe('a'))
      clock.tick(1000)
      expect(await error).to.have.property('code', 'timeout')
      expect(requests()).to.deep.equal(['subscribe a', 'unsubscribe a'])
      on()
      expect(subscriptions.has('a')).to.equal(false)
      off()
      answer(ACCEPTED)
      expect(subscriptions.channels).to.deep.equal([])
    })

    it('goes on undoing until the server answers, each time with more time', () => {
      void subscriptions.subscribe('a').catch(() => {})
      clock.tick(1000)
      sent.length = 0
      clock.tick(2000)
      clock.tick(3999)
      expect(requests()).to.deep.equal(['unsubscribe a'])
      clock.tick(1)
      expect(requests()).to.deep.equal(['unsubscribe a', 'unsubscribe a'])
      answer(ACCEPTED)
      clock.tick(100_000)
      expect(sent).to.have.length(2)
    })

    describe('while requests that were not answered in time may still be done', () => {
      /** The outcome that the server tells of a request, and the notice before it. */
      function done(id: string, notice: () => void): void {
        notice()
        expect(subscriptions.answered(id, ACCEPTED)).to.equal(true)
      }

      it('takes nothing that they do for the server’s own will', () => {
        for (let call = 0; call < 2; call += 1) {
          void subscriptions.subscribe('a').catch(() => {})
          clock.tick(2000)
        }
        clock.tick(100_000)
        const ids = sent.map(({ id }) => id)
        const types = sent.map(({ type }) => type)
        expect(types.filter((type) => type === 'subscribe')).to.have.length(2)
        ids.forEach((id, index) => {
          done(id, types[index] === 'subscribe' ? on : off)
          expect([subscriptions.has('a'), subscriptions.channels]).to.deep.equal([false, []])
        })
        // What comes now is the server's own.
        on()
        expect(subscriptions.channels).to.deep.equal(['a'])
      })

      it('does not forget the channel before the last of them', () => {
        void subscriptions.subscribe('a').catch(() => {})
        clock.tick(1000)
        done('s2', off)
        expect(left.args.at(-1)).to.deep.equal(['a', 'client'])
        on()
        expect(subscriptions.has('a')).to.equal(false)
        expect(requests().at(-1)).to.equal('unsubscribe a')
        done('s1', () => {})
        done('s3', off)
        expect(left.args.at(-1)).to.deep.equal(['a'])
      })

      it('takes a late unsubscribe of its own for no kick', async () => {
        void subscriptions.subscribe('a')
        done('s1', on)
        const late = errorOf(subscriptions.unsubscribe('a'))
        clock.tick(1000)
        await late
        bound.add('a')
        subscriptions.bound('a')
        clock.tick(1000)
        done('s2', off)
        expect(refused.args.map(([, { code }]) => code)).to.not.include('aborted')
        expect(subscriptions.has('a')).to.equal(true)
      })

      it('does not wait for them on another link, nor for what was never sent', async () => {
        void subscriptions.subscribe('a').catch(() => {})
        clock.tick(1000)
        subscriptions.disconnected()
        token = () => new Promise(() => {})
        subscriptions.connected(false)
        void subscriptions.subscribe('b').catch(() => {})
        clock.tick(1000)
        for (const { id } of sent) subscriptions.answered(id, ACCEPTED)
        for (const channel of ['a', 'b']) {
          subscriptions.noticed({ type: 'subscribed', channel })
          expect(subscriptions.has(channel)).to.equal(true)
        }
      })

      it('does not wait for the legacy server, which may never answer', () => {
        subscriptions.disconnected()
        subscriptions.connected(true)
        void subscriptions.subscribe('a').catch(() => {})
        clock.tick(1000)
        off()
        expect(left.args.at(-1)).to.deep.equal(['a'])
      })
    })

    it('takes a subscribe for done whose notice came in time, and whose answer did not', async () => {
      const done = subscriptions.subscribe('a')
      on()
      clock.tick(1000)
      await done
      expect(subscriptions.channels).to.deep.equal(['a'])
    })

    describe('when something is missing', () => {
      const at = (offset: number) => ({ epoch: 'e', offset })

      beforeEach(() => {
        void subscriptions.subscribe('a')
        subscriptions.noticed({ type: 'subscribed', channel: 'a', position: at(5) })
        answer(ACCEPTED)
        sent.length = 0
        subscriptions.passed('a', at(7))
      })

      it('asks again later for what could not be had', () => {
        off()
        answer(LATER)
        expect(left.args).to.deep.equal([['a', 'server']])
        clock.tick(1000)
        expect(requests()).to.deep.equal(['subscribe a', 'subscribe a'])
        expect(sent.at(-1)).to.deep.include({ from: at(5) })
        expect(subscriptions.has('a')).to.equal(true)
      })

      it('asks once, however much comes meanwhile', () => {
        answer(LATER)
        for (const offset of [8, 9, 10]) expect(subscriptions.passed('a', at(offset))).to.equal(false)
        expect(sent).to.have.length(1)
      })

      it('gives the channel up at both ends, with a word, if it is refused', () => {
        answer(REFUSED)
        expect(refused.calledOnce).to.equal(true)
        expect(requests()).to.deep.equal(['subscribe a', 'unsubscribe a'])
        off()
        answer(ACCEPTED)
        expect(subscriptions.channels).to.deep.equal([])
      })

      it('tells of the gap when the server refuses that, too, and goes on from the next publication', () => {
        answer(REFUSED)
        entered.resetHistory()
        answer(REFUSED)
        const gap = { type: 'subscribed', channel: 'a', recovered: false, reason: 'forbidden' }
        expect(entered.args).to.deep.equal([[gap, false]])
        expect(subscriptions.channels).to.deep.equal(['a'])
        expect(subscriptions.passed('a', at(12))).to.equal(true)
        expect(sent).to.have.length(2)
      })
    })

    it('ends a bind that is kicked while it waits for another try, with a word', () => {
      subscriptions.bound('a')
      answer(LATER)
      off()
      expect(refused.args[0]?.[1]).to.have.property('code', 'aborted')
      clock.tick(20_000)
      expect(requests()).to.deep.equal(['subscribe a'])
    })
  })

  it('asks again for what a handler is bound to, whoever else was told of a failure', async () => {
    bound.add('a')
    subscriptions.connected(false)
    subscriptions.bound('a')
    const error = errorOf(subscriptions.subscribe('a'))
    clock.tick(1000)
    expect(await error).to.have.property('code', 'timeout')
    expect(requests()).to.deep.equal(['subscribe a', 'subscribe a'])
  })

  it('does not count what handlers are bound to among the calls that wait', () => {
    for (let channel = 0; channel < 20; channel += 1) subscriptions.bound(`c${channel}`)
    subscriptions.connected(false)
    expect(sent).to.have.length(20)
  })

  it('tries a token again that could not be had for a channel that nobody waits for', async () => {
    token = () => Promise.reject(new RpcError('token_failed'))
    sinon.stub(Math, 'random').returns(0.5)
    subscriptions.connected(false)
    subscriptions.bound('a')
    await clock.tickAsync(0)
    expect(refused.calledOnce).to.equal(true)
    token = async () => 'T'
    await clock.tickAsync(1000)
    expect(sent.at(-1)).to.deep.include({ channel: 'a', token: 'T' })
  })

  it('bounds what the server alone subscribes to, and asks it to undo the rest', () => {
    subscriptions.connected(false)
    for (let channel = 0; channel < 8; channel += 1)
      subscriptions.noticed({ type: 'subscribed', channel: `c${channel}` })
    expect(subscriptions.channels).to.have.length(5)
    expect(requests()).to.deep.equal(['unsubscribe c5', 'unsubscribe c6', 'unsubscribe c7'])
    expect(ignored.args).to.deep.equal([['c5']])
    subscriptions.noticed({ type: 'unsubscribed', channel: 'c0' })
    subscriptions.noticed({ type: 'subscribed', channel: 'd' })
    expect(subscriptions.has('d')).to.equal(true)
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
