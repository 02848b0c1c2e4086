import { expect } from 'chai'
import sinon from 'sinon'
import { BrokerSubscriptions } from '#server/channels/broker-subscriptions.js'

/** A broker whose steps take until they are told to be done. */
class SlowBroker {
  readonly log: string[] = []
  readonly #open: { readonly done: () => void; readonly fail: (cause: Error) => void }[] = []

  subscribe(channel: string): Promise<void> {
    return this.#begin(`+${channel}`)
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#begin(`-${channel}`)
  }

  /** The oldest step that is not done is done now. */
  async finish(): Promise<void> {
    this.#open.shift()?.done()
    await settled()
  }

  async fail(cause: Error): Promise<void> {
    this.#open.shift()?.fail(cause)
    await settled()
  }

  #begin(step: string): Promise<void> {
    this.log.push(step)
    return new Promise((resolve, reject) => {
      this.#open.push({ done: resolve, fail: reject })
    })
  }
}

/** Lets every promise that can settle do so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  const done = () => {
    pending = false
  }
  promise.then(done, done)
  await settled()
  return pending
}

describe('Interest', () => {
  let broker: SlowBroker
  let onerror: sinon.SinonSpy
  let interest: BrokerSubscriptions

  beforeEach(() => {
    broker = new SlowBroker()
    onerror = sinon.spy()
    interest = new BrokerSubscriptions(broker, onerror)
  })

  /** Acquires, with the broker done at once. */
  async function acquired(channel: string): Promise<void> {
    const promise = interest.acquire(channel)
    await broker.finish()
    await promise
  }

  describe('#acquire', () => {
    it('subscribes for the first, and resolves when the broker has', async () => {
      const promise = interest.acquire('a')
      expect(broker.log).to.deep.equal(['+a'])
      expect(await isPending(promise)).to.equal(true)
      await broker.finish()
      expect(await isPending(promise)).to.equal(false)
    })

    it('fails with the first also when it is called while the broker is asked', async () => {
      const outcomes: Promise<unknown>[] = []
      const broker = {
        subscribe: async () => {
          if (outcomes.length === 0) outcomes.push(interest.acquire('a').catch(({ message }) => message))
          throw new Error('away')
        },
        unsubscribe: async () => {},
      }
      const interest = new BrokerSubscriptions(broker, () => {})
      const first = await interest.acquire('a').catch(({ message }) => message)
      expect([first, ...(await Promise.all(outcomes))]).to.deep.equal(['away', 'away'])
    })

    it('does not subscribe again for the next, but waits with the first', async () => {
      const both = [interest.acquire('a'), interest.acquire('a')] as const
      expect(await isPending(both[1])).to.equal(true)
      await broker.finish()
      await Promise.all(both)
      await interest.acquire('a')
      expect(broker.log).to.deep.equal(['+a'])
    })

    it('rejects for all that wait when the broker fails, and tries anew after that', async () => {
      const cause = new Error('down')
      const both = [interest.acquire('a'), interest.acquire('a')].map((promise) =>
        promise.catch((error) => error),
      )
      await broker.fail(cause)
      expect(await Promise.all(both)).to.deep.equal([cause, cause])
      await acquired('a')
      expect(broker.log).to.deep.equal(['+a', '+a'])
      expect(onerror.called).to.equal(false)
    })

    it('keeps channels apart, whatever their names', async () => {
      for (const channel of ['a', '__proto__', 'constructor']) await acquired(channel)
      interest.release('__proto__')
      expect(broker.log).to.deep.equal(['+a', '+__proto__', '+constructor', '-__proto__'])
    })

    it('subscribes only after an unsubscribe that is under way', async () => {
      await acquired('a')
      interest.release('a')
      const promise = interest.acquire('a')
      await settled()
      expect(broker.log).to.deep.equal(['+a', '-a'])
      await broker.finish()
      expect(broker.log).to.deep.equal(['+a', '-a', '+a'])
      await broker.finish()
      await promise
    })

    it('subscribes after an unsubscribe that failed', async () => {
      await acquired('a')
      interest.release('a')
      const promise = interest.acquire('a')
      await broker.fail(new Error('down'))
      await broker.finish()
      await promise
      expect(broker.log).to.deep.equal(['+a', '-a', '+a'])
    })
  })

  it('fails what waits for a broker that throws at once, and asks it again the next time', async () => {
    const subscribe = sinon.stub(broker, 'subscribe').throws(new Error('away'))
    const both = await Promise.allSettled([interest.acquire('a'), interest.acquire('a')])
    expect(both.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
    subscribe.restore()
    await acquired('a')
    expect(broker.log).to.deep.equal(['+a'])
  })

  describe('#release', () => {
    it('unsubscribes with the last only', async () => {
      await acquired('a')
      await interest.acquire('a')
      interest.release('a')
      await settled()
      expect(broker.log).to.deep.equal(['+a'])
      interest.release('a')
      expect(broker.log).to.deep.equal(['+a', '-a'])
    })

    it('does not unsubscribe what is wanted again by the time it could', async () => {
      await acquired('a')
      interest.release('a')
      const again = interest.acquire('a')
      interest.release('a')
      const third = interest.acquire('a')
      for (let step = 0; step < 4; step += 1) await broker.finish()
      await Promise.all([again, third])
      expect(broker.log.at(-1)).to.equal('+a')
      interest.release('a')
      expect(broker.log.at(-1)).to.equal('-a')
    })

    it('tells onerror when the broker fails', async () => {
      await acquired('a')
      interest.release('a')
      const cause = new Error('down')
      await broker.fail(cause)
      expect(onerror.args).to.deep.equal([[cause]])
    })
  })

  it('ends with what the last call wanted, in any order of calls', async () => {
    for (let pattern = 0; pattern < 32; pattern += 1) {
      broker = new SlowBroker()
      interest = new BrokerSubscriptions(broker, onerror)
      let count = 0
      for (let step = 0; step < 5; step += 1) {
        const acquires = count === 0 || (pattern & (1 << step)) !== 0
        if (acquires) interest.acquire('a')
        else interest.release('a')
        count += acquires ? 1 : -1
        if (step % 2 === 0) await broker.finish()
      }
      for (let step = 0; step < 6; step += 1) await broker.finish()
      expect(broker.log.at(-1), `pattern ${pattern}: ${broker.log}`).to.equal(count > 0 ? '+a' : '-a')
    }
  })
})
