/** A provider whose keys cannot be read harms neither the server nor later logouts. */
import type { ServerResponse } from 'node:http'
import { type BackChannelLogoutOptions, backChannelLogout } from '@token-socket/sign-out'
import { expect } from 'chai'
import express from 'express'
import { type SinonFakeTimers, type SinonStub, stub, useFakeTimers } from 'sinon'
import { until } from '../end-to-end/fixture.js'
import { App, NotedOrders } from './orders.js'
import { Provider } from './provider.js'

describe('the key set of a provider', () => {
  let provider: Provider
  let clock: SinonFakeTimers | undefined
  let later: SinonStub | undefined
  const apps: App[] = []

  beforeEach(async () => {
    provider = await Provider.start()
  })

  afterEach(async () => {
    clock?.restore()
    clock = undefined
    later?.restore()
    later = undefined
    await Promise.all([provider, ...apps.splice(0)].map((one) => one.stop()))
  })

  const start = async (options: Partial<BackChannelLogoutOptions> = {}) => {
    const sockets = new NotedOrders()
    const failures: Error[] = []
    const route = backChannelLogout(sockets, {
      ...provider.options,
      onerror: (cause) => failures.push(cause as Error),
      ...options,
    })
    const app = await App.start(express().post('/logout', route))
    apps.push(app)
    const send = async (token: string) => {
      const body = new URLSearchParams({ logout_token: token })
      const response = await fetch(`${app.url}/logout`, { method: 'POST', body })
      await response.text()
      return response.status
    }
    return { sockets, failures, send }
  }

  it('is asked for once, for many tokens at once', async () => {
    const { send } = await start()
    const tokens = await Promise.all([1, 2, 3, 4, 5].map(() => provider.logoutToken()))
    expect(await Promise.all(tokens.map(send))).to.deep.equal([200, 200, 200, 200, 200])
    expect(provider.asked).to.equal(1)
  })

  it('is asked for again when the keys rotate, 30 s after it was read', async () => {
    const { send } = await start()
    expect(await send(await provider.logoutToken())).to.equal(200)
    await provider.rotate()
    expect(await send(await provider.logoutToken())).to.equal(400)
    expect(provider.asked).to.equal(1)
    clock = useFakeTimers({ now: Date.now() + 31_000, toFake: ['Date'] })
    const tokens = await Promise.all([1, 2, 3].map(() => provider.logoutToken()))
    expect(await Promise.all(tokens.map(send))).to.deep.equal([200, 200, 200])
    expect(provider.asked).to.equal(2)
  })

  const text =
    (body: string, status = 200) =>
    (response: ServerResponse) => {
      response.statusCode = status
      response.end(body)
    }
  const BAD: Readonly<
    Record<string, readonly [answer: (response: ServerResponse) => void, failure: RegExp]>
  > = {
    'never answers': [() => {}, /timed out|time/i],
    'never ends': [(response) => void response.write('{"keys":['), /timed out|time|terminated|abort/i],
    'has 10 MB': [text(`{"keys":[],"a":"${'b'.repeat(10_000_000)}"}`), /more than 262144 bytes/],
    'has no end': [endless, /more than 262144 bytes/],
    'is garbage': [text('<html>'), /JSON/],
    'is no key set': [text('{"keys":5}'), /JSON Web Key Set/],
    'is an error page': [text('down', 500), /answered 500/],
    'is moved': [text('', 302), /answered 302/],
    'breaks off': [(response) => response.destroy(), /fetch failed/],
  }
  for (const [name, [answer, failure]] of Object.entries(BAD)) {
    it(`that ${name} is answered 503, and reported`, async () => {
      const { send, sockets, failures } = await start({ jwksTimeout: /never/.test(name) ? 100 : 5000 })
      provider.answer = answer
      const statuses = await Promise.all([
        send(await provider.logoutToken()),
        send(await provider.logoutToken()),
      ])
      expect(statuses).to.deep.equal([503, 503])
      expect(sockets.orders).to.deep.equal([])
      expect(String(failures[0]?.message)).to.match(failure)
      expect(provider.asked).to.equal(1)
    })
  }

  const UNREADABLE = {
    'an error page': text('down', 500),
    'no JSON': text('<html>'),
    nothing: text(''),
    'no object': text('null'),
    'no keys': text('{"keys":"no"}'),
    'keys that are none': text('{"keys":[1]}'),
    'a redirection': text('', 302),
  }
  for (const [what, answer] of Object.entries(UNREADABLE)) {
    it(`that was answered with ${what} is left alone for 5 s`, async () => {
      const { send } = await start()
      const token = await provider.logoutToken()
      provider.answer = answer
      expect([await send(token), await send(token), await send(token)]).to.deep.equal([503, 503, 503])
      expect(provider.asked).to.equal(1)
      provider.answer = undefined
      later = stub(performance, 'now').returns(performance.now() + 5001)
      expect(await send(token)).to.equal(200)
      expect(provider.asked).to.equal(2)
    })
  }

  it('keeps 100 tokens waiting at most', async () => {
    const { send, failures } = await start()
    provider.answer = () => {}
    const token = await provider.logoutToken()
    const waiting = Array.from({ length: 101 }, () => send(token))
    expect(await Promise.race(waiting)).to.equal(503)
    expect(failures[0]?.message).to.match(/too many tokens/)
    await until(() => provider.asked === 1)
    await provider.stop()
    await Promise.all(waiting)
    provider = await Provider.start()
  })
})

/** Sends as long as the client takes it. */
function endless(response: ServerResponse): void {
  const chunk = 'a'.repeat(64 * 1024)
  const send = () => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', send)
  send()
}
