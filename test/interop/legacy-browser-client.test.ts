import { RpcError, type ServerController, type ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { type OpenBrowser, openBrowser } from '../browser/chromium.js'
import {
  CROSS_ORIGIN_TRANSPORTS,
  EVERY_TRANSPORT,
  OTHER_TRANSPORTS,
  type SockJSTransport,
  USUAL_TRANSPORTS,
} from '../browser/sockjs-transports.js'
import { errorOf, until } from '../client/waiting.js'
import { type LegacyClientOptions, LegacyPage } from './legacy-page.js'
import { NewServer, type NewServerOptions } from './new-server.js'

const socketController: ServerController = {
  echo: (_auth: unknown, data: unknown, callback) => callback(null, data),
  whoami: (auth: unknown, _data: unknown, callback) => callback(null, auth),
  nested: { deeper: { name: (_auth, _data, callback) => callback(null, 'nested.deeper.name') } },
  failText: (_auth, _data, callback) => callback('no more'),
  failObject: (_auth, _data, callback) => callback({ status: 402 }),
  failError: (_auth, _data, callback) => callback(Object.assign(new Error('No stock'), { left: 0 })),
  failList: (_auth, _data, callback) => callback([new Error('one'), { two: 2 }]),
  failRpcError: () => {
    throw new RpcError('sold_out', 'Sold out', { left: 0 })
  },
  throws: () => {
    throw new Error('secret')
  },
}

describe('the old browser client on the new server', function () {
  this.timeout(120_000)
  let chromium: OpenBrowser
  let server: NewServer
  let page: LegacyPage

  before(async () => {
    chromium = await openBrowser()
  })

  after(() => chromium.close())

  afterEach(async () => {
    const { uncaught } = page
    await page.close()
    await server.stop()
    expect(uncaught, 'uncaught errors of the page').to.deep.equal([])
  })

  async function open(client: LegacyClientOptions, options: NewServerOptions = {}): Promise<ServerSocket> {
    server = await NewServer.create({ socketController, ...options })
    page = await LegacyPage.load(chromium.browser, `${server.origin}/sign-in`)
    expect(await page.open(client), 'ready’s error').to.equal(null)
    return theSocket()
  }

  function theSocket(): ServerSocket {
    const [socket, ...others] = server.sockets.sockets()
    if (!socket || others.length > 0) throw new Error(`there are ${others.length + (socket ? 1 : 0)} sockets`)
    return socket
  }

  /** What the legacy client does on every transport. */
  function works({ name, carrier }: SockJSTransport, options: NewServerOptions = {}): void {
    const client = { sockjs: { transports: [name] } }

    it('is ready, and known by its session', async () => {
      const socket = await open(client, options)
      expect(socket.transport).to.equal(carrier)
      expect(socket.auth).to.deep.equal({ auth: { user: 'ada' } })
      expect(await page.call('rpc', 'whoami', {})).to.deep.equal([null, { auth: { user: 'ada' } }])
    })

    it('answers calls of the server', async () => {
      const socket = await open(client, options)
      expect(await socket.rpc('echo', { a: [1] })).to.deep.equal({ a: [1] })
      expect(await socket.rpc('later', 5)).to.equal(5)
      expect(await socket.rpc('nested.deeper.name')).to.equal('nested.deeper.name')
      await page.register('added')
      expect(await socket.rpc('added', 1)).to.deep.equal(['added', 1])
    })

    it('subscribes, gets messages in order, and unsubscribes', async () => {
      const socket = await open(client, options)
      expect(await page.call('subscribe', 'news')).to.deep.equal([null, null])
      expect(socket.channels).to.deep.equal(['news'])
      for (let number = 0; number < 5; number++) server.sockets.publish('news', { number })
      for (let number = 0; number < 5; number++) {
        expect(await page.next('message')).to.deep.equal(['news', { number }])
      }
      expect(await page.call('unsubscribe', 'news')).to.deep.equal([null, null])
      expect(socket.channels).to.deep.equal([])
      await server.sockets.publish('news', 'too late')
      await socket.rpc('echo', 'sent after it')
      expect(await page.untaken('message')).to.equal(0)
      expect(await page.channels()).to.deep.equal([])
    })

    it('comes back and subscribes again when the server closes its connection', async () => {
      const socket = await open(client, options)
      await page.call('subscribe', 'news')
      socket.end()
      expect(await page.next('reconnect')).to.deep.equal([null])
      await until(() => server.sockets.channelSockets('news').length === 1)
      expect(theSocket()).to.not.equal(socket)
      await server.sockets.publish('news', 'back')
      expect(await page.next('message')).to.deep.equal(['news', 'back'])
      expect(await theSocket().rpc('echo', 1)).to.equal(1)
    })
  }

  for (const transport of USUAL_TRANSPORTS) {
    describe(`over ${transport.name}`, () => {
      const client = { sockjs: { transports: [transport.name] } }

      works(transport)

      it('calls functions of the server, by nested names too', async () => {
        await open(client)
        const data = { text: 'ä\u2028"\\\n', list: [1, null, { deep: true }] }
        expect(await page.call('rpc', 'echo', data)).to.deep.equal([null, data])
        expect(await page.call('rpc', 'nested.deeper.name', {})).to.deep.equal([null, 'nested.deeper.name'])
      })

      it('gets each answer in its own callback when many calls are made at once', async () => {
        await open(client)
        const numbers = Array.from({ length: 50 }, (_, index) => index)
        const answers = await Promise.all(numbers.map((number) => page.call('rpc', 'echo', { number })))
        expect(answers).to.deep.equal(numbers.map((number) => [null, { number }]))
      })

      it('gets errors in the shapes that the legacy server gave them', async () => {
        await open(client)
        const refusalOf = async (name: string) => (await page.call('rpc', name, {}))[0]
        expect(await refusalOf('nowhere')).to.equal('Function not found')
        expect(await refusalOf('nested.deeper')).to.equal('Function not found')
        expect(await refusalOf('failText')).to.equal('no more')
        expect(await refusalOf('failObject')).to.deep.equal({ status: 402 })
        expect(await refusalOf('failError')).to.deep.equal({ message: 'No stock', left: 0 })
        expect(await refusalOf('failList')).to.deep.equal([{ message: 'one' }, { two: 2 }])
      })

      it('gets an error where the legacy server would have ended: a throw, an inherited name', async () => {
        await open(client)
        const refusalOf = async (name: string) => (await page.call('rpc', name, {}))[0]
        expect(await refusalOf('throws')).to.equal('Internal error')
        expect(await refusalOf('failRpcError')).to.deep.equal({
          message: 'Sold out',
          code: 'sold_out',
          data: { left: 0 },
        })
        for (const name of ['toString', '__defineGetter__', 'constructor', '__proto__']) {
          expect(await refusalOf(name), name).to.equal('Function not found')
        }
      })

      it('answers calls of the server with errors', async () => {
        const socket = await open(client)
        const fieldsOf = async (name: string) => {
          const { code, message, data } = await errorOf(socket.rpc(name))
          return [code, message, data]
        }
        const code = 'application_error'
        expect(await fieldsOf('failText')).to.deep.equal([code, 'no such theme', undefined])
        expect(await fieldsOf('failError')).to.deep.equal([code, 'no such error', undefined])
        expect((await fieldsOf('failObject'))[2]).to.deep.equal({ status: 402 })
      })

      it('never answers for a function that it does not have, which the server notices', async () => {
        const socket = await open(client)
        expect((await errorOf(socket.rpc('nowhere', {}, { timeout: 20 }))).code).to.equal('timeout')
        expect(await socket.rpc('echo', 1)).to.equal(1)
      })

      it('is called in the place of notifications, and answers for nobody', async () => {
        const socket = await open(client)
        const failures: unknown[] = []
        server.sockets.on('error', (cause, details) => {
          const { function: name, step } = details as { readonly function?: string; readonly step?: string }
          failures.push([(cause as RpcError).code, name, step])
        })
        for (const name of ['echo', 'nowhere', 'failText']) await socket.notify(name, 1)
        expect(await socket.rpc('echo', 1)).to.equal(1)
        expect(failures).to.deep.equal([['application_error', 'failText', 'notification']])
      })

      it('publishes and broadcasts, and now hears when that is done', async () => {
        await open(client)
        await page.call('subscribe', 'one')
        await page.call('subscribe', 'two')
        const [error, receipt] = await page.call('publish', 'one', { foo: 'bar' })
        expect(error).to.equal(null)
        expect(receipt).to.have.property('id').that.has.length(26)
        expect(await page.next('message')).to.deep.equal(['one', { foo: 'bar' }])
        expect(await page.call('broadcast', { all: true })).to.deep.equal([null, null])
        const messages = [await page.next('message'), await page.next('message')]
        expect(messages).to.have.deep.members([
          ['one', { all: true }],
          ['two', { all: true }],
        ])
      })

      it('subscribes, publishes and unsubscribes without callbacks', async () => {
        const socket = await open(client)
        await page.tell('subscribe', 'news')
        await until(() => socket.channels.length === 1)
        await page.tell('publish', 'news', 1)
        expect(await page.next('message')).to.deep.equal(['news', 1])
        await page.tell('unsubscribe', 'news')
        await until(() => socket.channels.length === 0)
        expect(await page.call('rpc', 'echo', 1)).to.deep.equal([null, 1])
      })

      it('is told of refusals', async () => {
        await open(client)
        const refusalOf = async (...args: [string, ...unknown[]]) => (await page.call(...args))[0]
        server.sockets.on('subscribe', (_socket, _data, callback) => callback(null, false))
        server.sockets.on('unsubscribe', (_socket, _data, callback) => callback('not now', true))
        server.sockets.on('publish', (_socket, _data, callback) => callback(new Error('too loud')))
        server.sockets.on('broadcast', (_socket, _data, callback) => callback({ status: 402 }))
        expect(await refusalOf('subscribe', 'admin')).to.equal('Forbidden')
        expect(await refusalOf('unsubscribe', 'admin')).to.equal('not now')
        expect(await refusalOf('publish', 'admin', 1)).to.deep.equal({ message: 'too loud' })
        expect(await refusalOf('broadcast', 1)).to.deep.equal({ status: 402 })
        expect(server.sockets.channels()).to.deep.equal([])
      })

      it('pings, when asked to', async () => {
        await open(client)
        expect(await page.call('rpc', '_ping', {})).to.deep.equal([null, { message: 'pong' }])
      })

      it('pings by itself', async () => {
        let count = 0
        let third = () => {}
        const pinged = new Promise<void>((resolve) => {
          third = resolve
        })
        const _ping = () => {
          count += 1
          if (count === 3) third()
          return { message: 'pong' }
        }
        await open({ ...client, ping: 10 }, { socketController: { ...socketController, _ping } })
        await pinged
        expect(await page.call('rpc', 'echo', 1)).to.deep.equal([null, 1])
      })

      it('learns of channels that the server subscribes it to, and takes it off', async () => {
        const socket = await open(client)
        await server.sockets.subscribe(socket, 'news')
        await server.sockets.subscribe(socket, 'sport')
        await server.sockets.publish('news', 1)
        expect(await page.next('message')).to.deep.equal(['news', 1])
        expect(await page.channels()).to.deep.equal(['news', 'sport'])
        server.sockets.unsubscribe(socket, 'news')
        await socket.rpc('echo')
        expect(await page.channels()).to.deep.equal(['sport'])
        await server.sockets.unsubscribeAll('sport')
        await socket.rpc('echo')
        expect(await page.channels()).to.deep.equal([])
      })

      it('comes back and subscribes again when the server is restarted', async () => {
        await open(client)
        await page.call('subscribe', 'news')
        await server.restart()
        let event: readonly unknown[]
        do {
          event = await page.next('reconnect')
        } while (event[0] !== null)
        await until(() => server.sockets.channelSockets('news').length === 1)
        await server.sockets.publish('news', 'back')
        expect(await page.next('message')).to.deep.equal(['news', 'back'])
      })

      it('makes its calls later that were made while it was away', async () => {
        await open(client)
        await server.stop()
        expect((await page.next('reconnect'))[0]).to.have.property('Error')
        const answer = page.call('rpc', 'echo', 'later')
        await server.start()
        expect(await answer).to.deep.equal([null, 'later'])
      })

      it('may be called before it is let in, by a listener of authentication', async () => {
        let answer: unknown
        server = await NewServer.create({ socketController })
        server.sockets.on('authentication', (socket, auth, callback) => {
          server.sockets.rpc(socket, 'echo', auth, (_error, data) => {
            answer = data
            callback()
          })
        })
        page = await LegacyPage.load(chromium.browser, `${server.origin}/sign-in`)
        expect(await page.open(client)).to.equal(null)
        expect(answer).to.deep.equal({ auth: { user: 'ada' } })
      })

      it('ends', async () => {
        // sockjs-client starts a poll although it was closed just before: the session is over after the next heartbeat.
        await open(client, { pingInterval: 1000 })
        await page.end()
        await until(() => server.sockets.sockets().length === 0)
      })
    })
  }

  for (const transport of OTHER_TRANSPORTS) {
    describe(`over ${transport.name}, switched on`, () => works(transport, EVERY_TRANSPORT))
  }

  describe('and its token', () => {
    it('comes by XHR where the page does not name the host', async () => {
      await open({})
      expect(page.tokenRequests).to.deep.equal([['xhr', '/socket/token']])
    })

    it('comes by JSONP where the page names the host by its URL, though it is its own', async () => {
      server = await NewServer.create({ socketController })
      page = await LegacyPage.load(chromium.browser, `${server.origin}/sign-in`)
      expect(await page.open({ host: server.origin })).to.equal(null)
      expect(page.tokenRequests).to.have.length(1)
      expect(page.tokenRequests[0]?.[0]).to.equal('script')
      expect(await page.call('rpc', 'echo', 1)).to.deep.equal([null, 1])
    })

    for (const named of [false, true]) {
      it(`takes the authentication option along by ${named ? 'JSONP' : 'XHR'}`, async () => {
        server = await NewServer.create({
          socketController,
          authentication: ({ query: { callback, ...query } }) => query,
        })
        page = await LegacyPage.load(chromium.browser, `${server.origin}/`)
        const authentication = { foo: 'bar', deep: { er: 'ä&' }, empty: '' }
        const error = await page.open({ authentication, ...(named && { host: server.origin }) })
        expect(error).to.equal(null)
        // Express 5 reads the query without nesting, unless the application sets its parser to "extended".
        expect(theSocket().auth).to.deep.equal({ foo: 'bar', 'deep[er]': 'ä&' })
      })
    }

    it('is refused to a page that is not signed in', async () => {
      server = await NewServer.create()
      page = await LegacyPage.load(chromium.browser, `${server.origin}/`)
      expect(await page.open()).to.deep.equal({ Error: 'Forbidden' })
      expect(server.sockets.sockets()).to.deep.equal([])
    })

    describe('from another origin', () => {
      let other: NewServer

      beforeEach(async () => {
        other = await NewServer.create()
      })

      afterEach(() => other.stop())

      for (const { name, carrier } of CROSS_ORIGIN_TRANSPORTS) {
        it(`comes by JSONP if that origin is listed, and the socket works over ${name}`, async () => {
          const origins = [other.origin]
          server = await NewServer.create({ socketController, origins, ...EVERY_TRANSPORT })
          page = await LegacyPage.load(chromium.browser, `${server.origin}/sign-in`)
          await page.visit(`${other.origin}/`)
          const error = await page.open({ host: server.origin, sockjs: { transports: [name] } })
          expect(error).to.equal(null)
          expect(page.tokenRequests.map(([type]) => type)).to.deep.equal(['script'])
          expect(theSocket().transport).to.equal(carrier)
          expect(await page.call('rpc', 'echo', 1)).to.deep.equal([null, 1])
        })
      }

      it('is refused if that origin is not listed', async () => {
        server = await NewServer.create({ origins: ['https://elsewhere.example'] })
        page = await LegacyPage.load(chromium.browser, `${server.origin}/sign-in`)
        await page.visit(`${other.origin}/`)
        expect(await page.open({ host: server.origin })).to.deep.equal({
          Error: 'Error making jsonp request!',
        })
        expect(server.sockets.sockets()).to.deep.equal([])
      })
    })
  })
})
