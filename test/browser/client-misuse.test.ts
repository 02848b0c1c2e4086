import type { TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { until } from '../client/waiting.js'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, endSocket, Site, uncaughtIn } from './site.js'

/** Options that a page may get wrong, as it would write them; and what each has to be. */
const WRONG: Readonly<Record<keyof TokenSocketOptions, readonly [what: string, ...values: string[]]>> = {
  host: ['a string', 'location', 'new URL(location.href)', '5'],
  port: ['a port number', '"8080"', '0', '1.5', '70000', 'NaN'],
  headers: ['an object of strings', '"Cookie: a"', '{ Cookie: 1 }', '[]'],
  tokenPath: ['a path that starts with /', '"socket/token"', '5', '/token/'],
  socketPrefix: ['a path that starts with /', '"sockets"', 'null'],
  reconnect: ['a boolean', '"no"', '0'],
  authentication: ['an object or a function', '"key=1"', 'null', '[1]'],
  token: ['a string or a function', '""', '5', '{}'],
  url: ['a function', '"http://localhost"', '{}'],
  tokenAttempts: ['a number above 0', '0', '"2"'],
  lazy: ['a boolean', '"yes"'],
  sockjs: ['an object', '["xhr-polling"]', '"xhr-polling"'],
  transports: ['a list of "websocket" and "sockjs"', '[]', '"websocket"', '["WebSocket"]', '{}'],
  webSocket: ['a function', 'null', '{}'],
  ping: ['a number, 0 or above', '"1000"', '-1', 'NaN', 'true'],
  ready: ['a function', 'true', '{}'],
  onreconnect: ['a function', '"later"'],
  jsonp: ['a boolean', '1', '"true"'],
  retryRateLimited: ['a boolean', '1', '"true"'],
  legacy: ['a boolean', '1', '"true"'],
  plainErrors: ['a boolean', '1', '"true"'],
  callTimeout: ['a number, 0 or above', '"30s"', 'NaN', '-1'],
  connectTimeout: ['a number above 0', '0', '"1"', 'NaN'],
  queueSize: ['a number, 0 or above', '-1', '"many"'],
  limits: ['an object of numbers above 0', '3', '{ callsOut: "5" }', '{ callsIn: 0 }'],
  logger: ['an object of functions', '"console"', '{ debug: 5 }', '{ warn: true }'],
  logLevel: ['"debug", "warn" or "none"', '"loud"', 'true'],
}

/** Calls that a page may get wrong, and the codes that they are refused with. */
const CALLS: Readonly<Record<string, string>> = {
  'socket.rpc("")': 'bad_message',
  'socket.rpc("x".repeat(300))': 'too_long',
  'socket.rpc("echo", 1n)': 'unserializable',
  'socket.rpc("echo", window)': 'unserializable',
  'socket.rpc("echo", Symbol("a"))': 'unserializable',
  'socket.rpc("echo", () => 1, () => 2)': 'unserializable',
  'socket.rpc("echo", { toJSON() { throw new Error("no") } })': 'unserializable',
  'socket.rpc("toString")': 'not_found',
  'socket.rpc("__proto__.x")': 'not_found',
  'socket.subscribe()': 'bad_message',
  'socket.subscribe(5)': 'bad_message',
  'socket.subscribe({})': 'bad_message',
  'socket.subscribe("x".repeat(300))': 'too_long',
  'socket.unsubscribe(null)': 'bad_message',
  'socket.publish()': 'bad_message',
  'socket.publish("a", 1n)': 'unserializable',
  'socket.broadcast(() => 1)': 'unserializable',
}

