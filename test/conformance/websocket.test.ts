import { once } from 'node:events'
import { expect } from 'chai'
import type { RawExchange } from '../server/http-server.js'
import type { Peer } from '../server/transports/carrier.js'
import { expect405 } from './expectations.js'
import { TestBed } from './test-bed.js'

const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade'] as const
const KEY = 'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw=='
const V13 = 'Sec-WebSocket-Version: 13'

describe('SockJS by WebSocket', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await TestBed.start()
  })

  afterEach(() => bed.stop())

  /** Asks for a WebSocket with just these headers. */
  const handshake = (path: string, ...headers: readonly string[]): Promise<RawExchange> =>
    bed.raw(`GET ${path} HTTP/1.1`, ...headers)

  /** A WebSocket whose `o` has come. */
  async function open(path = `${bed.session()}/websocket`): Promise<Peer> {
    const peer = bed.connect(path)
    expect(await peer.frames.next()).to.equal('o')
    return peer
  }

  for (const path of ['/echo/0/0/websocket', '/echo/websocket']) {
    describe(`the handshake: ${path}`, () => {
      it('is no plain GET', async () => {
        const answer = await bed.get(path)
        expect(answer.status).to.equal(400)
        // The protocol’s words are `Can "Upgrade" only to "WebSocket".`; newer servers say it in these.
        expect(answer.body).to.equal('Not a valid websocket request')
      })

      it('fails where a proxy has changed `Connection`', async () => {
        expect((await bed.get(path, { Upgrade: 'WebSocket', Connection: 'close' })).status).to.equal(400)
      })

      it('is a GET', async () => expect405(await bed.post(path), ['GET']))

      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
        it(`is no ${method}, of whatever version, that asks for an upgrade`, async () => {
          for (const headers of [[], [KEY, V13]]) {
            const exchange = await bed.raw(`${method} ${path} HTTP/1.1`, ...UPGRADE, ...headers)
            const answer = await exchange.ended()
            expect(answer).to.match(/^HTTP\/1.1 405 Method Not Allowed\r\n/)
            expect(answer).to.include('\r\nAllow: GET\r\n')
          }
        })
      }

      for (const connection of ['Upgrade', 'upgrade', 'keep-alive, Upgrade']) {
        it(`is accepted with \`Connection: ${connection}\``, async () => {
          const headers = ['Upgrade: websocket', `Connection: ${connection}`, KEY, V13]
          const exchange = await handshake(path, ...headers)
          const head = (await exchange.matching(/\r\n\r\n/)).toLowerCase()
          expect(head).to.match(/^http\/1.1 101 /)
          expect(head).to.include('\r\nupgrade: websocket\r\n').and.include('\r\nconnection: upgrade\r\n')
          expect(head).to.include('\r\nsec-websocket-accept: hsmrc0smlyukagmm5oppg2hagwk=\r\n')
          expect(head).to.not.include('content-length')
          exchange.close()
        })
      }

      // The protocol wants drafts 7 and 8 too, and Hixie's 75 and 76 before them. Only browsers of 2010 to 2012 spoke
      // them, none of which can do the TLS of today; the Hixie drafts also could not keep proxies from being misled.
      for (const version of ['7', '8', '12', '14', '013', '']) {
        it(`is refused for version ${version || 'that is empty'}`, async () => {
          const exchange = await handshake(path, ...UPGRADE, KEY, `Sec-WebSocket-Version: ${version}`)
          expect(await exchange.ended()).to.match(/^HTTP\/1.1 400 /)
        })
      }

      // As SockJS's reference: a client that insists on one learns from the answer that there is none.
      it('selects no subprotocol of those that a client offers', async () => {
        const headers = [...UPGRADE, KEY, V13, 'Sec-WebSocket-Protocol: mqtt, graphql-ws']
        const exchange = await handshake(path, ...headers)
        const head = (await exchange.matching(/\r\n\r\n/)).toLowerCase()
        expect(head).to.match(/^http\/1.1 101 /)
        expect(head).to.not.include('sec-websocket-protocol')
        exchange.close()
      })

      it('is refused for Hixie 75 and 76', async () => {
        const keys = ['Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5', 'Sec-WebSocket-Key2: 12998 5 Y3 1  .P00']
        expect(await (await handshake(path, ...UPGRADE)).ended()).to.match(/^HTTP\/1.1 400 /)
        expect(await (await handshake(path, ...UPGRADE, ...keys)).ended()).to.match(/^HTTP\/1.1 400 /)
      })
    })
  }

  describe('`/<server>/<session>/websocket`', () => {
    it('opens with `o`, takes arrays of messages, and sends them in `a[…]`', async () => {
      const peer = await open()
      peer.socket.send('["a"]')
      expect(await peer.frames.next()).to.equal('a["a"]')
      peer.socket.send('["b","c"]')
      expect(await peer.frames.take(2)).to.deep.equal(['a["b"]', 'a["c"]'])
    })

    it('takes a message that is in no array', async () => {
      const peer = await open()
      peer.socket.send('"a"')
      expect(await peer.frames.next()).to.equal('a["a"]')
    })

    it('ignores empty frames and empty arrays', async () => {
      const peer = await open()
      for (const frame of ['', '[]', '["a"]']) peer.socket.send(frame)
      expect(await peer.frames.next()).to.equal('a["a"]')
    })

    it('ends with the close frame, and with its code', async () => {
      const peer = await open('/close/000/abc/websocket')
      expect(await peer.frames.next()).to.equal('c[3000,"Go away!"]')
      expect(await peer.closed).to.deep.equal([3000, 'Go away!'])
      expect(peer.frames.rest).to.deep.equal([])
    })

    it('has a session for each connection, also under one id', async () => {
      const path = `${bed.session()}/websocket`
      const [first, second] = [await open(path), await open(path)]
      first.socket.send('["a"]')
      second.socket.send('["b"]')
      expect(await first.frames.next()).to.equal('a["a"]')
      expect(await second.frames.next()).to.equal('a["b"]')
      first.socket.close()
      await first.closed
      const third = await open(path)
      third.socket.send('["c"]')
      expect(await third.frames.next()).to.equal('a["c"]')
      expect(second.frames.rest).to.deep.equal([])
    })

    it('has nothing to do with a polling session of the same id', async () => {
      const session = await bed.open()
      const peer = await open(`${session}/websocket`)
      await bed.say(session, '["a"]')
      expect((await bed.post(`${session}/xhr`)).body).to.equal('a["a"]\n')
      peer.socket.send('["b"]')
      expect(await peer.frames.next()).to.equal('a["b"]')
    })

    // As the protocol wants it (`test_broken_json`): the connection ends without another frame.
    for (const frame of ['["a', 'x', '{', '["a"]]', '\ufeff["a"]']) {
      it(`ends with 3000 after ${JSON.stringify(frame)}`, async () => {
        const peer = await open()
        peer.socket.send(frame)
        expect(await peer.closed).to.deep.equal([3000, 'Broken framing.'])
        expect(peer.frames.rest).to.deep.equal([])
      })
    }

    it('is not found under a wrong id, or with more behind it', async () => {
      for (const path of [
        '/a./a/websocket',
        '//a/websocket',
        '/a/websocket',
        '/a/a/websocket/a',
        '/a/a/xhr',
      ]) {
        const exchange = await handshake(`/echo${path}`, ...UPGRADE, KEY, V13)
        expect(await exchange.ended(), path).to.match(/^HTTP\/1.1 404 /)
      }
    })
  })

  describe('plain: `/websocket`', () => {
    async function openPlain(path = '/echo/websocket'): Promise<Peer> {
      const peer = bed.connect(path)
      await once(peer.socket, 'open')
      return peer
    }

    it('carries each message as it is, and says nothing first', async () => {
      const peer = await openPlain()
      for (const text of ['Hello world!\uffff', '["a"]', ' ', '"', '{"a":1}']) {
        peer.socket.send(text)
        expect(await peer.frames.next()).to.equal(text)
      }
    })

    // To the protocol a frame is a message, whatever is in it. TokenSocket's messages are JSON, which needs no line
    // breaks: one frame carries several, one on each line.
    it('carries a message on each line', async () => {
      const peer = await openPlain()
      peer.socket.send('a\n\nb\n')
      expect(await peer.frames.take(2)).to.deep.equal(['a', 'b'])
    })

    it('ends with the code, without a close frame', async () => {
      const peer = await openPlain('/close/websocket')
      expect(await peer.closed).to.deep.equal([3000, 'Go away!'])
      expect(peer.frames.rest).to.deep.equal([])
    })
  })

  describe('close codes', () => {
    for (const path of ['/echo/0/0/websocket', '/echo/websocket']) {
      const connect = async () => {
        const peer = bed.connect(path)
        await once(peer.socket, 'open')
        return peer
      }

      it(`${path} answers the client’s with the same`, async () => {
        for (const code of [1000, 3000, 4999]) {
          const peer = await connect()
          peer.socket.close(code, 'bye')
          expect((await peer.closed)[0]).to.equal(code)
        }
      })

      it(`${path} has 1003 for a binary frame`, async () => {
        const peer = await connect()
        peer.socket.send(Buffer.from('["a"]'))
        expect((await peer.closed)[0]).to.equal(1003)
      })

      it(`${path} has 1007 for what is not UTF-8`, async () => {
        const peer = await connect()
        peer.socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false })
        expect((await peer.closed)[0]).to.equal(1007)
      })

      it(`${path} has 1009 for a frame that is too large`, async () => {
        const peer = await connect()
        peer.socket.send(`"${'x'.repeat(1024 * 1024 + 1)}"`)
        expect((await peer.closed)[0]).to.equal(1009)
      })

      it(`${path} has 1002 for a frame that is not masked`, async () => {
        const exchange = await handshake(path, ...UPGRADE, KEY, V13)
        await exchange.matching(/\r\n\r\n/)
        exchange.write('\x01\x01a')
        // A close frame of two bytes, which are 1002.
        expect((await exchange.ended()).endsWith('\x88\x02\x03\xea')).to.equal(true)
      })
    }
  })

  describe('where it is switched off', () => {
    for (const path of ['/disabled_websocket_echo/0/0/websocket', '/disabled_websocket_echo/websocket']) {
      it(`${path} is not found, by GET or upgrade`, async () => {
        expect((await bed.get(path)).status).to.equal(404)
        const exchange = await handshake(path, ...UPGRADE, KEY, V13)
        expect(await exchange.ended()).to.match(/^HTTP\/1.1 404 /)
      })
    }

    it('leaves the other transports as they are', async () => {
      const session = await bed.open('/disabled_websocket_echo')
      await bed.say(session, '["a"]')
      expect((await bed.post(`${session}/xhr`)).body).to.equal('a["a"]\n')
    })
  })
})
