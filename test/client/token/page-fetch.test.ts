/** Token requests in pages without `fetch`, as in Jest's jsdom. */
import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { pageFetch } from '#client/token/page-fetch.js'
import { pageFetch as shortPageFetch } from '#client/token/short-page-fetch.js'
import { restoreGlobals, setGlobal } from '../globals.js'

/** The part of a browser's request that is used; {@link last} is the one that was made last. */
class Request {
  static last: Request
  status = 0
  responseText = ''
  responseURL: string | undefined
  withCredentials = false
  isAborted = false
  readonly sent: unknown[] = []
  onload = () => {}
  onerror = () => {}

  constructor() {
    Request.last = this
  }

  open(...args: unknown[]): void {
    this.sent.push(...args)
  }

  setRequestHeader(...args: unknown[]): void {
    this.sent.push(...args)
  }

  getResponseHeader(name: string): string {
    return `the header ${name}`
  }

  send(...args: unknown[]): void {
    this.sent.push('sent', ...args)
  }

  abort(): void {
    this.isAborted = true
  }

  answer(status: number, text: string, url?: string): void {
    Object.assign(this, { status, responseText: text, responseURL: url })
    this.onload()
  }
}

const URL = 'https://example.com/socket/token'

describe('pageFetch', () => {
  const controller = new AbortController()
  const ask = (signal = controller.signal) =>
    pageFetch(URL, { method: 'POST', headers: { Accept: 'application/json' }, signal })

  beforeEach(() => {
    setGlobal('fetch', undefined)
    setGlobal('XMLHttpRequest', Request)
  })

  afterEach(restoreGlobals)

  it('asks by XMLHttpRequest, with cookies, where there is no fetch', async () => {
    const answer = ask()
    Request.last.answer(200, 'the body', URL)
    const { ok, status, redirected, url, headers, text } = await answer
    expect(Request.last.sent).to.deep.equal(['POST', URL, 'Accept', 'application/json', 'sent'])
    expect(Request.last.withCredentials).to.equal(true)
    expect([ok, status, redirected, url]).to.deep.equal([true, 200, false, URL])
    expect([headers.get('Retry-After'), await text()]).to.deep.equal(['the header Retry-After', 'the body'])
  })

  for (const [status, ok] of [
    [204, true],
    [304, false],
    [403, false],
    [503, false],
  ] as const)
    it(`says that ${status} is ${ok ? '' : 'not '}ok`, async () => {
      const answer = ask()
      Request.last.answer(status, '')
      expect(await answer).to.include({ status, ok, redirected: false })
    })

  it('says that the answer came after a redirect', async () => {
    const answer = ask()
    Request.last.answer(200, '', 'https://example.com/login')
    expect(await answer).to.include({ redirected: true, url: 'https://example.com/login' })
  })

  it('fails as fetch does where the server is not reached', async () => {
    const answer = ask().catch((error) => error)
    Request.last.onerror()
    expect(await answer).to.be.instanceOf(TypeError)
    expect((await answer).message).to.equal('Failed to fetch')
  })

  it('is given up by its signal', async () => {
    const giveUp = new AbortController()
    const answer = ask(giveUp.signal).catch((error) => error)
    const reason = new RpcError('timeout')
    giveUp.abort(reason)
    expect([await answer, Request.last.isAborted]).to.deep.equal([reason, true])
  })

  it('sends nothing where its signal was given up before', async () => {
    const reason = new RpcError('timeout')
    expect(await ask(AbortSignal.abort(reason)).catch((error) => error)).to.equal(reason)
    expect(Request.last.sent).not.to.include('sent')
  })

  for (const [form, request] of Object.entries({ full: pageFetch, short: shortPageFetch }))
    it(`asks by fetch, with cookies, where there is one (${form})`, async () => {
      const asked: unknown[] = []
      setGlobal('fetch', async (...args: unknown[]) => asked.push(...args))
      const { signal } = controller
      await request(URL, { method: 'GET', headers: {}, signal })
      expect(asked).to.deep.equal([URL, { method: 'GET', headers: {}, signal, credentials: 'include' }])
    })
})
