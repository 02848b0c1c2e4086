import { connectionPair, type TestConnection } from '@token-socket/protocol/testing'
import { expect } from 'chai'
import sinon from 'sinon'
import { Flusher, Outbox } from '../../packages/server/src/outbox.js'

const SLOW_CONSUMER = { code: 4002, reason: 'Too many bytes wait for this socket' }

describe('Outbox', () => {
  let clock: sinon.SinonFakeTimers
  let flusher: Flusher

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate'] })
    flusher = new Flusher()
  })

  afterEach(() => sinon.restore())

  function make(budget = 100): { readonly outbox: Outbox; readonly connection: TestConnection } {
    const connection = connectionPair().left
    return { outbox: new Outbox(connection, flusher, budget), connection }
  }

  describe('#add', () => {
    it('sends nothing before the turn is over', () => {
      const { outbox, connection } = make()
      outbox.add('a')
      expect(connection.sent).to.deep.equal([])
    })

    it('sends what was added in one turn as one batch, in order', () => {
      const { outbox, connection } = make()
      for (const message of ['a', 'b', 'c']) outbox.add(message)
      clock.runAll()
      expect(connection.sent).to.deep.equal(['a', 'b', 'c'])
      expect(connection.batches).to.equal(1)
    })

    it('sends what was added in the next turn as the next batch', () => {
      const { outbox, connection } = make()
      outbox.add('a')
      clock.runAll()
      outbox.add('b')
      clock.runAll()
      expect(connection.sent).to.deep.equal(['a', 'b'])
      expect(connection.batches).to.equal(2)
    })

    it('sends at once what has grown over the budget, and goes on', () => {
      const { outbox, connection } = make(10)
      outbox.add('x'.repeat(11))
      expect(connection.sent).to.have.length(0)
      outbox.add('y')
      expect(connection.sent).to.deep.equal(['x'.repeat(11)])
      clock.runAll()
      expect(connection.sent).to.deep.equal(['x'.repeat(11), 'y'])
      expect(connection.closed).to.equal(undefined)
    })

    it('sends one message that is larger than the budget', () => {
      const { outbox, connection } = make(10)
      outbox.add('x'.repeat(1000))
      clock.runAll()
      expect(connection.sent).to.deep.equal(['x'.repeat(1000)])
      expect(connection.closed).to.equal(undefined)
    })

    it('goes on while just the budget waits in the connection', () => {
      const { outbox, connection } = make(10)
      connection.bufferedBytes = 10
      outbox.add('a')
      clock.runAll()
      expect(connection.sent).to.deep.equal(['a'])
      expect(connection.closed).to.equal(undefined)
    })

    it('closes as slow_consumer when more than the budget waits in the connection', () => {
      const { outbox, connection } = make(10)
      connection.bufferedBytes = 11
      outbox.add('a')
      expect(connection.closed).to.deep.equal(SLOW_CONSUMER)
      clock.runAll()
      expect(connection.sent).to.deep.equal([])
    })

    it('drops what waits when it closes', () => {
      const { outbox, connection } = make(10)
      const close = sinon.stub(connection, 'close')
      outbox.add('a')
      connection.bufferedBytes = 11
      outbox.add('b')
      expect(close.args).to.deep.equal([[SLOW_CONSUMER.code, SLOW_CONSUMER.reason]])
      connection.bufferedBytes = 0
      clock.runAll()
      expect(connection.sent).to.deep.equal([])
    })

    it('closes within one turn too, when a reader takes nothing of what is flushed', () => {
      const { outbox, connection } = make(10)
      sinon.stub(connection, 'send').callsFake((messages) => {
        connection.bufferedBytes += messages.join('').length
      })
      for (let count = 0; count < 10 && !connection.closed; count += 1) outbox.add('x'.repeat(8))
      expect(connection.closed).to.deep.equal(SLOW_CONSUMER)
      expect(connection.bufferedBytes).to.be.below(30)
    })
  })

  describe('#flush', () => {
    it('sends now, and nothing again when the turn is over', () => {
      const { outbox, connection } = make()
      outbox.add('a')
      outbox.flush()
      expect(connection.sent).to.deep.equal(['a'])
      clock.runAll()
      expect(connection.batches).to.equal(1)
    })

    it('does nothing when nothing waits', () => {
      const { outbox, connection } = make()
      outbox.flush()
      expect(connection.batches).to.equal(0)
    })

    it('leaves what is added after it to the end of the turn', () => {
      const { outbox, connection } = make()
      outbox.add('a')
      outbox.flush()
      outbox.add('b')
      expect(connection.sent).to.deep.equal(['a'])
      clock.runAll()
      expect(connection.sent).to.deep.equal(['a', 'b'])
    })
  })
})

describe('Flusher', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate'] })
  })

  afterEach(() => sinon.restore())

  it('asks for one turn for all outboxes', () => {
    const flusher = new Flusher()
    const pairs = Array.from({ length: 100 }, () => connectionPair())
    for (const { left } of pairs) new Outbox(left, flusher, 100).add('a')
    expect(clock.countTimers()).to.equal(1)
    clock.runAll()
    expect(pairs.every(({ left }) => left.batches === 1)).to.equal(true)
  })

  it('sends what is added while it flushes in the turn after', () => {
    const flusher = new Flusher()
    const { left, right } = connectionPair()
    const outbox = new Outbox(left, flusher, 100)
    right.listen({ message: (text) => text === 'a' && outbox.add('b'), closed: () => {} })
    outbox.add('a')
    clock.next()
    expect(left.sent).to.deep.equal(['a'])
    clock.next()
    expect(left.sent).to.deep.equal(['a', 'b'])
  })

  describe('#flush', () => {
    it('sends now', () => {
      const flusher = new Flusher()
      const { left } = connectionPair()
      new Outbox(left, flusher, 100).add('a')
      flusher.flush()
      expect(left.sent).to.deep.equal(['a'])
    })
  })
})
