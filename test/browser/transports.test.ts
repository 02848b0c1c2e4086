import { createRequire } from 'node:module'
import type { TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, Site, uncaughtIn } from './site.js'
import { ALL_TRANSPORTS, EVERY_TRANSPORT } from './sockjs-transports.js'
import { TcpProxy } from './tcp-proxy.js'

/** How many messages go each way at once. */
const MANY = 1000

/** SockJS's transports that no browser of today can run: they need Internet Explorer's `XDomainRequest`. */
const EXTINCT = ['xdr-streaming', 'xdr-polling']

function viaSockJS(name: string): TokenSocketOptions {
  return { transports: ['sockjs'], sockjs: { transports: [name] } }
}

/** Each way to connect: the options, and what `transport` says then. */
const WAYS: Readonly<Record<string, readonly [TokenSocketOptions, transport: string]>> = {
  'plain WebSocket': [{}, 'websocket'],
  ...Object.fromEntries(
    ALL_TRANSPORTS.map(({ name }) => [`SockJS’s ${name}`, [viaSockJS(name), name] as const]),
  ),
}

describe('a transport in a browser', function () {
  this.timeout(120_000)

  let site: Site
  let proxy: TcpProxy
  let chromium: OpenBrowser
  let page: Page
  let uncaught: string[]
  /** What the page has sent. */
  const noted: unknown[] = []
  const numbers = Array.from({ length: MANY }, (_, n) => n)

  before(async () => {
    const script = createRequire(import.meta.url).resolve('sockjs-client/dist/sockjs.min.js')
    site = await Site.open({
      prepare: (app) =>
        app.get(EVERY_TRANSPORT.sockjsUrl, (_request, response) =>
          response.sendFile(script, { dotfiles: 'allow' }),
        ),
      sockets: {
        ...EVERY_TRANSPORT,
        // Nothing but silence tells a frame of htmlfile that its network broke.
        pingInterval: 1000,
        socketController: {
          note: (_auth, data) => void noted.push(data),
          echo: (_auth, data) => data,
          count: (_auth, channel) => {
            for (const n of numbers) void site.sockets.publish(String(channel), n)
          },
        },
      },
    })
    proxy = await TcpProxy.open(site.port)
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    uncaught = uncaughtIn(page)
    await page.goto(`${proxy.origin}/sign-in`)
  })

  after(async () => {
    await chromium?.close()
    await proxy?.close()
    await site?.close()
  })

  /** Breaks the page's connections until its socket has noticed: one break between two polls it would not notice. */
  async function breakNetwork(): Promise<void> {
    let isLost = false
    const lost = page.evaluate(
      () => new Promise<void>((resolve) => window.socket.once('state', () => resolve())),
    )
    void lost.then(() => {
      isLost = true
    })
    while (!isLost) {
      proxy.cut()
      await page.evaluate(() => {})
    }
  }

  for (const [way, [options, transport]] of Object.entries(WAYS)) {
    describe(`that is ${way}`, () => {
      before(async () => {
        noted.splice(0)
        // A page of its own: what one leaves behind, such as a script on its way, takes connections from the next.
        await page.goto(`${proxy.origin}/`)
        expect(await connect(page, options)).to.deep.equal({ transport })
      })

      it('carries 1,000 messages each way at once, in order', async () => {
        const came = await page.evaluate(async (numbers) => {
          const { socket } = window
          const came: unknown[] = []
          const all = new Promise<void>((resolve) => {
            socket.onmessage((_channel, message) => came.push(message) === numbers.length && resolve())
          })
          await socket.subscribe('numbers')
          const count = socket.rpc('count', 'numbers')
          await Promise.all([count, ...numbers.map((n) => socket.rpc('note', n)), all])
          return came
        }, numbers)
        expect(came).to.deep.equal(numbers)
        expect(noted).to.deep.equal(numbers)
      })

      it('carries every character there and back, half ones too', async () => {
        const changed = await page.evaluate(async () => {
          const text = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code, 0x20)).join('')
          const answer = await window.socket.rpc<string>('echo', text)
          return Array.from(text, (_, at) => at).filter((at) => answer[at] !== text[at])
        })
        expect(changed).to.deep.equal([])
      })

      it('comes back, by the same transport and subscribed, when its network breaks', async () => {
        await page.evaluate(() => window.socket.subscribe('news'))
        const back = page.evaluate(
          () => new Promise<void>((resolve) => window.socket.on('reconnect', (error) => error ?? resolve())),
        )
        await breakNetwork()
        await back
        const message = await page.evaluate(() => {
          const { socket } = window
          const message = new Promise((resolve) =>
            socket.onmessage((...message) => resolve(message.slice(0, 2))),
          )
          return socket.publish('news', 'again').then(() => message)
        })
        expect(message).to.deep.equal(['news', 'again'])
        expect(await page.evaluate(() => window.socket.transport)).to.equal(transport)
      })
    })
  }

  for (const name of EXTINCT) {
    it(`that is SockJS’s ${name} fails, as browsers have it no more`, async () => {
      await page.goto(`${proxy.origin}/`)
      const outcome = await connect(page, { ...viaSockJS(name), reconnect: false })
      expect(outcome).to.have.property('code', 'transport_failed')
    })
  }

  describe('in the end', () => {
    it('threw nothing that the page would have had to catch', () => {
      expect(uncaught).to.deep.equal([])
    })
  })
})
