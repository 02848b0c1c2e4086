import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { rejection } from '../protocol/rejection.js'
import { type EngineClock, engineContract } from './engine.js'

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
  it('holds 100,000 tickets by default', async () => {
    const { tickets } = new MemoryEngine()
    for (let count = 0; count < 100_000; count += 1) await tickets.put(String(count), '1', 60_000)
    expect((await rejection(tickets.put('more', '1', 60_000))).data).to.deep.include({ limit: 100_000 })
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
        await engine.tickets.put('t', '1', 60_000)
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
