import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { TokenSocketOptions } from '@token-socket/client'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'

const ACTIONS = 'var actions = { echo: function (data) { return data } }'

/** What the page has for the test. */
interface PageGlobals {
  TokenSocket: typeof import('@token-socket/client').TokenSocket
  socket: InstanceType<typeof import('@token-socket/client').TokenSocket>
  messages: unknown[]
  readonly actions: Record<string, (data: unknown) => unknown>
}

/** The new client as a script for pages, made from its sources. */
export async function clientScript(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: "import { TokenSocket } from '@token-socket/client'\nglobalThis.TokenSocket = TokenSocket\n",
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    conditions: ['browser', '@token-socket/script', '@token-socket/source'],
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

/** A page with the new client in it, at any address: no server has to know of it. */
export class NewClientPage {
  /** How the page asked for its tokens: the method, and what kind of request it was. */
  readonly tokenRequests: (readonly [method: string, type: string])[] = []
  /** What the page threw and did not catch. */
  readonly uncaught: string[] = []
  readonly #page: Page

  private constructor(page: Page) {
    this.#page = page
    page.on('pageerror', (error) => this.uncaught.push(String(error)))
    page.on('request', (request) => {
      if (new URL(request.url()).pathname !== '/socket/token') return
      this.tokenRequests.push([request.method(), request.resourceType()])
    })
  }

  /**
   * Signs in, then puts the scripts into a page. One at a time: a browser has one window for all, as to open it is slow.
   * @param signIn an address to visit first, for its cookie
   * @param address the page's own: any answer is good enough, even an empty one
   */
  static async load(
    browser: Browser,
    signIn: string,
    address: string,
    script: string,
  ): Promise<NewClientPage> {
    const context = browser.contexts()[0] ?? (await browser.newContext())
    const page = context.pages()[0] ?? (await context.newPage())
    const loaded = new NewClientPage(page)
    await page.goto(signIn)
    if (address !== signIn) await page.goto(address)
    await page.addScriptTag({
      path: createRequire(import.meta.url).resolve('sockjs-client/dist/sockjs.min.js'),
    })
    await page.addScriptTag({ content: script })
    await page.addScriptTag({ content: ACTIONS })
    return loaded
  }

  /** Makes the socket. @returns what carries it, or the error's code */
  open(options: TokenSocketOptions): Promise<string | undefined> {
    return this.#page.evaluate(async (options) => {
      const page = globalThis as unknown as PageGlobals
      page.socket = new page.TokenSocket(options, page.actions)
      page.messages = []
      page.socket.onmessage((...message) => page.messages.push(message.slice(0, 2)))
      const failed = await page.socket.ready().then(
        () => undefined,
        (error: { code: string }) => error.code,
      )
      return failed ?? page.socket.transport
    }, options)
  }

  rpc(name: string, data: unknown): Promise<unknown> {
    return this.#page.evaluate(
      ([name, data]) => (globalThis as unknown as PageGlobals).socket.rpc(name, data),
      [name, data] as const,
    )
  }

  subscribe(channel: string): Promise<void> {
    return this.#page.evaluate(
      (channel) => (globalThis as unknown as PageGlobals).socket.subscribe(channel),
      channel,
    )
  }

  /** Publishes on a channel and waits for a message. @returns all that have come */
  publish(channel: string, data: unknown): Promise<unknown[]> {
    return this.#page.evaluate(
      async ([channel, data]) => {
        const { socket, messages } = globalThis as unknown as PageGlobals
        const came = new Promise((resolve) => socket.once('message', resolve))
        await socket.publish(channel, data)
        await came
        return messages
      },
      [channel, data] as const,
    )
  }

  /** Runs something that makes the server close the connection, and waits until the socket is back. */
  async reconnected(run: () => Promise<unknown>): Promise<void> {
    const back = this.#page.evaluate(() => {
      const { socket } = globalThis as unknown as PageGlobals
      return new Promise<void>((resolve) => socket.on('reconnect', (error) => error ?? resolve()))
    })
    await run()
    await back
  }

  /** Leaves the page, and forgets who was signed in. */
  async close(): Promise<void> {
    await this.#page.goto('about:blank')
    this.#page.removeAllListeners()
    await this.#page.context().clearCookies()
  }
}
