import { type EngineClock, engineContract } from '@token-socket/engine-tests'
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { rejection, thrownBy } from '../protocol/rejection.js'

/** Time that passes at once. */
function fakeClock(): EngineClock & { readonly timers: () => number } {
  const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  return {
    pass: (ms) => void clock.tick(ms),
    restore: () => clock.restore(),
    timers: () => clock.countTimers(),
  }
}

engineContract('memory', (count, limits) => Array.from({ length: count }, () => new MemoryEngine(limits)), {
  oneNode: 'it lives in the memory of one process',
  clock: fakeClock,
})

describe('MemoryEngine', () => {
  for (const options of [{ tickets: 0 }, { tickets: '5' }, { idempotencyKeys: Number.NaN }]) {
    const [[field, value]] = Object.entries(options) as [[string, unknown]]
    it(`refuses the ${typeof value} ${value} for ${field}`, () => {
      expect(thrownBy(() => new MemoryEngine(options as object))).to.deep.include({
        code: 'bad_option',
        message: `Invalid option: ${field} has to be a number above 0`,
        data: { field },
      })
    })
  }

  it('holds 100,000 tickets by default', async () => {
    const { tickets } = new MemoryEngine()
    for (let count = 0; count < 100_000; count += 1)
      await tickets.put({ id: String(count), json: '1', ttl: 60_000 })
    expect((await rejection(tickets.put({ id: 'more', json: '1', ttl: 60_000 }))).data).to.deep.include({
      limit: 100_000,
    })
  })

  it('knows as many ids of tokens as tickets, and refuses one more rather than forget one', async () => {
    const { tickets } = new MemoryEngine({ tickets: 2 })
    await tickets.put({ id: 'a', json: '1', ttl: 60_000 })
    for (const id of ['a', 'b']) expect(await tickets.claim(id, 60_000)).to.equal(true)
    const error = await rejection(tickets.claim('c', 60_000))
    expect(error).to.deep.include({ code: 'too_many_tickets', data: { field: 'tickets', limit: 2 } })
    expect(await tickets.claim('a', 60_000)).to.equal(false)
    await tickets.put({ id: 'b', json: '1', ttl: 60_000 })
  })

  it('knows the id of a token that lives longer than a timer can wait', async () => {
    const clock = fakeClock()
    try {
      const { tickets } = new MemoryEngine()
      const day = 24 * 60 * 60 * 1000
      expect(await tickets.claim('once', 60 * day)).to.equal(true)
      clock.pass(59 * day)
      expect(await tickets.claim('once', day)).to.equal(false)
      clock.pass(2 * day)
      expect(await tickets.claim('once', day)).to.equal(true)
    } finally {
      clock.restore()
    }
  })

  it('hears a publication before `publish` resolves', async () => {
    const { broker } = new MemoryEngine()
    const publication = sinon.spy()
    broker.listen({ publication, broadcast: () => {}, command: () => {}, presence: () => {} })
    await broker.subscribe('a')
    const published = broker.publish({ channel: 'a', json: '1' })
    expect(publication.firstCall.args[0]).to.deep.include({ channel: 'a', json: '1' })
    await published
  })

  it('ends a delivery before it begins that of what was published meanwhile', async () => {
    const { broker } = new MemoryEngine()
    const heard: string[] = []
    const publication = ({ json }: { readonly json: string }) => {
      if (json === '1') void broker.publish({ channel: 'a', json: '2' })
      heard.push(json)
    }
    broker.listen({ publication, broadcast: () => {}, command: () => {}, presence: () => {} })
    await broker.subscribe('a')
    await broker.publish({ channel: 'a', json: '1' })
    expect(heard).to.deep.equal(['1', '2'])
  })

  it('takes publications before anybody listens', async () => {
    const { broker } = new MemoryEngine()
    await broker.subscribe('a')
    await broker.publish({ channel: 'a', json: '1' })
    await broker.broadcast('1')
    await broker.command({ type: 'unsubscribeAll', channel: 'a' })
  })

  describe('#close', () => {
    it('forgets the tickets and leaves no timer', async () => {
      const clock = fakeClock()
      try {
        const engine = new MemoryEngine()
        await engine.tickets.put({ id: 't', json: '1', ttl: 60_000 })
        expect(clock.timers()).to.equal(1)
        await engine.close()
        expect(clock.timers()).to.equal(0)
        expect(await engine.tickets.take('t')).to.equal(undefined)
      } finally {
        clock.restore()
      }
    })
  })
})
