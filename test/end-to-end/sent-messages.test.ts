/** What the promise of a message to a connection means, on each transport. */
import { expect } from 'chai'
import SockJS from 'sockjs-client'
import { WAYS } from './client-ways.js'
import { next, rejection, type Site, turn, until, useSites } from './fixture.js'
import { HttpSession } from './stalled-readers.js'

const ACKS = ['node', 'written', 'client'] as const

/** A peer that takes direct messages, and does nothing about them. */
async function quietPeer(site: Site) {
  const peer = await site.peer()
  const request = { rpc: 'auth', version: 1, can: ['direct'] }
  await peer.ask({ ...request, token: await site.token(), uuid: 'auth' })
  const [socket] = site.sockets.sockets()
  if (!socket) throw new Error('the server has no socket')
  return { peer, socket }
}

/** Whether a promise has settled after some turns. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false
  const done = () => {
    isDone = true
  }
  promise.then(done, done)
  for (let turns = 0; turns < 20; turns += 1) await turn()
  return isDone
}

describe('a message to a connection', () => {
  const start = useSites()

  before(() => void Object.assign(globalThis, { SockJS }))

  after(() => void Reflect.deleteProperty(globalThis, 'SockJS'))

  for (const [title, , options] of WAYS)
    for (const perMessageDeflate of title === 'plain WebSocket' ? [false, true] : [false])
      for (const ack of ACKS) {
        const how = perMessageDeflate ? `${title}, compressed` : title
        it(`resolves when it is ${ack}, over ${how}; small ones and large ones, in order`, async () => {
          const site = await start({ perMessageDeflate })
          const { client, socket } = await site.pair(options)
          const got: number[] = []
          client.on('direct', (text) => got.push(String(text).length))
          const lengths = [1, 200_000, 2, 3, 100_000, 4]
          const results = lengths.map((length) => socket.send('x'.repeat(length), { ack }))
          expect(await Promise.all(results)).to.deep.equal(lengths.map(() => true))
          if (ack === 'client') expect(got).to.have.length(lengths.length)
          await until(() => got.length === lengths.length)
          expect(got).to.deep.equal(lengths)
        })

        it(`resolves when it is ${ack}, over ${how}, each alone; and among others`, async () => {
          const site = await start({ perMessageDeflate })
          const { socket } = await site.pair(options)
          for (let count = 0; count < 3; count += 1)
            expect(await socket.send('x'.repeat(count * 3000), { ack, timeout: 4000 })).to.equal(true)
          let isOver = false
          const stream = () => {
            if (isOver) return
            void socket.send('another', { ack: 'node' })
            setImmediate(stream)
          }
          stream()
          const results = [1, 2, 3].map((data) => socket.send(data, { ack, timeout: 4000 }))
          expect(await Promise.all(results)).to.deep.equal([true, true, true])
          isOver = true
        })
      }

  it('is not written while no poll takes it, and is when a poll has', async () => {
    const site = await start()
    const session = new HttpSession(site)
    expect(await session.poll()).to.equal('o')
    await session.send({ rpc: 'auth', version: 1, can: ['direct'], token: await site.token(), uuid: '1' })
    expect(await session.poll()).to.include('success')
    const [socket] = site.sockets.sockets()
    expect(await socket?.send(1, { ack: 'node' })).to.equal(true)
    const written = socket?.send('for the poll') ?? Promise.resolve()
    expect(await isSettled(written)).to.equal(false)
    expect(await session.poll()).to.include('for the poll')
    expect(await written).to.equal(true)
  })

  it('is not written while its client does not read, and `connection_lost` when that goes', async () => {
    const site = await start()
    const { peer, socket } = await quietPeer(site)
    const paused = peer as unknown as { pause(): void }
    paused.pause()
    const sent = Array.from({ length: 20 }, () => socket.send('x'.repeat(500_000)))
    const last = sent.at(-1) as Promise<boolean>
    expect(await isSettled(last)).to.equal(false)
    peer.destroy()
    expect((await rejection(last)).code).to.equal('connection_lost')
    await Promise.allSettled(sent)
  })

  it('is `connection_lost`, and not gone, when the connection ends before the client has answered', async () => {
    const site = await start()
    const { peer, socket } = await quietPeer(site)
    const sent = socket.send('arrives', { ack: 'client' })
    await peer.find(({ command }) => command === 'direct')
    peer.destroy()
    expect((await rejection(sent)).code).to.equal('connection_lost')
    expect((await rejection(socket.send('late'))).code).to.equal('not_connected')
  })

  it('is `timeout` when the client does not answer in time', async () => {
    const site = await start()
    const { socket } = await quietPeer(site)
    const sent = socket.send(1, { ack: 'client', timeout: 5 })
    expect((await rejection(sent)).code).to.equal('timeout')
    expect(await socket.send(1)).to.equal(true)
  })

  it('is `unsupported` by clients that take none', async () => {
    const site = await start()
    await site.member()
    const [socket] = site.sockets.sockets()
    for (const ack of ACKS)
      expect((await rejection(Promise.resolve(socket?.send(1, { ack })))).code).to.equal('unsupported')
  })

  it('is refused for wrong data and wrong options, and nothing is sent', async () => {
    const site = await start()
    const { client, socket } = await site.pair()
    const got: unknown[] = []
    client.on('direct', (data) => got.push(data))
    const circular: { self?: unknown } = {}
    circular.self = circular
    for (const ack of ACKS)
      for (const data of [circular, 1n, { big: 1n }, () => {}, Symbol('x')])
        expect((await rejection(socket.send(data, { ack }))).code).to.equal('unserializable')
    for (const options of [{ ack: 'sent' }, { timeout: -1 }, { acks: 'node' }, () => {}, { ack: 1 }])
      expect((await rejection(socket.send(1, options as never))).code).to.equal('bad_option')
    for (const id of ['', undefined, 1, {}])
      expect((await rejection(site.sockets.send(id as never, 1))).code).to.equal('bad_message')
    expect((await rejection(site.sockets.close([1] as never))).code).to.equal('bad_message')
    await socket.send('last', { ack: 'client' })
    expect(got).to.deep.equal(['last'])
  })

  it('arrives in order with calls and publications', async () => {
    const site = await start()
    const { client, socket } = await site.pair({}, { act: () => void got.push('call') })
    const got: string[] = []
    await client.subscribe('news')
    client.on('direct', () => got.push('direct')).on('message', () => got.push('message'))
    const answers = [socket.send(1), socket.rpc('act'), site.sockets.publish('news', 1)]
    await Promise.all([...answers, socket.send(2, { ack: 'client' })])
    expect(got).to.deep.equal(['direct', 'call', 'message', 'direct'])
  })
})

describe('a listener of `connected`', () => {
  const start = useSites()

  it('that refuses at once leaves nothing of what it sent, and its calls fail', async () => {
    const site = await start()
    const outcomes: string[] = []
    site.sockets.on('connected', (socket) => {
      socket.send(1).catch(({ code }) => outcomes.push(code))
      socket.rpc('act').catch(({ code }) => outcomes.push(code))
      return false
    })
    const peer = await site.peer()
    const answer = await peer.auth(await site.token())
    expect(answer).to.include({ error: 'Forbidden', code: 'forbidden' })
    expect((await peer.closed).code).to.equal(4504)
    expect(peer.frames).to.have.length(1)
    expect(outcomes.at(-1)).to.equal('connection_lost')
  })

  it('that refuses later closes a socket that was in', async () => {
    const site = await start()
    site.sockets.on('connected', async (socket) => {
      await socket.rpc('act')
      return false
    })
    const ended = next(site.sockets, 'disconnected')
    const client = await site.ready({ logLevel: 'none' }, { act: () => true })
    expect((await ended)[1]).to.equal('auth_refused')
    await until(() => client.state === 'failed')
  })

  const harmless: Readonly<Record<string, () => unknown>> = {
    undefined: () => undefined,
    true: () => true,
    null: () => null,
    0: () => 0,
    'a promise of nothing': async () => {},
    'an error': () => {
      throw new Error('no refusal')
    },
    'a promise that rejects': async () => {
      throw new Error('no refusal')
    },
  }
  for (const [title, listener] of Object.entries(harmless))
    it(`refuses nothing by ${title}`, async () => {
      const site = await start()
      site.sockets.on('connected', listener)
      const { client } = await site.pair()
      expect(await client.rpc('echo', 1)).to.equal(1)
    })

  it('refuses nothing when a call that it makes fails', async () => {
    const site = await start()
    const failed = next(site.sockets, 'error')
    site.sockets.on('connected', () => site.sockets.send('garbage', 1))
    const { client } = await site.pair()
    await failed
    expect(await client.rpc('echo', 1)).to.equal(1)
  })
})

describe('socket.send of a client', () => {
  const start = useSites()

  it('is `unsupported` without a listener, and waits while the socket is away', async () => {
    const site = await start()
    const { client, socket } = await site.pair()
    expect((await rejection(client.send(1))).code).to.equal('unsupported')
    const got: unknown[] = []
    site.sockets.on('message', (_connection, data) => got.push(data))
    socket.end()
    await next(client, 'disconnect')
    const sent = client.send({ a: 1 })
    await sent
    expect(got).to.deep.equal([{ a: 1 }])
    expect((await rejection(client.send(1n))).code).to.equal('unserializable')
  })

  it('is answered whatever a listener throws, which comes as an `error` event', async () => {
    const site = await start({ authentication: async () => ({ uid: 'ann' }) })
    const { client } = await site.pair()
    site.sockets.on('message', () => {
      throw new Error('thrown')
    })
    const failed = next(site.sockets, 'error')
    await client.send(1)
    expect((await failed)[1]).to.include({ event: 'message', uid: 'ann' })
  })
})
