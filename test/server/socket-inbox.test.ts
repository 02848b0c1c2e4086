import { expect } from 'chai'
import { type Batch, LineBatch, ListBatch } from '#server/socket/batch.js'
import { Inbox } from '#server/socket/inbox.js'
import { type EventLoop, InboxScheduler } from '#server/socket/inbox-scheduler.js'
import { Random } from '../protocol/random.js'

/** Messages of one socket in one turn, and of all inboxes in which messages wait. */
const [OF_ONE, OF_ALL] = [64, 256]

/** Milliseconds of work of one socket, and of all, in one turn. */
const [WORK, WORK_IN_ALL] = [4, 16]

/** An event loop and a clock that stand still until a test moves them. */
class TestLoop implements EventLoop {
  time = 1000
  turns = 0
  #deferred: (() => void)[] = []

  now(): number {
    return this.time
  }

  defer(run: () => void): void {
    this.#deferred.push(run)
  }

  get isIdle(): boolean {
    return this.#deferred.length === 0
  }

  /** The check phase of a turn: what arrives afterwards belongs to the next one's budget. */
  turn(): void {
    this.turns += 1
    const due = this.#deferred
    this.#deferred = []
    for (const run of due) run()
  }
}

/** A connection that keeps what its inbox hands over. */
class TestSocket {
  readonly taken: unknown[] = []
  /** How many messages it was handed in each turn. */
  readonly perTurn: number[] = []
  isReading = true
  /** Called with each message. */
  handle = (_message: unknown): void => {}
  readonly inbox: Inbox
  readonly #loop: TestLoop

  constructor(loop: TestLoop, scheduler: InboxScheduler) {
    this.#loop = loop
    this.inbox = new Inbox(this, scheduler)
  }

