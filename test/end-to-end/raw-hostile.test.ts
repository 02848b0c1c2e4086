/** Raw WebSockets of clients that mean harm, or have vanished: each is bounded, and no other is harmed. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { CLOSE_CODES } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { BareClient } from './bare-client.js'
import { type Site, type SiteOptions, turn, until, useSites } from './fixture.js'
import { MB, MemoryGrowth } from './memory.js'
import { frameOf, OPCODES, RawWebSocket } from './raw-websocket.js'

describe('a hostile raw WebSocket', () => {
  const sites = useSites()

  const start = (options: SiteOptions = {}) =>
    sites({
      engine: undefined,
      transports: ['websocket', 'raw'],
      connectAuthentication: () => true,
      ...options,
    })

  /** One that is let in. */
  async function open(site: Site): Promise<RawWebSocket> {
    const before = site.sockets.sockets().length
    const raw = await RawWebSocket.open(site.port, '/sockets/raw')
    await until(() => site.sockets.sockets().length === before + 1)
    return raw
  }

  it('that reads nothing is closed with 4002, and what waits for it is bounded', async () => {
    const site = await start({ limits: { readTimeout: 500 } })
    const raw = await open(site)
    raw.hear = () => {}
    raw.pause()
    const [socket] = site.sockets.sockets()
    const growth = new MemoryGrowth()
    const text = 'x'.repeat(10_000)
    for (let sent = 0; sent < 200_000 && !socket?.isClosed; sent += 1) {
      socket?.send(text, { ack: 'node' }).catch(() => {})
      if (sent % 100 === 0) await turn()
      if (sent % 1000 === 0) growth.look()
    }
    expect(socket?.isClosed).to.equal(true)
    expect(growth.most).to.be.below(40 * MB)
    raw.resume()
    expect(await raw.closed).to.equal(CLOSE_CODES.slow_consumer.code)
    await site.servesHonestClients()
  })

  it('that has vanished is cut off, and one that answers pings is not', async () => {
    const site = await start({ pingInterval: 100, pingTimeout: 100 })
    const [alive, dead] = [await open(site), await open(site)]
    dead.pause()
    await until(() => site.sockets.sockets().length === 1)
    const before = alive.pings
    await until(() => alive.pings > before + 2)
    expect(alive.socket.destroyed).to.equal(false)
    expect(site.sockets.sockets()).to.have.length(1)
    dead.destroy()
    alive.destroy()
  })

  it('gets no heartbeat as a frame: its scripts would take it for a message', async () => {
    const site = await start({ pingInterval: 50, pingTimeout: 1000 })
    const raw = await open(site)
    const texts: string[] = []
    const { hear } = raw
    raw.hear = (frame) => {
      if (frame.opcode === OPCODES.text) texts.push(String(frame.payload))
      hear(frame)
    }
    await until(() => raw.pings > 2)
    expect(texts).to.deep.equal([])
    raw.destroy()
  })

  it('that sends very much at once takes its turn: others are served meanwhile', async () => {
    const site = await start({ limits: { rate: 1e9 } })
    let handled = 0
    site.sockets.on('message', () => {
      handled += 1
    })
    const other = await site.ready()
    const raw = await open(site)
    const frames = Array.from({ length: 100_000 }, () => frameOf(OPCODES.text, '{"a":1}'))
    raw.write(...frames)
    await until(() => handled > 0)
    await other.rpc('echo')
    expect(handled).to.be.below(frames.length)
    await until(() => handled === frames.length)
    raw.destroy()
  })

  it('stays open over `limits.messagesPerSecond`: what is too much is dropped', async () => {
    const site = await start({ limits: { messagesPerSecond: 1, messagesBurst: 10 } })
    const taken: unknown[] = []
    site.sockets.on('message', (_connection, data) => taken.push(data))
    const client = await BareClient.open(site)
    client.send(...Array.from({ length: 50 }, (_, index) => `m${index}`))
    await until(() => site.sockets.sockets()[0]?.received === 50)
    await site.sockets.sockets()[0]?.send('still there')
    expect(await client.frames.next()).to.equal('still there')
    expect(taken.slice(0, 10)).to.deep.equal(Array.from({ length: 10 }, (_, index) => `m${index}`))
    expect(taken.length).to.be.below(40)
  })

  it('is closed with 4011 for more than `limits.rateRefusals` of them in a minute', async () => {
    const site = await start({ limits: { messagesPerSecond: 1, messagesBurst: 10, rateRefusals: 20 } })
    const client = await BareClient.open(site)
    client.send(...Array<string>(90).fill('x'))
    expect((await client.closed)[0]).to.equal(CLOSE_CODES.rate_limited.code)
  })

  it('is closed with 1008 for too many control frames', async () => {
    const raw = await open(await start())
    raw.write(...Array.from({ length: 200 }, () => frameOf(OPCODES.pong)))
    expect(await raw.closed).to.equal(1008)
  })

  it('is closed for frames that are not masked, or reserved', async () => {
    const site = await start()
    for (const [settings, code] of [
      [{ masked: false }, 1002],
      [{ reserved: 4 }, 1002],
    ] as const) {
      const raw = await open(site)
      raw.write(frameOf(OPCODES.text, 'x', settings))
      expect(await raw.closed).to.equal(code)
      await until(() => site.sockets.sockets().length === 0)
    }
  })

  it('is closed with 1007 for what is no UTF-8', async () => {
    const raw = await open(await start())
    raw.write(frameOf(OPCODES.text, Buffer.from([0xff, 0xfe])))
    expect(await raw.closed).to.equal(1007)
  })

  it('may send a message in fragments, and many fragments are refused', async () => {
    const site = await start({ limits: { fragments: 10, message: 4096 } })
    const got: unknown[] = []
    site.sockets.on('message', (_socket, data) => got.push(data))
    const raw = await open(site)
    const part = frameOf(OPCODES.continuation, 'b', { fin: false })
    raw.write(frameOf(OPCODES.text, 'a', { fin: false }), part, frameOf(OPCODES.continuation, 'c'))
    await until(() => got.length === 1)
    expect(got).to.deep.equal(['abc'])
    raw.write(frameOf(OPCODES.text, 'a', { fin: false }), ...Array.from({ length: 20 }, () => part))
    expect(await raw.closed).to.equal(1008)
  })

  it('that never ends its handshake asks nothing', async () => {
    const authentication = sinon.spy(() => true)
    const site = await start({ connectAuthentication: authentication })
    const socket = connect(site.port, '127.0.0.1')
    socket.write('GET /sockets/raw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: webso')
    await once(socket, 'connect')
    await site.servesHonestClients()
    expect(authentication.callCount).to.equal(0)
    socket.destroy()
  })

  it('over `limits.connections` is refused with 503, over `connectionsPerAddress` with 429', async () => {
    for (const [limits, status] of [
      [{ connections: 2 }, 503],
      [{ connectionsPerAddress: 2 }, 429],
    ] as const) {
      const site = await start({ limits })
      const clients = [await BareClient.open(site), await BareClient.open(site)]
      expect(await BareClient.refusal(site)).to.equal(status)
      for (const client of clients) client.socket.terminate()
    }
  })
})
