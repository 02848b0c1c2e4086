import { type HistoryPage, MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { Hub } from '#server/channels/hub.js'
import { Recovery } from '#server/channels/recovery.js'
import { makeSocket, type TestSocket } from '../sockets.js'

/** What a client sees, the notice as what it says of the place. */
type Seen = number | { readonly at?: number; readonly recovered?: boolean; readonly reason?: string }

const RETENTION = { size: 2000, ttl: 60_000 }

describe('Recovery', () => {
  let hub: Hub
  let engine: MemoryEngine
  let member: TestSocket
  let epoch: string

  beforeEach(async () => {
    hub = new Hub(() => {})
    engine = new MemoryEngine()
    engine.broker.listen({
      publication: (publication) => hub.deliver(publication),
      broadcast: () => {},
      command: () => {},
      presence: () => {},
    })
    await engine.broker.subscribe('c')
    member = makeSocket()
    hub.join(member.socket, 'c')
    await publish(1)
    epoch = (await engine.history.position('c'))?.epoch ?? ''
  })

  // What it keeps has a timer, which would be counted by tests to come.
  afterEach(async () => {
    sinon.restore()
    await engine.close()
  })

  async function publish(
    count: number,
    options: { size?: number; isKept?: boolean; padding?: string } = {},
  ): Promise<void> {
    const { size = RETENTION.size, isKept = true, padding = '' } = options
    for (let i = 0; i < count; i += 1) {
      const { offset = 0 } = (await engine.history.position('c')) ?? {}
      const retention = isKept ? { ...RETENTION, size } : undefined
      await engine.broker.publish({ channel: 'c', json: padding + (isKept ? offset + 1 : -1) }, { retention })
    }
  }

  function recover(offset?: number, changes: Partial<ConstructorParameters<typeof Recovery>[0]> = {}) {
    const owner = {
      hub,
      history: engine.history,
      enter: async () => undefined,
      keeps: () => true,
      mayRecover: () => true,
      ...changes,
    }
    return new Recovery(owner, member.socket, 'c').run(offset === undefined ? undefined : { epoch, offset })
  }

  /** The publications, by what they hold, and the notices. */
  function seen(): Seen[] {
    return member.frames().map((frame) => {
      const { message, data } = frame as {
        message?: number
        data: { offset?: number } & Record<string, unknown>
      }
      if (message !== undefined) return message
      const { offset, recovered, reason } = data as { offset?: number; recovered?: boolean; reason?: string }
      return {
        ...(offset !== undefined && { at: offset }),
        ...(recovered !== undefined && { recovered }),
        ...(reason !== undefined && { reason }),
      }
    })
  }

  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index)

  it('begins where the channel is for a client that was not there', async () => {
    await publish(2)
    member.frames()
    member.connection.sent.length = 0
    await recover()
    await publish(1)
    expect(seen()).to.deep.equal([{ at: 3 }, 4])
  })

  it('begins before what comes while it asks where the channel is, which has it already', async () => {
    member.frames()
    member.connection.sent.length = 0
    const read: MemoryEngine['history']['read'] = async (...query) => {
      await publish(3)
      return engine.history.read(...query)
    }
    await recover(undefined, { history: { ...engine.history, position: engine.history.position, read } })
    await publish(1)
    expect(seen()).to.deep.equal([{ at: 1 }, 2, 3, 4, 5])
  })

  it('begins where the channel is when more comes meanwhile than can be held', async () => {
    member.frames()
    member.connection.sent.length = 0
    let isFirst = true
    const read: MemoryEngine['history']['read'] = async (...query) => {
      if (isFirst) await publish(1500)
      isFirst = false
      return engine.history.read(...query)
    }
    await recover(undefined, { history: { ...engine.history, position: engine.history.position, read } })
    await publish(1)
    const told = seen()
    const [{ at }] = told as [{ at: number }]
    expect(told).to.deep.equal([{ at }, ...numbers(at + 1, 1502)])
  })

  it('gives all to one that was there when nothing was kept yet', async () => {
    await engine.broker.subscribe('d')
    hub.join(member.socket, 'd')
    const owner = {
      hub,
      history: engine.history,
      enter: async () => undefined,
      keeps: () => true,
      mayRecover: () => true,
    }
    await new Recovery(owner, member.socket, 'd').run()
    const { data } = member.frames().at(-1) as { data: { epoch: string; offset: number } }
    expect(data.offset).to.equal(0)
    hub.leave(member.socket, 'd')
    await engine.broker.publish({ channel: 'd', json: '7' }, { retention: RETENTION })
    hub.join(member.socket, 'd')
    member.connection.sent.length = 0
    await new Recovery(owner, member.socket, 'd').run({ epoch: data.epoch, offset: 0 })
    expect(seen()).to.deep.equal([{ at: 0, recovered: true }, 7])
  })

  it('tells that the socket has left the presence, though its authorization changes once more', async () => {
    const arrivals = [{ members: [], follow() {} }, undefined]
    const enter = async () => {
      const { auth } = member.socket
      if (arrivals.length > 1) await member.socket.changeAuthorization({ auth })
      return arrivals.shift()
    }
    await recover(1, { enter })
    expect(arrivals).to.deep.equal([])
    const notice = member.frames().at(-1) as { data: { members?: unknown } }
    expect(notice.data.members).to.deep.equal([])
  })

  it('says nothing of places on a channel that keeps nothing', async () => {
    await engine.broker.subscribe('d')
    hub.join(member.socket, 'd')
    member.frames()
    member.connection.sent.length = 0
    await new Recovery(
      {
        hub,
        history: engine.history,
        enter: async () => undefined,
        keeps: () => false,
        mayRecover: () => true,
      },
      member.socket,
      'd',
    ).run()
    expect(seen()).to.deep.equal([{}])
  })

  describe('of many channels at once, for a client that reads nothing', () => {
    const CHANNELS = 40
    const channels = Array.from({ length: CHANNELS }, (_, index) => `many-${index}`)
    const LIMIT = 1024 * 1024
    let backlog: number

    beforeEach(async () => {
      member.frames()
      member.connection.sent.length = 0
      for (const channel of channels) {
        await engine.broker.subscribe(channel)
        hub.join(member.socket, channel)
      }
      backlog = 1_000_000
      sinon.stub(member.connection, 'bufferedBytes').get(() => backlog)
    })

    const publishOn = (channel: string, json: string, isKept: boolean) =>
      engine.broker.publish({ channel, json }, { retention: isKept ? RETENTION : undefined })

    function begin(isKept: boolean, positions: ReadonlyMap<string, { epoch: string; offset: number }>) {
      const owner = {
        hub,
        history: engine.history,
        enter: async () => undefined,
        keeps: () => isKept,
        mayRecover: () => true,
      }
      return channels.map((channel) =>
        new Recovery(owner, member.socket, channel).run(positions.get(channel)),
      )
    }

    function readAll(): void {
      backlog = 0
      member.connection.ondrained?.()
    }

    /** What came of each channel: the first character of each publication, and the gaps. */
    function seenOf(channel: string): string {
      return member
        .frames()
        .map((frame) => frame as { channel?: string; message?: string; data?: Record<string, unknown> })
        .filter((frame) => (frame.channel ?? frame.data?.channel) === channel)
        .map(({ message, data }) => message?.[0] ?? data?.reason ?? 'on')
        .join(' ')
    }

    it('holds as much for all of them as for one, and reads the others again', async () => {
      const read = sinon.spy(engine.history, 'read')
      const positions = new Map<string, { epoch: string; offset: number }>()
      for (const channel of channels) positions.set(channel, await engine.history.position(channel))
      const recovered = begin(true, positions)
      for (const digit of ['1', '2', '3'])
        for (const channel of channels) await publishOn(channel, `"${digit}${'x'.repeat(50_000)}"`, true)
      const { size } = member.socket.held
      expect(size).to.be.within(LIMIT / 2, LIMIT + 51_000)
      readAll()
      await Promise.all(recovered)
      expect(channels.map(seenOf)).to.deep.equal(Array(CHANNELS).fill('on 1 2 3'))
      expect(read.callCount).to.be.above(CHANNELS)
      expect(member.socket.held.size).to.equal(0)
    })

    it('begins later on channels that keep nothing', async () => {
      const recovered = begin(false, new Map())
      for (const digit of ['1', '2', '3'])
        for (const channel of channels) await publishOn(channel, `"${digit}${'x'.repeat(50_000)}"`, false)
      expect(member.socket.held.size).to.be.at.most(LIMIT + 51_000)
      readAll()
      await Promise.all(recovered)
      for (const seen of channels.map(seenOf)) expect(seen).to.be.oneOf(['on', 'on 3', 'on 2 3', 'on 1 2 3'])
      expect(member.socket.held.size).to.equal(0)
    })

    it('counts small publications with what their objects take', async () => {
      const recovered = begin(false, new Map())
      for (let round = 0; round < 200; round += 1)
        for (const channel of channels) await publishOn(channel, '1', false)
      expect(member.socket.held.size).to.be.within(LIMIT / 2, LIMIT + 201)
      readAll()
      await Promise.all(recovered)
      expect(member.socket.held.size).to.equal(0)
    })

    it('holds nothing any more for a socket that is gone', async () => {
      const recovered = begin(true, new Map())
      for (const channel of channels) await publishOn(channel, '"1"', true)
      expect(member.socket.held.size).to.be.above(0)
      hub.remove(member.socket)
      member.client.close(1006, '')
      await Promise.all(recovered)
      expect(member.socket.held.size).to.equal(0)
    })
  })

  describe('of a client that was there', () => {
    beforeEach(() => {
      member.frames()
      member.connection.sent.length = 0
    })

    /** Publishes without the member hearing of it. */
    async function missed(count: number, size?: number, padding = ''): Promise<void> {
      hub.leave(member.socket, 'c')
      await publish(count, { ...(size !== undefined && { size }), padding })
      hub.join(member.socket, 'c')
    }

    it('gives nothing to one that missed nothing', async () => {
      await recover(1)
      expect(seen()).to.deep.equal([{ at: 1, recovered: true }])
    })

    it('gives what it missed, page by page, and then what is published', async () => {
      await missed(250)
      await recover(1)
      await publish(1)
      expect(seen()).to.deep.equal([{ at: 1, recovered: true }, ...numbers(2, 252)])
    })

    it('gives all to one that was there before the first', async () => {
      await missed(2)
      await recover(0)
      expect(seen()).to.deep.equal([{ at: 0, recovered: true }, 1, 2, 3])
    })

    it('says `trimmed` if not all is kept', async () => {
      await missed(5, 2)
      await recover(1)
      await publish(1)
      expect(seen()).to.deep.equal([{ at: 6, recovered: false, reason: 'trimmed' }, 7])
    })

    it('says `epoch_changed` to one that was somewhere else', async () => {
      epoch = 'another'
      await recover(1)
      expect(seen()).to.deep.equal([{ at: 1, recovered: false, reason: 'epoch_changed' }])
    })

    it('says `epoch_changed` to one that comes from the future', async () => {
      await recover(99)
      expect(seen()).to.deep.equal([{ at: 1, recovered: false, reason: 'epoch_changed' }])
    })

    it('says `no_history` where nothing is kept', async () => {
      await engine.close()
      await recover(1, { keeps: () => false })
      expect(seen()).to.deep.equal([{ recovered: false, reason: 'no_history' }])
    })

    it('says `epoch_changed` where all that was kept is lost', async () => {
      await engine.close()
      await recover(1)
      expect(seen()).to.deep.equal([{ at: 0, recovered: false, reason: 'epoch_changed' }])
    })

    it('holds what is published meanwhile until it has given what was missed', async () => {
      await missed(2)
      const recovered = recover(1)
      await publish(2)
      await recovered
      await publish(1)
      expect(seen()).to.deep.equal([{ at: 1, recovered: true }, ...numbers(2, 6)])
    })

    it('holds what is not kept as well, in its place among the others', async () => {
      await missed(1)
      const recovered = recover(1)
      await publish(1, { isKept: false })
      await recovered
      expect(seen()).to.deep.equal([{ at: 1, recovered: true }, 2, -1])
    })

    it('reads again what was too much to hold', async () => {
      const reading = readSlowly()
      const recovered = recover(1, { history: reading.history })
      await publish(1200)
      reading.goOn()
      await recovered
      expect(seen()).to.deep.equal([{ at: 1, recovered: true }, ...numbers(2, 1201)])
    })

    it('says where something is gone that was there a moment ago', async () => {
      const pages = [
        { position: at(101), publications: numbers(2, 101).map(kept), more: true },
        { position: at(107), publications: [105, 106].map(kept), more: false },
      ]
      const read = async () => pages.shift()
      await recover(1, { history: { read } as never })
      expect(seen()).to.deep.equal([
        { at: 1, recovered: true },
        ...numbers(2, 101),
        { at: 104, recovered: false, reason: 'trimmed' },
        105,
        106,
        { at: 107, recovered: false, reason: 'trimmed' },
      ])
    })

    it('stops when the socket leaves meanwhile', async () => {
      await missed(300)
      const reading = readSlowly()
      const recovered = recover(1, { history: reading.history })
      hub.leave(member.socket, 'c')
      reading.goOn()
      await recovered
      expect(seen()).to.deep.equal([])
    })

    it('throws what the engine throws, and lets publications through again', async () => {
      const history = { ...engine.history, read: sinon.stub().rejects(new Error('out of order')) }
      const failure = await recover(1, { history: history as never }).catch((error) => error)
      expect(failure).to.have.property('message', 'out of order')
      await publish(1)
      expect(seen()).to.deep.equal([2])
    })

    it('waits with the next page until the socket has read most of the last', async () => {
      // 100 of these are more than a page may have in bytes, and more than a connection may hold.
      await missed(250, undefined, ' '.repeat(3000))
      let backlog = 0
      const looked: number[] = []
      sinon.stub(member.connection, 'bufferedBytes').get(() => backlog)
      sinon.stub(member.connection, 'send').callsFake((messages) => {
        member.connection.sent.push(...messages)
        backlog = 1_000_000
      })
      const read = sinon.spy(async (...query: Parameters<MemoryEngine['history']['read']>) => {
        looked.push(backlog)
        return engine.history.read(...query)
      })
      const recovered = recover(1, { history: { ...engine.history, read } as never })
      for (const pages of [1, 2, 3]) {
        await new Promise((resolve) => setImmediate(resolve))
        member.flusher.flush()
        await new Promise((resolve) => setImmediate(resolve))
        expect(looked).to.deep.equal(Array(pages).fill(0))
        backlog = 0
        member.connection.ondrained?.()
      }
      await recovered
      expect(seen()).to.have.length(251)
    })

    it('tells a gap if what was too much to hold had publications that are not kept', async () => {
      const reading = readSlowly()
      const recovered = recover(1, { history: reading.history })
      await publish(1, { isKept: false })
      await publish(1000)
      reading.goOn()
      await recovered
      expect(seen()).to.deep.equal([
        { at: 1, recovered: true },
        { at: 1, recovered: false, reason: 'trimmed' },
        ...numbers(2, 1001),
      ])
    })

    const at = (offset: number) => ({ epoch, offset })
    const kept = (offset: number) => ({ channel: 'c', json: String(offset), id: '01', epoch, offset })

    /** A history that answers once it is told to, with what it had then. */
    function readSlowly() {
      let goOn = () => {}
      const told = new Promise<void>((resolve) => {
        goOn = resolve
      })
      const read = async (...query: Parameters<MemoryEngine['history']['read']>): Promise<HistoryPage> => {
        const page = await engine.history.read(...query)
        await told
        return page
      }
      return { history: { ...engine.history, read } as never, goOn }
    }
  })
})