describe('a page that misuses the client', () => {
  let chromium: OpenBrowser
  let site: Site
  let page: Page
  let uncaught: string[]

  before(async function () {
    this.timeout(120_000)
    site = await Site.open({ sockets: {} })
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    uncaught = uncaughtIn(page)
    await page.goto(`${site.origin}/sign-in`)
    await page.goto(`${site.origin}/`)
  })

  afterEach(async () => {
    await endSocket(page)
    expect(uncaught.splice(0)).to.deep.equal([])
  })

  after(async () => {
    await chromium?.close()
    await site?.close()
  })

  /** What a statement, as a page would have it, throws there. */
  const thrownBy = (statement: string): Promise<unknown> =>
    page.evaluate(`(() => {
      try {
        ${statement}
      } catch (error) {
        const { name, code, message, data } = error
        return { name, code, message, data, isOurs: error instanceof TokenSocket.RpcError }
      }
      throw new Error('it threw nothing')
    })()`)

  describe('by an option', () => {
    for (const [name, [what, ...values]] of Object.entries(WRONG)) {
      it(`of the wrong type is told so: \`${name}\``, async () => {
        for (const value of values) {
          expect(await thrownBy(`new TokenSocket({ ${name}: ${value} })`), value).to.deep.equal({
            name: 'RpcError',
            code: 'bad_option',
            message: `Invalid option: ${name} has to be ${what}`,
            data: { field: name },
            isOurs: true,
          })
        }
      })
    }

    for (const host of [
      '"ftp://example.com"',
      '"http://"',
      '"http://a:b"',
      '"https://ann:pass@example.com"',
    ]) {
      it(`is told that ${host} is no host`, async () => {
        const message =
          'Invalid option: host has to be a host name, or an http or https URL, without credentials'
        expect(await thrownBy(`new TokenSocket({ host: ${host} })`)).to.include({
          code: 'bad_option',
          message,
        })
      })
    }

    for (const options of ['"localhost"', '5', '[]', '() => {}', 'false']) {
      it(`is told that ${options} are no options`, async () => {
        const error = await thrownBy(`new TokenSocket(${options})`)
        expect(error).to.deep.include({ code: 'bad_option', data: { field: 'options' } })
      })
    }

    it('makes no request then', async () => {
      const requests: string[] = []
      const note = (request: { url(): string }) => requests.push(request.url())
      page.on('request', note)
      await thrownBy('new TokenSocket({ ping: "1000" })')
      // The answer to a request comes after all those that were made before it.
      await page.evaluate(() => fetch('/').then(() => {}))
      page.off('request', note)
      expect(requests.map((url) => new URL(url).pathname)).to.deep.equal(['/'])
    })

    it('may give `null` for none, as to the legacy client', async () => {
      expect(await page.evaluate('(socket = new TokenSocket(null)).ready()')).to.equal(undefined)
    })

    it('is told to use `new`', async () => {
      expect(await thrownBy('TokenSocket()')).to.include({ name: 'TypeError', isOurs: false })
    })
  })

  describe('by a call', () => {
    for (const [call, code] of Object.entries(CALLS)) {
      it(`is told so, and the socket goes on: ${call}`, async () => {
        await connect(page)
        const found = await page.evaluate(`${call}.then(String, ({ code }) => code)`)
        expect(found).to.equal(code)
        expect(await page.evaluate(() => window.socket.rpc('echo', 'still here'))).to.equal('still here')
      })
    }

    it('is told that a listener is no function', async () => {
      await connect(page)
      for (const call of ['onmessage()', 'onreconnect(5)']) {
        expect(await thrownBy(`socket.${call}`), call).to.deep.equal({
          name: 'RpcError',
          code: 'bad_message',
          message: 'Invalid message: listener: function',
          data: { field: 'listener' },
          isOurs: true,
        })
      }
      // The emitter's own methods throw as in Node.
      expect(await thrownBy('socket.on("message", "x")')).to.include({ name: 'TypeError', isOurs: false })
    })

    it('with callbacks and listeners that throw hears each of them, and loses nothing', async () => {
      await connect(page)
      const got = await page.evaluate(async () => {
        const messages: unknown[] = []
        window.socket.on('message', () => Promise.reject(new Error('rejected')))
        window.socket.on('message', () => {
          throw new Error('listener')
        })
        window.socket.on('message', (_channel, message) => messages.push(message))
        await window.socket.subscribe('news', () => {
          throw new Error('subscribed')
        })
        await window.socket.publish('news', 1, () => {
          throw new Error('published')
        })
        const answer = await window.socket.rpc('echo', 'still here', () => {
          throw new Error('called')
        })
        return [...messages, answer]
      })
      expect(got).to.deep.equal([1, 'still here'])
      await until(() => uncaught.length >= 5)
      const thrown = ['rejected', 'listener', 'subscribed', 'published', 'called'].map(
        (what) => `Error: ${what}`,
      )
      expect(uncaught.splice(0)).to.have.members(thrown)
    })
  })

  describe('by its actions', () => {
    for (const actions of [
      'null',
      '"none"',
      '5',
      '[]',
      '{ ask: 5 }',
      '{ ask: null }',
      '{ ask: { ask: 1 } }',
    ]) {
      it(`answers the server’s calls with \`not_found\`: ${actions}`, async () => {
        await page.evaluate(`(socket = new TokenSocket({}, ${actions})).ready()`)
        const [socket] = site.sockets.sockets()
        const code = await socket?.rpc('ask').catch((error) => error.code)
        expect(code).to.equal('not_found')
      })
    }
  })

  it('by loading the script twice has two classes, whose sockets work side by side', async () => {
    const answers = await page.evaluate(async () => {
      const First = window.TokenSocket
      await new Promise((resolve) => {
        const script = document.createElement('script')
        script.src = '/sockets/token-socket.min.js'
        script.onload = resolve
        document.head.append(script)
      })
      const sockets = [new First(), new window.TokenSocket(), new First()]
      const texts = await Promise.all(sockets.map((socket, n) => socket.rpc('echo', n)))
      await Promise.all(sockets.map((socket) => socket.end()))
      return [First !== window.TokenSocket, ...texts]
    })
    expect(answers).to.deep.equal([true, 0, 1, 2])
  })
})
