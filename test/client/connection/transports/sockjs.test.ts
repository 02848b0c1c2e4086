import { createRequire } from 'node:module'
import { expect } from 'chai'
import sinon from 'sinon'
// @ts-expect-error it has no types
import BufferedSenderModule from 'sockjs-client/lib/transport/lib/buffered-sender.js'
import { loadSockJS as globalSockJS } from '#client/connection/transports/global-sockjs.js'
import { loadSockJS } from '#client/connection/transports/load-sockjs.js'
import { createWebSocket } from '#client/connection/transports/native-websocket.js'
import { openSockJS } from '#client/connection/transports/sockjs.js'
import { FakeSocket } from '../../fake-socket.js'
import { restoreGlobals, setGlobal } from '../../globals.js'
import { errorOf, until } from '../../waiting.js'

/** The sender of sockjs-client itself. */
const BufferedSender = BufferedSenderModule as new (
  url: string,
  sender: (url: string, body: string, callback: (error?: Error) => void) => () => void,
) => { send(text: string): void }

describe('the transports of browsers', () => {
  beforeEach(() => {
    FakeSocket.made.length = 0
  })

  afterEach(restoreGlobals)

  describe('openSockJS', () => {
    it('gives SockJS the URL and its options, and tells which transport it chose', async () => {
      setGlobal('SockJS', FakeSocket)
      const options = { transports: ['xhr-polling'] }
      const opening = openSockJS('http://x/sockets', options, new AbortController().signal)
      await until(() => FakeSocket.made.length)
      const [socket] = FakeSocket.made
      expect(socket?.parameters).to.deep.equal(['http://x/sockets', null, options])
      if (socket) socket.transport = 'xhr-polling'
      socket?.play('open')
      expect((await opening).transport).to.equal('xhr-polling')
    })

    it('sends each message on its own, and passes on what comes as it is', async () => {
      setGlobal('SockJS', FakeSocket)
      const opening = openSockJS('http://x/sockets', {}, new AbortController().signal)
      await until(() => FakeSocket.made.length)
      FakeSocket.made[0]?.play('open')
      const connection = await opening
      connection.send(['1', '2'])
      const messages: unknown[] = []
      connection.listen({ message: (one) => messages.push(one), closed: () => {} })
      FakeSocket.made[0]?.play('message', { data: { not: 'text' } })
      expect(FakeSocket.made[0]?.sent).to.deep.equal(['1', '2'])
      expect(messages).to.deep.equal([{ not: 'text' }])
    })

    it('closes SockJS, and starts no request that SockJS was to start in a moment', async () => {
      setGlobal('SockJS', FakeSocket)
      const opening = openSockJS('http://x/sockets', {}, new AbortController().signal)
      await until(() => FakeSocket.made.length)
      const [socket] = FakeSocket.made
      socket?.play('open')
      let starts = 0
      const request = (xhr?: object) => ({ xhr, _start: () => (starts += 1) })
      const [idle, running] = [request(), request({})]
      const connection = await opening
      for (const xo of [idle, running, null]) {
        Object.assign(socket ?? {}, { _transport: { poll: { poll: { xo } } } })
        connection.close(1000, 'enough')
      }
      idle._start()
      expect(starts).to.equal(0)
      running._start()
      expect(starts).to.equal(1)
      expect(socket?.closes).to.deep.equal(Array(3).fill([1000, 'enough']))
    })

    describe('by the sender of SockJS’s HTTP transports', () => {
      /** Bytes that a server with the smallest limit takes by `xhr_send`. */
      const SMALLEST = 3 * 32_768 + 16

      /** A connection whose bodies are taken one after the other, when `next` is called. */
      async function openSender() {
        setGlobal('SockJS', FakeSocket)
        const opening = openSockJS('http://x/sockets', {}, new AbortController().signal)
        await until(() => FakeSocket.made.length)
        const [socket] = FakeSocket.made
        const bodies: string[] = []
        let taken: ((error?: Error) => void) | undefined
        const sender = new BufferedSender('http://x', (_, body, callback) => {
          bodies.push(body)
          taken = callback
          return () => {}
        })
        if (socket) {
          socket._transport = sender
          socket.send = (text) => sender.send(JSON.stringify(text))
        }
        socket?.play('open')
        const connection = await opening
        const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
        const next = () => {
          const count = bodies.length
          taken?.()
          clock.tick(25)
          return bodies.length > count
        }
        return { connection, bodies, next, done: () => clock.restore() }
      }

      for (const [what, text] of Object.entries({
        ASCII: 'x',
        quotes: '"',
        'three bytes': '漢',
        'four bytes': '😀',
      })) {
        for (const length of [1, 300, 12_000, 30_000, 70_000]) {
          it(`sends everything in order, in bodies that a server takes (${what}, ${length} long)`, async () => {
            const { connection, bodies, next, done } = await openSender()
            try {
              const sent = Array.from({ length: 40 }, (_, index) => `${index} ${text.repeat(length)}`)
              connection.send(sent.slice(0, 20))
              connection.send(sent.slice(20))
              while (next());
              const parsed = bodies.map((body) => JSON.parse(body) as string[])
              expect(parsed.flat()).to.deep.equal(sent)
              for (const [index, body] of bodies.entries())
                if (parsed[index]?.length !== 1) expect(Buffer.byteLength(body)).to.be.at.most(SMALLEST)
              if (length <= 300) expect(bodies.length).to.be.below(5)
            } finally {
              done()
            }
          })
        }
      }

      it('sends what comes while a body is on its way after what waits', async () => {
        const { connection, bodies, next, done } = await openSender()
        try {
          const large = 'x'.repeat(40_000)
          connection.send([`1${large}`, `2${large}`, `3${large}`])
          next()
          connection.send(['4'])
          while (next());
          expect(bodies.flatMap((body) => JSON.parse(body) as string[]).map((text) => text[0])).to.deep.equal(
            ['1', '2', '3', '4'],
          )
        } finally {
          done()
        }
      })
    })

    it('opens nothing when it is given up while SockJS loads', async () => {
      setGlobal('SockJS', FakeSocket)
      const opening = openSockJS('http://x/sockets', {}, AbortSignal.abort(new Error('enough')))
      expect(await errorOf(opening)).to.have.property('message', 'enough')
      expect(FakeSocket.made).to.deep.equal([])
    })
  })

  it('loadSockJS loads the module when the page has no SockJS', async () => {
    const SockJS = createRequire(import.meta.url)('sockjs-client/dist/sockjs.min.js')
    expect(await loadSockJS()).to.equal(SockJS)
    expect(SockJS).to.have.property('CLOSING')
  })

  it('loadSockJS of the script-tag build takes the page’s SockJS only', async () => {
    expect(await errorOf(globalSockJS()))
      .to.have.property('message')
      .that.includes('token-socket.fallback.min.js')
    setGlobal('SockJS', FakeSocket)
    expect(await globalSockJS()).to.equal(FakeSocket)
  })

  it('createWebSocket opens the platform’s WebSocket', () => {
    setGlobal('WebSocket', FakeSocket)
    createWebSocket('ws://x/sockets/websocket', { Cookie: 'ignored' })
    expect(FakeSocket.made[0]?.parameters).to.deep.equal(['ws://x/sockets/websocket'])
  })
})
