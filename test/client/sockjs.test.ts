import { createRequire } from 'node:module'
import { expect } from 'chai'
import { loadSockJS as globalSockJS } from '../../packages/client/src/transports/global-sockjs.js'
import { loadSockJS } from '../../packages/client/src/transports/load-sockjs.js'
import { createWebSocket } from '../../packages/client/src/transports/native-websocket.js'
import { openSockJS } from '../../packages/client/src/transports/sockjs.js'
import { FakeSocket } from './fake-socket.js'
import { restoreGlobals, setGlobal } from './globals.js'
import { errorOf, until } from './waiting.js'

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
