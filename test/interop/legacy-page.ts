import type { Browser, Page } from 'playwright-core'

/** What the legacy client's callback got, and `null` for what it got not. */
export type OldAnswer = readonly [error: unknown, data: unknown]

/** Options of the legacy client, as JSON. */
export type LegacyClientOptions = Readonly<Record<string, unknown>>

/** A page in which the legacy client runs, driven from the test. `legacy-page.js` is the part of it in the browser. */
export class LegacyPage {
  /** What the page threw and did not catch. */
  readonly uncaught: string[] = []
  /** Paths of the token requests, with how the page made them (`xhr`, `script`). */
  readonly tokenRequests: (readonly [type: string, path: string])[] = []
  /** What the server sent on each WebSocket, in SockJS's frames. */
  readonly frames: string[] = []
  /** The close frames among them: the code, and its name. */
  get closings(): unknown[] {
    return this.frames.filter((frame) => frame.startsWith('c')).map((frame) => JSON.parse(frame.slice(1)))
  }

  /** The messages among them. */
  get messages(): Readonly<Record<string, unknown>>[] {
    const texts = this.frames.flatMap((frame) => (frame.startsWith('a') ? JSON.parse(frame.slice(1)) : []))
    return texts.map((text) => JSON.parse(text))
  }

  readonly #page: Page

  private constructor(page: Page) {
    this.#page = page
    page.on('pageerror', (error) => this.uncaught.push(String(error)))
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => void this.frames.push(String(payload))),
    )
    page.on('request', (request) => {
      const { pathname, search } = new URL(request.url())
      if (pathname === '/socket/token') this.tokenRequests.push([request.resourceType(), pathname + search])
    })
  }

  /** Loads the page, signed in, without a socket. One at a time: a browser has one window for all, as to open it is slow. */
  static async load(browser: Browser, url: string): Promise<LegacyPage> {
    const context = browser.contexts()[0] ?? (await browser.newContext())
    const page = new LegacyPage(context.pages()[0] ?? (await context.newPage()))
    await page.#page.goto(url)
    return page
  }

  /** Makes the socket and waits for `ready`. @returns what `ready` got */
  async open(options: LegacyClientOptions = {}): Promise<unknown> {
    await this.#run('open', options)
    return (await this.next('ready'))[0]
  }

  call(method: string, ...args: readonly unknown[]): Promise<OldAnswer> {
    return this.#run('call', method, ...args) as Promise<OldAnswer>
  }

  async tell(method: string, ...args: readonly unknown[]): Promise<void> {
    await this.#run('tell', method, ...args)
  }

  next(event: string): Promise<readonly unknown[]> {
    return this.#run('next', event) as Promise<readonly unknown[]>
  }

  untaken(event: string): Promise<number> {
    return this.#run('untaken', event) as Promise<number>
  }

  channels(): Promise<string[]> {
    return this.#run('channels') as Promise<string[]>
  }

  async register(name: string): Promise<void> {
    await this.#run('register', name)
  }

  async end(): Promise<void> {
    await this.#run('end')
  }

  async visit(url: string): Promise<void> {
    await this.#page.goto(url)
  }

  /** Leaves the page, and forgets who was signed in. */
  async close(): Promise<void> {
    await this.#page.goto('about:blank')
    this.#page.removeAllListeners()
    await this.#page.context().clearCookies()
  }

  #run(name: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#page.evaluate(
      ([name, args]) => {
        const { legacyPage } = globalThis as unknown as {
          legacyPage: Record<string, (...args: readonly unknown[]) => unknown>
        }
        return legacyPage[name]?.(...args)
      },
      [name, args] as const,
    )
  }
}
