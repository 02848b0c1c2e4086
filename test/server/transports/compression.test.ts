import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { CLOSE_CODES } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { Flusher, Outbox } from '#server/socket/outbox.js'
import { inNodeOnly } from '../../only-in.js'
import { Carrier, type CarrierSettings, type Peer } from './carrier.js'

const PLAIN = '/sockets/websocket'
const SOCKJS = '/sockets/000/session/websocket'
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate'

/** First bytes of a frame: final text, and that with the bit by which compressed ones are known (RSV1). */
const TEXT = 0x81
const COMPRESSED = 0xc1

/** A megabyte that cannot be made smaller by much. */
const noise = () => randomBytes(750_000).toString('base64')

describe('perMessageDeflate', () => {
  let carrier: Carrier

  afterEach(() => carrier.stop())

  async function start(settings: CarrierSettings = {}): Promise<void> {
    carrier = await Carrier.start({ perMessageDeflate: true, message: 1000, ...settings })
  }

  /** The first byte of the frame by which a message goes to a client that offers what is said. */
  async function firstByte(message: string, ...offers: readonly string[]): Promise<number> {
    const lines = [`GET ${PLAIN} HTTP/1.1`, 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', KEY]
    const head = [...lines, 'Sec-WebSocket-Version: 13', ...offers, '', ''].join('\r\n')
    const exchange = await carrier.server.raw(head)
    const guest = await carrier.guests.next()
    guest.connection.send([message])
    const answer = await exchange.matching(/\r\n\r\n[\s\S]{2}/)
    exchange.close()
    return answer.charCodeAt(answer.indexOf('\r\n\r\n') + 4)
  }

  describe('on the wire', () => {
    it('compresses for a client that offers it, and for no other', async () => {
      await start()
      expect(await firstByte('x'.repeat(5000), OFFER)).to.equal(COMPRESSED)
      expect(await firstByte('x'.repeat(5000))).to.equal(TEXT)
      expect(await firstByte('x'.repeat(5000), 'Sec-WebSocket-Extensions: x-other')).to.equal(TEXT)
    })

    it('compresses nothing where it is off, whatever a client offers', async () => {
      await start({ perMessageDeflate: false })
      expect(await firstByte('x'.repeat(5000), OFFER)).to.equal(TEXT)
    })

    it('takes settings: here, small messages as they are', async () => {
      await start({ perMessageDeflate: { serverNoContextTakeover: true, threshold: 1000 } })
      expect(await firstByte('x'.repeat(999), OFFER)).to.equal(TEXT)
      expect(await firstByte('x'.repeat(1000), OFFER)).to.equal(COMPRESSED)
    })

    it('sends less', async () => {
      await start()
      const sizes: number[] = []
      for (const perMessageDeflate of [true, false]) {
        const accepted = once(carrier.server.http, 'connection')
        const { peer, guest } = await carrier.open(PLAIN, { perMessageDeflate })
        const [socket] = (await accepted) as [Socket]
        guest.connection.send(['x'.repeat(1_000_000)])
        await peer.frames.next()
        sizes.push(socket.bytesWritten)
      }
      const [compressed = 0, plain = 0] = sizes
      expect(compressed).to.be.below(plain / 100)
    })
  })

  for (const [framing, path, open] of [
    ['plain', PLAIN, []],
    ['SockJS', SOCKJS, ['o']],
  ] as const) {
    describe(`with ${framing} framing`, () => {
      const messages = (frames: readonly string[]) =>
        frames.slice(open.length).flatMap((frame) => {
          return framing === 'plain' ? frame.split('\n') : (JSON.parse(frame.slice(1)) as string[])
        })

      it('carries messages both ways', async () => {
        await start()
        const { peer, guest } = await carrier.open(path)
        const sent = ['é'.repeat(100), '😀', '{"a":1}']
        guest.connection.send(sent)
        expect(messages(await peer.frames.take(open.length + 1))).to.deep.equal(sent)
        peer.socket.send(framing === 'plain' ? sent.join('\n') : JSON.stringify(sent))
        expect(await guest.messages.take(3)).to.deep.equal(sent)
      })

      it('keeps the order of large and small ones', async () => {
        await start()
        const { peer, guest } = await carrier.open(path)
        const sent = Array.from({ length: 60 }, (_, index) =>
          String(index).padEnd(index % 3 ? 10 : 300_000, 'x'),
        )
        for (const message of sent) guest.connection.send([message])
        expect(messages(await peer.frames.take(open.length + 60))).to.deep.equal(sent)
      })

      it('gives all who get the same batch the same, compressed or not', async () => {
        await start()
        const all = [
          await carrier.open(path),
          await carrier.open(path, { perMessageDeflate: false }),
          await carrier.open(path),
        ]
        const sent = [noise(), '{"b":2}']
        for (const { guest } of all) guest.connection.send(sent)
        for (const { peer } of all) {
          expect(messages(await peer.frames.take(open.length + 1))).to.deep.equal(sent)
        }
      })

      it('lets no close overtake what was sent before it', async () => {
        await start()
        const { peer, guest } = await carrier.open(path)
        guest.connection.send([noise()])
        guest.connection.send(['last'])
        guest.connection.close(4001, 'bye')
        expect(await peer.closed).to.deep.equal([4001, 'bye'])
        const farewell = framing === 'plain' ? [] : ['c[4001,"bye"]']
        expect(peer.frames.rest.slice(open.length + 1)).to.deep.equal([
          ...(framing === 'plain' ? ['last'] : ['a["last"]']),
          ...farewell,
        ])
      })
    })
  }

  describe('a client’s bomb', () => {
    it('of 10 MB in 10 kB is refused with 1009, and harms nobody', async () => {
      await start()
      const { peer: other, guest: otherGuest } = await carrier.open(PLAIN)
      for (const path of [PLAIN, SOCKJS]) {
        const { peer, guest } = await carrier.open(path)
        peer.socket.send('x'.repeat(10_000_000))
        expect((await peer.closed)[0]).to.equal(1009)
        await guest.ended
        expect(guest.messages.rest).to.deep.equal([])
      }
      other.socket.send('still here')
      expect(await otherGuest.messages.next()).to.equal('still here')
      otherGuest.connection.send(['here too'])
      expect(await other.frames.next()).to.equal('here too')
    })

    it('that is no larger than a batch may be is refused all the same', async () => {
      await start()
      const { peer, guest } = await carrier.open(PLAIN)
      peer.socket.send('x'.repeat(1001))
      expect((await peer.closed)[0]).to.equal(1009)
      expect(guest.messages.rest).to.deep.equal([])
    })
  })

  describe('bytes that wait', () => {
    inNodeOnly('the `ws` of Bun compresses at once').it(
      'are counted while they are being compressed, and are none when all is sent',
      async () => {
        await start()
        const { peer, guest } = await carrier.open(PLAIN)
        guest.connection.send(['x'.repeat(1_000_000)])
        guest.connection.send(['y'.repeat(500_000)])
        expect(guest.connection.bufferedBytes).to.be.at.least(1_500_000)
        await peer.frames.take(2)
        expect(guest.connection.bufferedBytes).to.equal(0)
      },
    )

    it('let an outbox close a slow consumer, while the others get all', async () => {
      await start()
      const [slow, quick] = [await carrier.open(PLAIN), await carrier.open(PLAIN)]
      const flusher = new Flusher()
      const outboxes = [slow, quick].map(
        ({ guest }) => new Outbox(guest.connection, { flusher, budget: 5_000_000, readTimeout: 60_000 }),
      )
      slow.peer.socket.pause()
      const ended = sinon.spy()
      slow.guest.ended.then(ended)
      let sent = 0
      // The kernel takes some megabytes before any wait.
      while (!ended.called && sent < 100) {
        const message = noise()
        for (const outbox of outboxes) outbox.add(message)
        flusher.flush()
        sent += 1
        expect(await quick.peer.frames.next()).to.equal(message)
      }
      expect((await slow.guest.ended)[0]).to.equal(CLOSE_CODES.slow_consumer.code)
      expect(quick.peer.frames.rest).to.deep.equal([])
      slow.peer.socket.terminate()
    })
  })

  describe('signs of life', () => {
    let clock: sinon.SinonFakeTimers

    beforeEach(async () => {
      clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
      await start({ pingInterval: 1000, pingTimeout: 500 })
    })

    afterEach(() => sinon.restore())

    /** Frames and pings of a client, in the order in which they come. */
    function notes({ socket }: Peer): string[] {
      const seen: string[] = []
      socket.on('message', (data) => seen.push(String(data).slice(0, 5)))
      socket.on('ping', () => seen.push('ping'))
      return seen
    }

    it('stay in their place among messages', async () => {
      const { peer, guest } = await carrier.open(PLAIN)
      const seen = notes(peer)
      guest.connection.send([`first${noise()}`])
      clock.tick(1000)
      guest.connection.send(['last'])
      while (seen.at(-1) !== 'last') await once(peer.socket, 'message')
      expect(seen).to.deep.equal(['first', 'ping', '', 'last'])
    })

    it('are an empty frame, or `h`, beside each ping', async () => {
      const [plain, framed] = [await carrier.open(PLAIN), await carrier.open(SOCKJS)]
      for (let round = 0; round < 2; round += 1) {
        clock.tick(1000)
        await Promise.all([plain.peer.pings.next(), framed.peer.pings.next()])
        expect(await plain.peer.frames.next()).to.equal('')
        for (const { peer, guest } of [plain, framed]) {
          peer.socket.send('"heard"')
          await guest.messages.next()
        }
        clock.tick(200)
      }
      expect(await framed.peer.frames.take(3)).to.deep.equal(['o', 'h', 'h'])
    })

    it('are missed of a client that gives none', async () => {
      const { peer, guest } = await carrier.open(PLAIN, { autoPong: false })
      clock.tick(1000)
      await peer.pings.next()
      clock.tick(500)
      expect((await guest.ended)[0]).to.equal(1006)
    })
  })
})
