import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { TokenSocket, TokenSocketOptions } from '@token-socket/client'
import { RpcError, TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import session from 'express-session'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { ALL_TRANSPORTS, EVERY_TRANSPORT } from './sockjs-transports.js'

declare global {
  interface Window {
    /** What the script tag defines. */
    TokenSocket: typeof TokenSocket
    /** The socket of the test that runs. */
    socket: TokenSocket
    /** The messages that have come on it. */
    messages: [channel: string, message: unknown][]
    /** How often it has come back. */
    reconnects: number
    /** Makes the socket and waits until it is ready. */
    connect(options: TokenSocketOptions): Promise<void>
  }
}

const PAGE = `<!doctype html>
<title>Two script tags</title>
<link rel="icon" href="data:,">
<script src="/sockjs.min.js"></script>
<script src="/sockets/token-socket.min.js"></script>
<script>
  var actions = {
    double: function (data, callback) { callback(null, data * 2) },
    inner: { triple: function (data) { return Promise.resolve(data * 3) } },
    fail: function (data, callback) { callback({ code: 'no', message: 'No' }) },
  }
  function connect(options) {
    messages = []
    reconnects = 0
    socket = new TokenSocket(options, actions)
    socket.onmessage(function (channel, message) { messages.push([channel, message]) })
    socket.onreconnect(function (error) { if (!error) reconnects += 1 })
    return socket.ready()
  }
</script>`

/** Each way to connect: the options, what `transport` says then, and the path that is asked for. */
const WAYS: Readonly<Record<string, readonly [TokenSocketOptions, transport: string, path: RegExp]>> = {
  'plain WebSocket': [{}, 'websocket', /^\/sockets\/websocket$/],
  ...Object.fromEntries(
    ALL_TRANSPORTS.map(({ name, path }) => [`SockJS’s ${name}`, [viaSockJS(name), name, path] as const]),
  ),
  'xhr-polling, chosen as in the legacy client': [
    { sockjs: { transports: ['xhr-polling'] } },
    'xhr-polling',
    /\/xhr$/,
  ],
}

function viaSockJS(name: string): TokenSocketOptions {
  return { transports: ['sockjs'], sockjs: { transports: [name] } }
}

/** An application where everybody is signed in, and a page with two script tags. */
class Site {
  readonly #app = express()
  readonly #server = createServer(this.#app)
  readonly sockets: TokenSocketServer

  constructor() {
    const require = createRequire(import.meta.url)
    const secret = 'only a test'
    this.#app.use(session({ secret, resave: false, saveUninitialized: true }), (request, _response, next) => {
      Object.assign(request.session, { auth: true, name: 'Ada' })
      next()
    })
    this.#app.get('/', (_request, response) => void response.send(PAGE))
    const sockjs = require.resolve('sockjs-client/dist/sockjs.min.js')
    this.#app.get('/sockjs.min.js', (_request, response) => response.sendFile(sockjs, { dotfiles: 'allow' }))
    this.sockets = new TokenSocketServer({
      app: this.#app,
      server: this.#server,
      secret,
      ...EVERY_TRANSPORT,
      socketController: {
        echo: (_auth, data) => data,
        who: (auth) => auth,
        deeply: { nested: { add: (_auth, { a, b }: { a: number; b: number }) => a + b } },
        refuse: () => {
          throw new RpcError('refused', 'Not today', { until: 'tomorrow' })
        },
        askBack: async (_auth, name, _callback, socket) => ({ said: await socket.rpc(String(name), 20) }),
        cutMe: (_auth, _data, _callback, socket) => void setImmediate(() => socket.end()),
      },
    })
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, resolve)
    })
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/`
  }

  async close(): Promise<void> {
    await this.sockets.shutdown()
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

describe('the client as a script tag', () => {
  let site: Site
  let chromium: OpenBrowser
  let page: Page
  const urls: URL[] = []
  const problems: string[] = []

  before(async function () {
    this.timeout(120_000)
    site = new Site()
    const address = await site.open()
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    page.on('request', (request) => urls.push(new URL(request.url())))
    page.on('websocket', (socket) => urls.push(new URL(socket.url())))
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(address)
  })

  after(async () => {
    await chromium?.close()
    await site?.close()
  })

  for (const [way, [options, transport, path]] of Object.entries(WAYS)) {
    describe(`over ${way}`, () => {
      beforeEach(async () => {
        urls.splice(0)
        await page.evaluate((settings) => window.connect(settings), options)
      })

      afterEach(async () => {
        await page.evaluate(() => window.socket.end())
        // A script that is on its way keeps one of the browser's six connections until the page goes.
        if (transport === 'jsonp-polling') await page.reload()
      })

      /** Waits for so many messages. @returns them */
      const received = async (count: number) => {
        await page.waitForFunction((wanted) => window.messages.length >= wanted, count)
        return page.evaluate(() => window.messages)
      }

      it('is ready, by this transport, with no token in any address', async () => {
        expect(await page.evaluate(() => [window.socket.state, window.socket.transport])).to.deep.equal([
          'ready',
          transport,
        ])
        expect(urls.some(({ pathname }) => path.test(pathname))).to.equal(true)
        expect(urls.filter(({ href }) => href.includes('eyJ'))).to.deep.equal([])
      })

      it('calls the server', async () => {
        const data = { text: 'ä\u2028\n"😀', list: [1, null, true] }
        expect(await page.evaluate((value) => window.socket.rpc('echo', value), data)).to.deep.equal(data)
        expect(await page.evaluate(() => window.socket.rpc('who'))).to.include({ name: 'Ada' })
      })

      it('calls nested functions', async () => {
        const sum = await page.evaluate(() => window.socket.rpc('deeply.nested.add', { a: 2, b: 3 }))
        expect(sum).to.equal(5)
      })

      it('gets errors with their code and data', async () => {
        const errors = await page.evaluate(() =>
          Promise.all(
            ['refuse', 'not.there'].map((name) =>
              window.socket.rpc(name).then(
                () => undefined,
                ({ code, message, data }) => ({ code, message, data }),
              ),
            ),
          ),
        )
        expect(errors).to.deep.equal([
          { code: 'refused', message: 'Not today', data: { until: 'tomorrow' } },
          { code: 'not_found', message: 'Function not found: not.there', data: { function: 'not.there' } },
        ])
      })

      it('is called by the server', async () => {
        const answers = await page.evaluate(() =>
          Promise.all(['double', 'inner.triple'].map((name) => window.socket.rpc('askBack', name))),
        )
        expect(answers).to.deep.equal([{ said: 40 }, { said: 60 }])
        const failure = await page.evaluate(() =>
          window.socket
            .rpc('askBack', 'fail')
            .catch(({ code, data }: { code: string; data: unknown }) => ({ code, data })),
        )
        expect(failure).to.deep.equal({ code: 'nested_failed', data: { code: 'no', function: 'fail' } })
      })

      it('gets 200 messages of a channel, in order', async () => {
        await page.evaluate(() => window.socket.subscribe('news'))
        await page.evaluate(() => {
          for (let n = 0; n < 100; n += 1) window.socket.publish('news', n)
          return window.socket.publish('news', 100)
        })
        for (let n = 101; n < 200; n += 1) void site.sockets.publish('news', n)
        const wanted = Array.from({ length: 200 }, (_, n) => ['news', n])
        expect(await received(200)).to.deep.equal(wanted)
      })

      it('broadcasts to every channel', async () => {
        await page.evaluate(async () => {
          await Promise.all([window.socket.subscribe('one'), window.socket.subscribe('two')])
          await window.socket.broadcast({ all: true })
        })
        expect(await received(2)).to.have.deep.members([
          ['one', { all: true }],
          ['two', { all: true }],
        ])
      })

      it('gets nothing of a channel after unsubscribing', async () => {
        await page.evaluate(async () => {
          await Promise.all([window.socket.subscribe('one'), window.socket.subscribe('two')])
          await window.socket.unsubscribe('one')
          await window.socket.publish('one', 'unheard')
          await window.socket.publish('two', 'heard')
        })
        expect(await received(1)).to.deep.equal([['two', 'heard']])
        expect(await page.evaluate(() => window.socket.channels())).to.deep.equal(['two'])
      })

      it('comes back, subscribed, after the server closed it', async () => {
        await page.evaluate(async () => {
          await window.socket.subscribe('news')
          window.socket.rpc('cutMe').catch(() => {})
        })
        await page.waitForFunction(() => window.reconnects === 1)
        const answer = await page.evaluate(async () => {
          await window.socket.publish('news', 'again')
          return window.socket.rpc('echo', 'back')
        })
        expect(answer).to.equal('back')
        expect(await received(1)).to.deep.equal([['news', 'again']])
      })
    })
  }

  describe('in the end', () => {
    it('had no errors in the console', () => {
      expect(problems).to.deep.equal([])
    })
  })
})
