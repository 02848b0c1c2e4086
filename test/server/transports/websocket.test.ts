import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'chai'
import sinon from 'sinon'
import { WebSocket } from 'ws'
import { InboxScheduler } from '#server/socket/inbox-scheduler.js'
import { WebSocketTransport } from '#server/transports/websocket.js'
import { inNodeOnly } from '../../only-in.js'
import { Inbox } from '../inbox.js'
import { Carrier } from './carrier.js'

const PLAIN = '/sockets/websocket'
const SOCKJS = '/sockets/000/session/websocket'

describe('WebSocketTransport', () => {
  let carrier: Carrier

  beforeEach(async () => {
    carrier = await Carrier.start({ message: 1000 })
  })

  afterEach(() => carrier.stop())

  describe('with plain framing', () => {
    it('says nothing first, and is called websocket', async () => {
      const { peer, guest } = await carrier.open(PLAIN)
      expect(guest.connection.transport).to.equal('websocket')
      guest.connection.send(['{}'])
      expect(await peer.frames.next()).to.equal('{}')
    })

    it('sends a batch as one frame, a message a line', async () => {
      const { peer, guest } = await carrier.open(PLAIN)
      guest.connection.send(['{"a":1}', '{"b":2}'])
      guest.connection.send(['{"c":3}'])
      expect(await peer.frames.take(2)).to.deep.equal(['{"a":1}\n{"b":2}', '{"c":3}'])
    })

    it('hears one message a line', async () => {
      const { peer, guest } = await carrier.open(PLAIN)
      peer.socket.send('{"a":1}\n{"b":2}\n\n')
      peer.socket.send('{"c":"x\\ny"}')
      expect(await guest.messages.take(3)).to.deep.equal(['{"a":1}', '{"b":2}', '{"c":"x\\ny"}'])
    })

    it('hears nothing of an empty frame', async () => {
      const { peer, guest } = await carrier.open(PLAIN)
      for (const frame of ['', '\n\n', 'x']) peer.socket.send(frame)
      expect(await guest.messages.next()).to.equal('x')
    })

    it('closes with code and reason', async () => {
      const { peer, guest } = await carrier.open(PLAIN)
      guest.connection.send(['last'])
      guest.connection.close(4001, 'Closed by the server')
      expect(await peer.closed).to.deep.equal([4001, 'Closed by the server'])
      expect(peer.frames.rest).to.deep.equal(['last'])
      expect(await guest.ended).to.deep.equal([4001, 'Closed by the server'])
    })
  })

  describe('with SockJS framing', () => {
    it('says `o` first', async () => {
      const { peer, guest } = await carrier.open(SOCKJS)
      expect(await peer.frames.next()).to.equal('o')
      expect(guest.connection.transport).to.equal('websocket')
    })

    it('sends a batch as one `a` frame', async () => {
      const { peer, guest } = await carrier.open(SOCKJS)
      guest.connection.send(['{"a":"\\n"}', '{"b":2}'])
      expect(await peer.frames.take(2)).to.deep.equal(['o', 'a["{\\"a\\":\\"\\\\n\\"}","{\\"b\\":2}"]'])
    })

    it('hears a list of messages, and one alone', async () => {
      const { peer, guest } = await carrier.open(SOCKJS)
      for (const frame of ['["{}","x\\ny"]', '"alone"', '', '[]', '["end"]']) peer.socket.send(frame)
      expect(await guest.messages.take(4)).to.deep.equal(['{}', 'x\ny', 'alone', 'end'])
    })

    for (const [what, frame, code] of [
      ['a message over the limit that is no text', JSON.stringify([{ a: 'x'.repeat(1000) }]), 1009],
      ['what nests too deeply to be parsed', '['.repeat(15_000) + ']'.repeat(15_000), 3000],
    ] as const) {
      it(`closes with ${code} on ${what}`, async () => {
        const { peer, guest } = await carrier.open(SOCKJS)
        peer.socket.send(frame)
        expect((await peer.closed)[0]).to.equal(code)
        expect(guest.messages.rest).to.deep.equal([])
      })
    }

    it('takes a message of just the limit, however it is escaped', async () => {
      await carrier.stop()
      carrier = await Carrier.start({ message: 40_000 })
      const { peer, guest } = await carrier.open(SOCKJS)
      for (const message of ['"'.repeat(40_000), '\u0300'.repeat(20_000)]) {
        peer.socket.send(JSON.stringify([message]).replaceAll('\u0300', '\\u0300'))
        expect(await guest.messages.next()).to.equal(message)
      }
    })

    it('hears what is no text as it is', async () => {
      const { peer, guest } = await carrier.open(SOCKJS)
      peer.socket.send('[{"a":1},5,[6]]')
      peer.socket.send('{"b":2}')
      expect(await guest.messages.take(4)).to.deep.equal([{ a: 1 }, 5, [6], { b: 2 }])
    })

    it('says `c` with code and reason last, and closes with them', async () => {
      const { peer, guest } = await carrier.open(SOCKJS)
      guest.connection.close(4001, 'Closed by the server')
      expect(await peer.closed).to.deep.equal([4001, 'Closed by the server'])
      expect(peer.frames.rest).to.deep.equal(['o', 'c[4001,"Closed by the server"]'])
    })

    for (const frame of ['x', '["a"', '{', 'a["x"]', 'undefined']) {
      it(`closes with 3000 on ${frame}, which is not its framing`, async () => {
        const { peer, guest } = await carrier.open(SOCKJS)
        peer.socket.send(frame)
        peer.socket.send('["after"]')
        expect(await peer.closed).to.deep.equal([3000, 'Broken framing.'])
        expect(await guest.ended).to.deep.equal([3000, 'Broken framing.'])
        expect(guest.messages.rest).to.deep.equal([])
        expect(peer.frames.rest).to.deep.equal(['o'])
      })
    }
  })

  for (const [framing, path] of [
    ['plain', PLAIN],
    ['SockJS', SOCKJS],
  ] as const) {
    describe(`with ${framing} framing`, () => {
      it('closes with 1003 on a binary frame', async () => {
        const { peer, guest } = await carrier.open(path)
        peer.socket.send(Buffer.from('["x"]'))
        expect((await peer.closed)[0]).to.equal(1003)
        expect((await guest.ended)[0]).to.equal(1003)
        expect(guest.messages.rest).to.deep.equal([])
      })

      it('closes with 1009 on a message over the limit', async () => {
        const { peer, guest } = await carrier.open(path)
        peer.socket.send(framing === 'plain' ? 'x'.repeat(1001) : `["${'x'.repeat(1001)}"]`)
        expect((await peer.closed)[0]).to.equal(1009)
        expect((await guest.ended)[0]).to.equal(1009)
        expect(guest.messages.rest).to.deep.equal([])
      })

      it('takes small messages that share a frame, whatever their sum', async () => {
        const { peer, guest } = await carrier.open(path)
        const messages = Array.from({ length: 16 }, (_, index) => String(index).repeat(500))
        peer.socket.send(framing === 'plain' ? messages.join('\n') : JSON.stringify(messages))
        expect(await guest.messages.take(16)).to.deep.equal(messages)
      })

      it('closes with 1009 on a message that has more bytes than characters', async () => {
        const { peer, guest } = await carrier.open(path)
        const message = 'é'.repeat(501)
        peer.socket.send(framing === 'plain' ? message : JSON.stringify([message]))
        expect((await peer.closed)[0]).to.equal(1009)
        expect(guest.messages.rest).to.deep.equal([])
      })

      it('takes a message of just the limit in bytes', async () => {
        const { peer, guest } = await carrier.open(path)
        const message = 'é'.repeat(500)
        peer.socket.send(framing === 'plain' ? message : JSON.stringify([message]))
        expect(await guest.messages.next()).to.equal(message)
      })

      const [size, count] = framing === 'plain' ? [15_000, 5] : [15_000, 14]
      inNodeOnly('the `ws` of Bun sends no fragments').it(
        `closes with 1009 on a frame over ${framing === 'plain' ? 64 : 192} KiB, before it is whole`,
        async () => {
          const { peer, guest } = await carrier.open(path)
          for (let sent = 0; sent < count; sent += 1) peer.socket.send('x'.repeat(size), { fin: false })
          expect((await peer.closed)[0]).to.equal(1009)
          expect((await guest.ended)[0]).to.equal(1009)
        },
      )

      it('takes a message of just the limit', async () => {
        const { peer, guest } = await carrier.open(path)
        const message = 'x'.repeat(1000)
        peer.socket.send(framing === 'plain' ? message : JSON.stringify(message))
        expect(await guest.messages.next()).to.equal(message)
      })

      it('closes with 1007 on text that is not UTF-8', async () => {
        const { peer } = await carrier.open(path)
        peer.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
        expect((await peer.closed)[0]).to.equal(1007)
      })

      it('tells of the client’s close, with code and reason', async () => {
        const { peer, guest } = await carrier.open(path)
        peer.socket.close(4005, 'The client left')
        expect(await guest.ended).to.deep.equal([4005, 'The client left'])
      })

      it('tells of a lost connection with 1006', async () => {
        const { peer, guest } = await carrier.open(path)
        peer.socket.terminate()
        expect((await guest.ended)[0]).to.equal(1006)
      })

      it('does nothing more once it is closed', async () => {
        const { peer, guest } = await carrier.open(path)
        guest.connection.close(4001, 'first')
        guest.connection.close(4002, 'second')
        guest.connection.send(['late'])
        expect(await peer.closed).to.deep.equal([4001, 'first'])
        expect(await guest.ended).to.deep.equal([4001, 'first'])
        expect(peer.frames.rest.join()).to.not.include('late')
      })

      it('hears nothing of what the client sends after the server closed', async () => {
        const { peer, guest } = await carrier.open(path)
        guest.connection.close(4001, '')
        peer.socket.send('"late"')
        await peer.closed
        expect(guest.messages.rest).to.deep.equal([])
      })
    })
  }

  for (const [framing, path, frame] of [
    ['plain', PLAIN, 'one\ntwo'],
    ['SockJS', SOCKJS, '["one","two"]'],
  ] as const) {
    it(`has a listener that was set later hear what follows, with ${framing} framing`, async () => {
      const { peer, guest } = await carrier.open(path)
      const later = new Inbox<unknown>()
      const { connection } = guest
      const ended = new Promise((resolve) => {
        const relisten = () =>
          connection.listen({ message: (text) => later.put(text), closed: (code) => resolve(code) })
        connection.listen({ message: relisten, closed: () => {} })
      })
      peer.socket.send(frame)
      peer.socket.send(frame)
      expect(await later.next()).to.equal('two')
      peer.socket.close(4900)
      expect(await ended).to.equal(4900)
      expect(guest.messages.rest).to.deep.equal([])
    })
  }

  it('has a listener that was set later hear what follows, also of a raw client', async () => {
    await carrier.stop()
    carrier = await Carrier.start({ transports: ['raw'] })
    const { socket } = carrier.connect('/sockets/raw')
    const { connection } = await carrier.guests.next()
    connection.opened?.()
    await once(socket, 'open')
    const later = new Inbox<unknown>()
    const ended = new Promise((resolve) => {
      connection.listen({ message: (text) => later.put(text), closed: resolve })
    })
    socket.send('one')
    expect(await later.next()).to.equal('one')
    socket.close(4900)
    expect(await ended).to.equal(4900)
  })

  inNodeOnly('the `ws` of Bun pauses no client').it(
    'says each time that the network has taken what it was full of',
    async () => {
      const { peer, guest } = await carrier.open(PLAIN)
      const { connection } = guest
      const message = 'x'.repeat(8 * 1024 * 1024)
      for (let round = 0; round < 3; round += 1) {
        const drained = new Promise<void>((resolve) => {
          connection.ondrained = resolve
        })
        connection.send([message])
        expect(connection.bufferedBytes).to.be.above(0)
        await drained
        expect(connection.bufferedBytes).to.equal(0)
        expect(await peer.frames.next()).to.have.length(message.length)
      }
    },
  )

  it('stops in the middle of a frame when its owner closes', async () => {
    const { peer, guest } = await carrier.open(PLAIN)
    guest.connection.listen({
      message: (text) => {
        guest.messages.put(text)
        guest.connection.close(4001, '')
      },
      closed: () => {},
    })
    peer.socket.send('one\ntwo')
    await peer.closed
    expect(guest.messages.rest).to.deep.equal(['one'])
  })

  inNodeOnly('the `ws` of Bun pauses no client').it(
    'counts the bytes that a client does not take',
    async () => {
      const { peer, guest } = await carrier.open(PLAIN)
      expect(guest.connection.bufferedBytes).to.equal(0)
      peer.socket.pause()
      const message = 'x'.repeat(1024 * 1024)
      for (let count = 0; count < 20; count += 1) guest.connection.send([message])
      expect(guest.connection.bufferedBytes).to.be.above(10 * 1024 * 1024)
    },
  )

  it('compresses nothing', async () => {
    const { peer } = await carrier.open(PLAIN, { perMessageDeflate: true })
    expect(peer.socket.extensions).to.equal('')
  })

  describe('handshakes', () => {
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    const bad: [what: string, lines: string][] = [
      ['version 8', `Upgrade: websocket\r\n${key}Sec-WebSocket-Version: 8\r\n`],
      ['version 7', `Upgrade: websocket\r\n${key}Sec-WebSocket-Version: 7\r\n`],
      ['no version', `Upgrade: websocket\r\n${key}`],
      [
        'Hixie-76',
        'Upgrade: WebSocket\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n',
      ],
      ['draft 75', 'Upgrade: WebSocket\r\n'],
      ['no key', 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'],
      ['a broken key', 'Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n'],
      ['another protocol', `Upgrade: h2c\r\n${key}Sec-WebSocket-Version: 13\r\n`],
    ]
    it('names the version that would do when it refuses another', async () => {
      const lines = [`GET ${PLAIN} HTTP/1.1`, 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket']
      const exchange = await carrier.server.raw(
        `${lines.join('\r\n')}\r\n${key}Sec-WebSocket-Version: 8\r\n\r\n`,
      )
      expect(await exchange.ended()).to.include('\r\nSec-WebSocket-Version: 13\r\n')
    })

    for (const path of [PLAIN, SOCKJS]) {
      for (const [what, lines] of bad) {
        it(`refuses ${what} on ${path}`, async () => {
          const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n`
          const exchange = await carrier.server.raw(`${head}${lines}\r\n12345678`)
          expect(await exchange.ended()).to.match(/^HTTP\/1.1 400 Bad Request\r\n/)
          expect(carrier.guests.rest).to.deep.equal([])
        })
      }
    }

    it('hears what comes in one packet with the handshake', async () => {
      const socket = connect(carrier.server.port, '127.0.0.1')
      await once(socket, 'connect')
      const head = `GET ${PLAIN} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
      const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
      socket.write(Buffer.concat([Buffer.from(`${head}${key}Sec-WebSocket-Version: 13\r\n\r\n`), frame]))
      const guest = await carrier.guests.next()
      expect(await guest.messages.next()).to.equal('hi')
      socket.destroy()
    })
  })
})

describe('WebSocketTransport', () => {
  describe('pings', () => {
    let clock: sinon.SinonFakeTimers
    let carrier: Carrier

    beforeEach(async () => {
      clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
      carrier = await Carrier.start({ pingInterval: 1000, pingTimeout: 500 })
    })

    afterEach(async () => {
      await carrier.stop()
      sinon.restore()
    })

    it('go to every silent client, with a frame that scripts can see', async () => {
      const both = [await carrier.open(PLAIN), await carrier.open(SOCKJS)]
      clock.tick(1000)
      await Promise.all(both.map(({ peer }) => peer.pings.next()))
      expect(await both[0]?.peer.frames.next()).to.equal('')
      expect(await both[1]?.peer.frames.take(2)).to.deep.equal(['o', 'h'])
    })

    it('cut off a client that does not answer', async () => {
      const { peer, guest } = await carrier.open(PLAIN, { autoPong: false })
      clock.tick(1000)
      await peer.pings.next()
      expect(peer.socket.readyState).to.equal(WebSocket.OPEN)
      clock.tick(500)
      expect((await guest.ended)[0]).to.equal(1006)
      expect((await peer.closed)[0]).to.equal(1006)
    })

    it('take any byte for an answer', async () => {
      const { peer, guest } = await carrier.open(PLAIN, { autoPong: false })
      for (let round = 0; round < 3; round += 1) {
        clock.tick(1000)
        await peer.pings.next()
        peer.socket.send(String(round))
        await guest.messages.next()
      }
      expect(peer.socket.readyState).to.equal(WebSocket.OPEN)
    })

    inNodeOnly('clients of Bun have a timer, too').it('stop when the transport is closed', async () => {
      const { peer, guest } = await carrier.open(PLAIN)
      carrier.transports.close()
      expect(clock.countTimers()).to.equal(0)
      peer.socket.send('still here')
      expect(await guest.messages.next()).to.equal('still here')
      expect(peer.pings.rest).to.deep.equal([])
    })
  })

  it('keeps no process alive by its timer', () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const transport = new WebSocketTransport({
      limits: { message: 1, authMessage: 8192, fragments: 2048 },
      scheduler: new InboxScheduler(),
      pingInterval: 60_000,
      pingTimeout: 60_000,
      opened: () => {},
    })
    const after = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    transport.close()
    expect(after).to.equal(before)
  })
})