  take(message: unknown): void {
    this.taken.push(message)
    this.perTurn[this.#loop.turns] = (this.perTurn[this.#loop.turns] ?? 0) + 1
    this.handle(message)
  }

  pause(): void {
    this.isReading = false
  }

  resume(): void {
    this.isReading = true
  }
}

function setUp(count = 1): { loop: TestLoop; sockets: TestSocket[]; socket: TestSocket } {
  const loop = new TestLoop()
  const scheduler = new InboxScheduler(loop)
  const sockets = Array.from({ length: count }, () => new TestSocket(loop, scheduler))
  return { loop, sockets, socket: sockets[0] as TestSocket }
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `${from + index}`)

describe('Batch', () => {
  function drain(batch: Batch): unknown[] {
    const messages: unknown[] = []
    for (let next = batch.next(); next !== undefined; next = batch.next()) messages.push(next)
    return messages
  }

  for (const [text, lines] of [
    ['a', ['a']],
    ['a\nb', ['a', 'b']],
    ['\n\na\n\nb\n', ['a', 'b']],
    ['\n', []],
    ['', []],
    ['é\n漢', ['é', '漢']],
  ] as const) {
    it(`finds the lines of ${JSON.stringify(text)}`, () => {
      expect(drain(new LineBatch(text))).to.deep.equal(lines)
    })
  }

  it('finds the members of a list, `null` included', () => {
    expect(drain(new ListBatch(['a', null, 0, ['b']]))).to.deep.equal(['a', null, 0, ['b']])
  })
})

describe('Inbox', () => {
  it('hands a message over at once', () => {
    const { socket, loop } = setUp()
    socket.inbox.receive('a')
    socket.inbox.receiveAll(new LineBatch('b\nc'))
    expect(socket.taken).to.deep.equal(['a', 'b', 'c'])
    expect(socket.isReading).to.equal(true)
    loop.turn()
    expect(loop.isIdle).to.equal(true)
  })

  for (const [what, send] of [
    ['a frame', (inbox: Inbox, messages: string[]) => inbox.receiveAll(new LineBatch(messages.join('\n')))],
    ['a list', (inbox: Inbox, messages: string[]) => inbox.receiveAll(new ListBatch(messages))],
    ['frames', (inbox: Inbox, messages: string[]) => messages.forEach((one) => void inbox.receive(one))],
  ] as const) {
    it(`hands ${OF_ONE} messages of ${what} over in a turn, in order, and does not read meanwhile`, () => {
      const { socket, loop } = setUp()
      const messages = numbers(1000)
      send(socket.inbox, messages)
      expect(socket.isReading).to.equal(false)
      while (!loop.isIdle) loop.turn()
      expect(socket.taken).to.deep.equal(messages)
      expect(Math.max(...socket.perTurn)).to.equal(OF_ONE)
      expect(socket.isReading).to.equal(true)
    })
  }

  it('counts a long message as several: 256 KiB in a turn', () => {
    const { socket, loop } = setUp()
    const messages = Array.from({ length: 10 }, () => 'x'.repeat(128 * 1024))
    socket.inbox.receiveAll(new ListBatch(messages))
    while (!loop.isIdle) loop.turn()
    expect(socket.taken).to.have.length(10)
    expect(Math.max(...socket.perTurn)).to.equal(2)
  })

  it(`stops a socket after ${WORK} ms of work`, () => {
    const { socket, loop } = setUp()
    socket.handle = () => {
      loop.time += 1
    }
    socket.inbox.receiveAll(new ListBatch(numbers(40)))
    while (!loop.isIdle) loop.turn()
    expect(socket.taken).to.have.length(40)
    expect(Math.max(...socket.perTurn)).to.be.below(20)
  })

  it('makes progress in each turn, however long a message takes', () => {
    const { socket, loop } = setUp()
    socket.handle = () => {
      loop.time += 1000
    }
    socket.inbox.receiveAll(new ListBatch(numbers(40)))
    while (!loop.isIdle && loop.turns < 50) loop.turn()
    expect(socket.taken).to.have.length(40)
  })

  it(`lets messages wait when all sockets together have worked for ${WORK_IN_ALL} ms`, () => {
    const { sockets, loop } = setUp(100)
    for (const socket of sockets) {
      socket.handle = () => {
        loop.time += 1
      }
      socket.inbox.receive('a')
    }
    expect(sockets.filter(({ taken }) => taken.length > 0)).to.have.length(WORK_IN_ALL)
    while (!loop.isIdle) loop.turn()
    expect(sockets.every(({ taken }) => taken.length === 1)).to.equal(true)
  })

  it('looks at the clock after each long message, whichever socket it is of', () => {
    const { sockets, loop } = setUp(20)
    const begun = loop.time
    for (const socket of sockets) {
      socket.handle = (message) => {
        loop.time += message === 'small' ? 0 : 12
      }
      socket.inbox.receive('x'.repeat(4096))
      socket.inbox.receive('small')
    }
    // The second long message began in time; all that follow wait.
    expect(loop.time - begun).to.equal(24)
    while (!loop.isIdle) {
      const before = loop.time
      loop.turn()
      expect(loop.time - before).to.be.at.most(24)
    }
    for (const { taken } of sockets) expect(taken).to.have.length(2)
  })

  it('handles 256 KiB of long messages of all sockets in a turn, and each socket has its turn', () => {
    const { sockets, loop } = setUp(8)
    const whole = 'x'.repeat(256 * 1024)
    for (const socket of sockets) socket.inbox.receiveAll(new ListBatch([whole, whole, whole]))
    const inTurn = () => sockets.reduce((sum, { perTurn }) => sum + (perTurn[loop.turns] ?? 0), 0)
    expect(inTurn()).to.equal(1)
    while (!loop.isIdle) {
      loop.turn()
      expect(inTurn()).to.be.at.most(1)
      const counts = sockets.map(({ taken }) => taken.length)
      expect(Math.max(...counts) - Math.min(...counts)).to.be.at.most(2)
    }
    for (const { taken } of sockets) expect(taken).to.have.length(3)
  })

  it('handles a small message of another socket at once, however much waits', () => {
    const { sockets, loop, socket: flood } = setUp(2)
    flood.inbox.receiveAll(new LineBatch('x\n'.repeat(500_000)))
    for (let turn = 0; turn < 10; turn += 1) {
      loop.turn()
      sockets[1]?.inbox.receive(turn)
      expect(sockets[1]?.taken.at(-1)).to.equal(turn)
    }
  })

  it(`lets all that wait have their turn, 16 messages each, ${OF_ALL} in all`, () => {
    const { sockets, loop } = setUp(64)
    for (const socket of sockets) socket.inbox.receiveAll(new ListBatch(numbers(1000)))
    for (const socket of sockets) socket.perTurn.length = 0
    const before = sockets.map(({ taken }) => taken.length)
    for (let turn = 0; turn < 4; turn += 1) {
      loop.turn()
      const inTurn = sockets.reduce((sum, { perTurn }) => sum + (perTurn[loop.turns] ?? 0), 0)
      expect(inTurn).to.be.within(1, OF_ALL)
    }
    const done = sockets.map(({ taken }, index) => taken.length - (before[index] ?? 0))
    expect(new Set(done)).to.deep.equal(new Set([16]))
  })

  describe('#setPaused', () => {
    it('keeps messages until it is lifted, and then goes on in order', () => {
      const { socket, loop } = setUp()
      socket.inbox.setPaused(true)
      expect(socket.isReading).to.equal(false)
      socket.inbox.receive('a')
      socket.inbox.receiveAll(new LineBatch('b\nc'))
      loop.turn()
      expect(socket.taken).to.deep.equal([])
      socket.inbox.setPaused(false)
      while (!loop.isIdle) loop.turn()
      expect(socket.taken).to.deep.equal(['a', 'b', 'c'])
      expect(socket.isReading).to.equal(true)
    })

    it('stops in the middle of a batch', () => {
      const { socket, loop } = setUp()
      socket.handle = (message) => socket.inbox.setPaused(message === 'b')
      socket.inbox.receiveAll(new LineBatch('a\nb\nc'))
      while (!loop.isIdle) loop.turn()
      expect(socket.taken).to.deep.equal(['a', 'b'])
      socket.inbox.setPaused(false)
      while (!loop.isIdle) loop.turn()
      expect(socket.taken).to.deep.equal(['a', 'b', 'c'])
    })
  })

  describe('#end', () => {
    it('calls back at once if nothing waits', () => {
      const { socket } = setUp()
      let isDone = false
      socket.inbox.end(() => {
        isDone = true
      })
      expect(isDone).to.equal(true)
    })

    it('calls back after what came before', () => {
      const { socket, loop } = setUp()
      socket.inbox.receiveAll(new ListBatch(numbers(200)))
      socket.inbox.end(() => socket.take('end'))
      while (!loop.isIdle) loop.turn()
      expect(socket.taken).to.deep.equal([...numbers(200), 'end'])
    })
  })

  it('#finish handles what waits even if it is paused, now or later', () => {
    const { socket, loop } = setUp()
    socket.handle = () => socket.inbox.setPaused(true)
    socket.inbox.receiveAll(new LineBatch('a\nb\nc'))
    socket.inbox.finish(() => socket.take('end'))
    while (!loop.isIdle) loop.turn()
    expect(socket.taken).to.deep.equal(['a', 'b', 'c', 'end'])
  })

  it('#close drops what waits, and what comes', () => {
    const { socket, loop } = setUp()
    socket.inbox.receiveAll(new ListBatch(numbers(200)))
    socket.inbox.end(() => socket.take('end'))
    socket.inbox.close()
    socket.inbox.receive('late')
    while (!loop.isIdle) loop.turn()
    expect(socket.taken).to.deep.equal(numbers(OF_ONE))
  })

  it('goes on after a handler threw, in this inbox and in others', () => {
    const { sockets, loop } = setUp(3)
    for (const socket of sockets) socket.inbox.receiveAll(new ListBatch(numbers(100)))
    const [first] = sockets
    if (first)
      first.handle = (message) => {
        if (message === '70') throw new Error('a handler')
      }
    let thrown = 0
    while (!loop.isIdle) {
      try {
        loop.turn()
      } catch {
        thrown += 1
      }
    }
    expect(thrown).to.equal(1)
    for (const { taken } of sockets) expect(taken).to.deep.equal(numbers(100))
  })

  for (let seed = 1; seed <= 30; seed += 1) {
    it(`keeps order and budgets for any mixture of sockets and messages (seed ${seed})`, () => {
      const random = new Random(seed)
      const { sockets, loop } = setUp(random.number(20) + 2)
      const sent = new Map<TestSocket, string[]>(sockets.map((socket) => [socket, []]))
      for (const socket of sockets) {
        socket.handle = () => {
          loop.time += random.number(100) / 100
        }
      }
      for (let step = 0; step < 200; step += 1) {
        const socket = sockets[random.number(sockets.length)] as TestSocket
        const so = sent.get(socket) ?? []
        const count = random.number(10) === 0 ? random.number(2000) + 1 : random.number(3) + 1
        const messages = numbers(count, so.length)
        // A connection that is not read brings at most what was on its way.
        if (socket.isReading || random.number(4) === 0) {
          so.push(...messages)
          if (random.number(2) === 0) socket.inbox.receiveAll(new LineBatch(messages.join('\n')))
          else for (const message of messages) socket.inbox.receive(message)
        }
        if (random.number(5) === 0) socket.inbox.setPaused(random.number(2) === 0)
        if (random.number(3) === 0) loop.turn()
      }
      for (const socket of sockets) socket.inbox.setPaused(false)
      while (!loop.isIdle) loop.turn()
      for (const socket of sockets) {
        expect(socket.taken).to.deep.equal(sent.get(socket))
        expect(Math.max(0, ...socket.perTurn.filter((count) => count))).to.be.at.most(OF_ONE)
        expect(socket.isReading).to.equal(true)
      }
    })
  }
})
