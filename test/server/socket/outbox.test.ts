import { connectionPair, type TestConnection } from '@token-socket/protocol/testing'
import { expect } from 'chai'
import sinon from 'sinon'
import { Flusher, Outbox, type OutboxOptions } from '#server/socket/outbox.js'
import { fakeTurns } from '../../fake-turns.js'

const SLOW_CONSUMER = { code: 4002, reason: 'Too many bytes wait for this socket' }

/** A network that takes nothing of what is sent until it is told to. */
class Network {
  readonly connection: TestConnection = connectionPair().left
  isTaking = false

  constructor() {
    const { connection } = this
    const send = connection.send.bind(connection)
    sinon.stub(connection, 'send').callsFake((messages) => {
      send(messages)
      if (!this.isTaking) connection.bufferedBytes += messages.join('').length
    })
  }

  /** Takes some of what is buffered. */
  take(bytes: number): void {
    const { connection } = this
    connection.bufferedBytes = Math.max(0, connection.bufferedBytes - bytes)
    if (connection.bufferedBytes === 0) connection.ondrained?.()
  }
}

const KIB = 1024

/** What an outbox of this budget leaves to its connection. */
const BUDGET = 1024 * KIB
const HIGH = BUDGET / 4

describe('Outbox', () => {
  let clock: sinon.SinonFakeTimers
  let flusher: Flusher
  let network: Network
  let onslow: sinon.SinonSpy
  let ondrained: sinon.SinonSpy

  beforeEach(() => {
    clock = sinon.useFakeTimers({
      toFake: ['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout', 'performance'],
    })
    fakeTurns()
    flusher = new Flusher(5000)
    network = new Network()
    onslow = sinon.spy()
    ondrained = sinon.spy()
  })

  afterEach(() => sinon.restore())

  const make = (connection: TestConnection, options: Partial<OutboxOptions> = {}) =>
    new Outbox(connection, { flusher, budget: BUDGET, readTimeout: 5000, onslow, ondrained, ...options })

  /** An outbox whose reader takes all at once. */
  function makeFast(): { readonly outbox: Outbox; readonly connection: TestConnection } {
    const connection = connectionPair().left
    return { outbox: make(connection), connection }
  }

  const text = (size: number, letter = 'x') => letter.repeat(size)

  describe('#whenWritten', () => {
    /** What the connection was asked to confirm. */
    const confirming = (connection: TestConnection) => {
      const asked: (() => void)[] = []
      Object.assign(connection, { written: (done: () => void) => void asked.push(done) })
      return asked
    }

    it('asks the connection once it has all that was added before, and calls when that has it', () => {
      const { connection } = network
      const asked = confirming(connection)
      const outbox = make(connection)
      const done = sinon.spy()
      outbox.add(text(HIGH + 1))
      clock.tick(1)
      outbox.add('b')
      outbox.whenWritten(done)
      clock.tick(1)
      expect(asked).to.have.length(0)
      network.take(HIGH * 2)
      clock.tick(1)
      expect([asked.length, done.called]).to.deep.equal([1, false])
      asked[0]?.()
      expect(done.callCount).to.equal(1)
    })

    it('asks when what waits is sent before the end, and never for what is dropped', () => {
      const asked = confirming(network.connection)
      const outbox = make(network.connection)
      const fill = () => {
        outbox.add(text(HIGH + 1))
        clock.tick(1)
        outbox.add('a')
        outbox.whenWritten(() => {})
      }
      fill()
      outbox.clear()
      network.take(HIGH * 2)
      outbox.add('b')
      clock.tick(1)
      expect(asked).to.have.length(0)
      fill()
      outbox.end()
      expect(asked).to.have.length(1)
    })
  })

  describe('#add', () => {
    it('sends nothing before the turn is over', () => {
      const { outbox, connection } = makeFast()
      outbox.add('a')
      expect(connection.sent).to.deep.equal([])
    })

    it('sends what was added in one turn as one batch, in order', () => {
      const { outbox, connection } = makeFast()
      for (const message of ['a', 'b', 'c']) outbox.add(message)
      clock.runAll()
      expect(connection.sent).to.deep.equal(['a', 'b', 'c'])
      expect(connection.batches).to.equal(1)
    })

    it('sends what was added in the next turn as the next batch', () => {
      const { outbox, connection } = makeFast()
      outbox.add('a')
      clock.runAll()
      outbox.add('b')
      clock.runAll()
      expect(connection.sent).to.deep.equal(['a', 'b'])
      expect(connection.batches).to.equal(2)
    })

    it('sends at once what has grown over the budget, and goes on', () => {
      const { outbox, connection } = makeFast()
      outbox.add(text(BUDGET + 1))
      expect(connection.sent).to.have.length(0)
      outbox.add('y')
      expect(connection.sent).to.deep.equal([text(BUDGET + 1)])
      clock.runAll()
      expect(connection.sent).to.deep.equal([text(BUDGET + 1), 'y'])
      expect(connection.closed).to.equal(undefined)
    })

    it('keeps the order of sending, whatever the kinds and whenever the network takes', () => {
      const outbox = make(network.connection)
      const sent: string[] = []
      for (let index = 0; index < 500; index += 1) {
        const message = `${index} ${text((index * 7919) % 50_000)}`
        sent.push(message)
        if (index % 3 === 0) outbox.addBulk(message)
        else outbox.add(message)
        if (index % 7 === 0) clock.next()
        if (index % 5 === 0) network.take(400_000)
      }
      network.isTaking = true
      network.take(Number.MAX_SAFE_INTEGER)
      clock.next()
      expect(network.connection.sent.map((one) => one.split(' ')[0])).to.deep.equal(
        sent.map((one) => one.split(' ')[0]),
      )
      expect(network.connection.closed).to.equal(undefined)
    })

    it('counts only live messages against a reader, whatever bulk they stand behind', () => {
      /** Turns with an eighth of a budget of live messages until a reader that takes nothing is slow. */
      const turnsUntilSlow = (outbox: Outbox, { connection }: Network) => {
        let turns = 0
        for (; !connection.closed && turns < 100; turns += 1) {
          outbox.add(text(BUDGET / 8))
          clock.tick(50)
        }
        return turns
      }
      const turnsAfter = (kinds: string) => {
        const reader = new Network()
        const outbox = make(reader.connection)
        // The connection is full from here on.
        outbox.add(text(2 * HIGH))
        clock.next()
        for (const kind of kinds) {
          if (kind === 'b') outbox.addBulk(text(HIGH))
          else if (kind === 'l') outbox.add('x')
          else reader.take(2 * HIGH)
        }
        clock.next()
        // What it has taken does not count after two looks.
        clock.tick(2000)
        return turnsUntilSlow(outbox, reader)
      }
      const turns = turnsAfter('l')
      // Until more than the budget waits, and 250 ms more.
      expect(turns).to.be.within(13, 18)
      for (const kinds of [
        'bl',
        'lb',
        'bbbbbbrl',
        'bbbbblrbl',
        'lbbbblrbbbbrl',
        'bbbbbblrrbb',
        'bbrbbbblrbl',
      ])
        expect(turnsAfter(kinds), kinds).to.equal(turns)
    })

    it('leaves to the connection a quarter of the budget and one message, and goes on when that is taken', () => {
      const outbox = make(network.connection)
      for (let index = 0; index < 6; index += 1) {
        outbox.add(text(HIGH))
        clock.next()
      }
      expect(network.connection.bufferedBytes).to.be.within(HIGH, 2 * HIGH)
      for (const sent of [4, 6, 6]) {
        network.take(2 * HIGH)
        expect(network.connection.sent).to.have.length(sent)
      }
    })

    it('does not close for what one turn adds, nor for the next message after it', () => {
      const outbox = make(network.connection)
      for (let index = 0; index < 100; index += 1) outbox.add(text(BUDGET / 4))
      flusher.flush()
      outbox.add('next')
      flusher.flush()
      expect(network.connection.closed).to.equal(undefined)
    })

    it('closes when more than the budget has waited from earlier turns for 250 ms', () => {
      const outbox = make(network.connection)
      let turns = 0
      for (; !network.connection.closed && turns < 1000; turns += 1) {
        outbox.add(text(10 * KIB))
        clock.tick(10)
      }
      // A quarter in the connection, the budget, what comes in 250 ms, and two turns.
      expect(turns * 10).to.be.within(1280 + 250, 1280 + 250 + 50)
      expect(network.connection.closed).to.deep.equal(SLOW_CONSUMER)
    })

    it('gives a quick reader that has just fallen behind the time to read', () => {
      const outbox = make(network.connection)
      for (let turn = 0; turn < 9; turn += 1) {
        outbox.add(text(HIGH * 2))
        clock.tick(1)
      }
      expect(network.connection.closed).to.equal(undefined)
      network.isTaking = true
      network.take(Number.MAX_SAFE_INTEGER)
      expect(network.connection.sent).to.have.length(9)
    })

    it('does not count the time for which the process stands still', () => {
      const outbox = make(network.connection)
      for (let turn = 0; turn < 8; turn += 1) {
        outbox.add(text(HIGH))
        clock.tick(1)
      }
      const now = performance.now.bind(performance)
      performance.now = () => now() + 10_000
      for (let turn = 0; turn < 3; turn += 1) {
        outbox.add(text(HIGH))
        flusher.flush()
      }
      expect(network.connection.closed).to.equal(undefined)
    })

    it('closes at once when more than 16 budgets wait from earlier turns', () => {
      const outbox = make(network.connection)
      let turns = 0
      for (; !network.connection.closed && turns < 10_000; turns += 1) {
        outbox.add(text(10 * KIB))
        flusher.flush()
      }
      // A quarter in the connection, the budgets, and two turns.
      expect(turns * 10 * KIB).to.be.within(HIGH + 16 * BUDGET, HIGH + 16 * BUDGET + 40 * KIB)
      expect(network.connection.closed).to.deep.equal(SLOW_CONSUMER)
      expect(outbox.size).to.equal(0)
    })

    it('lets as much more wait as the reader has taken in the last looks, and not for ever', () => {
      const outbox = make(network.connection)
      const addTurns = (size: number) => {
        for (let done = 0; done < size && !network.connection.closed; done += HIGH) {
          outbox.add(text(HIGH))
          clock.tick(40)
        }
      }
      addTurns(BUDGET)
      for (let round = 0; round < 8; round += 1) {
        network.take(2 * HIGH)
        addTurns(2 * HIGH)
      }
      addTurns(1.5 * BUDGET)
      expect(network.connection.closed).to.equal(undefined)
      clock.tick(2001)
      addTurns(3 * BUDGET)
      expect(network.connection.closed).to.deep.equal(SLOW_CONSUMER)
    })

    it('counts no bulk', () => {
      const outbox = make(network.connection)
      for (let turn = 0; turn < 20; turn += 1) {
        outbox.addBulk(text(BUDGET))
        outbox.add('live')
        flusher.flush()
      }
      expect(network.connection.closed).to.equal(undefined)
      expect(outbox.size).to.be.above(18 * BUDGET)
    })
  })

  describe('a reader that takes nothing', () => {
    it('is closed as slow_consumer after readTimeout while more than the budget waits, and is reported', () => {
      const outbox = make(network.connection)
      outbox.addBulk(text(2 * BUDGET))
      clock.tick(4990)
      expect(network.connection.closed).to.equal(undefined)
      clock.tick(1010)
      expect(network.connection.closed).to.deep.equal(SLOW_CONSUMER)
      const [[{ waiting, behindFor }]] = onslow.args as [[{ waiting: number; behindFor: number }]]
      expect([waiting, Math.round(behindFor / 1000)]).to.deep.equal([2 * BUDGET, 5])
      expect(clock.countTimers()).to.equal(0)
    })

    it('is not closed while no more than the budget waits', () => {
      const outbox = make(network.connection)
      outbox.addBulk(text(BUDGET))
      clock.tick(60_000)
      expect(network.connection.closed).to.equal(undefined)
    })

    it('is not closed when it takes some from time to time', () => {
      const outbox = make(network.connection)
      outbox.addBulk(text(BUDGET))
      outbox.addBulk(text(2 * BUDGET))
      for (let round = 0; round < 30; round += 1) {
        clock.tick(4000)
        network.take(KIB)
      }
      expect(network.connection.closed).to.equal(undefined)
    })

    it('is given the time for which the process stood still', () => {
      const outbox = make(network.connection)
      outbox.addBulk(text(2 * BUDGET))
      clock.tick(1)
      // One late look, as after a long task.
      const now = performance.now.bind(performance)
      performance.now = () => now() + 60_000
      clock.tick(1000)
      expect(network.connection.closed).to.equal(undefined)
    })

    it('costs one timer for all of them, and none once they have gone on or left', () => {
      const networks = Array.from({ length: 100 }, () => new Network())
      const outboxes = networks.map(({ connection }) => make(connection))
      for (const outbox of outboxes) outbox.addBulk(text(2 * BUDGET))
      flusher.flush()
      clock.next()
      expect(clock.countTimers()).to.equal(1)
      for (const [index, one] of networks.entries()) {
        if (index % 2 === 0) one.take(2 * BUDGET)
        else outboxes[index]?.clear()
      }
      expect(clock.countTimers()).to.equal(0)
    })
  })

  describe('#hasRoom', () => {
    it('is true while little waits, without a call of ondrained', () => {
      const { outbox } = makeFast()
      outbox.add('a')
      expect([outbox.hasRoom(), outbox.isCaughtUp()]).to.deep.equal([true, true])
      clock.runAll()
      expect(ondrained.callCount).to.equal(0)
    })

    it('sends what waits before it says no', () => {
      const { outbox, connection } = makeFast()
      outbox.addBulk(text(2 * BUDGET))
      expect(outbox.hasRoom()).to.equal(true)
      expect(connection.batches).to.equal(1)
    })

    it('is false while the reader is behind, and ondrained follows once it has caught up', () => {
      const outbox = make(network.connection)
      outbox.addBulk(text(2 * BUDGET))
      expect(outbox.hasRoom()).to.equal(false)
      clock.next()
      expect(ondrained.callCount).to.equal(0)
      network.take(2 * BUDGET)
      expect(ondrained.callCount).to.equal(1)
      expect(outbox.hasRoom()).to.equal(true)
    })

    it('lets ondrained follow also when the reader takes all before the turn is over', () => {
      const outbox = make(network.connection)
      outbox.addBulk(text(2 * BUDGET))
      expect(outbox.hasRoom()).to.equal(false)
      network.connection.bufferedBytes = 0
      clock.next()
      expect(ondrained.callCount).to.equal(1)
    })
  })

  describe('#flush', () => {
    it('sends now, and nothing again when the turn is over', () => {
      const { outbox, connection } = makeFast()
      outbox.add('a')
      outbox.flush()
      expect(connection.sent).to.deep.equal(['a'])
      clock.runAll()
      expect(connection.batches).to.equal(1)
    })

    it('does nothing when nothing waits', () => {
      const { outbox, connection } = makeFast()
      outbox.flush()
      expect(connection.batches).to.equal(0)
    })

    it('leaves what is added after it to the end of the turn', () => {
      const { outbox, connection } = makeFast()
      outbox.add('a')
      outbox.flush()
      outbox.add('b')
      expect(connection.sent).to.deep.equal(['a'])
      clock.runAll()
      expect(connection.sent).to.deep.equal(['a', 'b'])
    })
  })

  describe('#end', () => {
    it('hands all that waits to the connection, however far the reader is behind', () => {
      const outbox = make(network.connection)
      for (let count = 0; count < 8; count += 1) outbox.addBulk(text(BUDGET))
      flusher.flush()
      outbox.end()
      expect(network.connection.sent).to.have.length(8)
      expect(outbox.size).to.equal(0)
    })
  })
})

describe('Flusher', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate'] })
    fakeTurns()
  })

  afterEach(() => sinon.restore())

  const make = (connection: TestConnection, flusher: Flusher) =>
    new Outbox(connection, { flusher, budget: 100, readTimeout: 5000 })

  it('asks for one turn for all outboxes', () => {
    const flusher = new Flusher()
    const pairs = Array.from({ length: 100 }, () => connectionPair())
    for (const { left } of pairs) make(left, flusher).add('a')
    expect(clock.countTimers()).to.equal(1)
    clock.runAll()
    expect(pairs.every(({ left }) => left.batches === 1)).to.equal(true)
  })

  it('sends what is added while it flushes in the turn after', () => {
    const flusher = new Flusher()
    const { left, right } = connectionPair()
    const outbox = make(left, flusher)
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
      make(left, flusher).add('a')
      flusher.flush()
      expect(left.sent).to.deep.equal(['a'])
    })
  })
})
