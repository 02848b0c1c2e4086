/** The published client of the legacy pair, on a server whose authorisations end, change and are revoked. */
import { CLOSE_CODES, type ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { type OpenBrowser, openBrowser } from '../browser/chromium.js'
import { until } from '../client/waiting.js'
import { LegacyPage } from './legacy-page.js'
import { NewServer, type NewServerOptions } from './new-server.js'

const TTL = 3_600_000

/** Milliseconds after its end for which an authorisation still counts. */

const claimsOf = (...channels: string[]) => ({
  uid: 'ada',
  channels: Object.fromEntries(
    channels.map((name) => [name, { subscribe: true, messages: { '*': { publish: true } } }]),
  ),
})

/** What the legacy client knows: answers, calls, subscriptions that the server makes or ends, and publications. */
function isKnown(message: Readonly<Record<string, unknown>>): boolean {
  const { internal, command, rpc, uuid, channel } = message
  if (internal === true) return ['rpc', 'subscribe', 'unsubscribe'].includes(String(command))
  return rpc === undefined ? typeof channel === 'string' : typeof uuid === 'string'
}

describe('the old browser client and authorisations that end or change', function () {
  this.timeout(120_000)
  let chromium: OpenBrowser
  let server: NewServer
  let page: LegacyPage

  before(async () => {
    chromium = await openBrowser()
  })

  after(() => chromium.close())

  afterEach(async () => {
    sinon.restore()
    const { uncaught, messages } = page
    await page.close()
    await server.stop()
    expect(uncaught, 'uncaught errors of the page').to.deep.equal([])
    expect(messages, 'messages').not.to.deep.equal([])
    expect(
      messages.filter((message) => !isKnown(message)),
      'unknown messages',
    ).to.deep.equal([])
  })

  /** A page that is on the channels `news` and `chat`. */
  async function open(options: NewServerOptions = {}): Promise<ServerSocket> {
    server = await NewServer.create({
      authentication: () => claimsOf('news', 'chat'),
      socketController: { echo: (_auth, data) => data },
      ...options,
    })
    page = await LegacyPage.load(chromium.browser, `${server.origin}/sign-in`)
    expect(await page.open({ sockjs: { transports: ['websocket'] } })).to.equal(null)
    for (const channel of ['news', 'chat'])
      expect(await page.call('subscribe', channel)).to.deep.equal([null, null])
    return theSocket()
  }

  function theSocket(): ServerSocket {
    const [socket, ...others] = server.sockets.sockets()
    if (!socket || others.length > 0) throw new Error('there is not one socket')
    return socket
  }

  /** It was closed for a reason, and has come back by itself to what it had. */
  async function isBack(former: ServerSocket, why: 'expired' | 'revoked'): Promise<void> {
    expect(await page.next('reconnect')).to.deep.equal([null])
    await until(() => server.sockets.channelSockets('chat').length === 1)
    expect(theSocket()).not.to.equal(former)
    expect(page.closings).to.deep.equal([[CLOSE_CODES[why].code, CLOSE_CODES[why].reason]])
    await server.sockets.publish('chat', 'back')
    expect(await page.next('message')).to.deep.equal(['chat', 'back'])
  }

  it('is closed as expired after `sessionTtl`, and comes back by itself', async () => {
    const clock = sinon.useFakeTimers({
      now: Date.now(),
      toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'],
      shouldAdvanceTime: true,
    })
    const socket = await open({ sessionTtl: TTL, pingInterval: 2 ** 31 - 1 })
    await clock.tickAsync(TTL - 10_000)
    expect(socket.isConnected()).to.equal(true)
    await clock.tickAsync(10_000)
    await isBack(socket, 'expired')
  })

  it('is closed as expired when it is to fetch a new token, and comes back by itself', async () => {
    const socket = await open()
    const { count } = await server.sockets.cluster.refresh({ uid: 'ada' })
    expect(count).to.equal(1)
    await isBack(socket, 'expired')
    expect(page.tokenRequests).to.have.length(2)
  })

  for (const [what, who] of [
    ['its user', () => ({ uid: 'ada' })],
    ['its connection', ({ sid }: ServerSocket) => ({ sid })],
  ] as const)
    it(`is closed as revoked when ${what} is, and comes back by itself while the user is signed in`, async () => {
      const socket = await open()
      expect((await server.sockets.cluster.revoke(who(socket))).count).to.equal(1)
      await isBack(socket, 'revoked')
    })

  it('leaves the channel that it may not have any longer, and goes on with the others', async () => {
    const socket = await open()
    await server.sockets.cluster.reauthorize({ uid: 'ada' }, claimsOf('chat'))
    await until(async () => (await page.channels()).length === 1)
    expect(await page.channels()).to.deep.equal(['chat'])
    await server.sockets.publish('news', 'secret')
    await server.sockets.publish('chat', 'open')
    expect(await page.next('message')).to.deep.equal(['chat', 'open'])
    expect(await page.call('subscribe', 'news')).to.deep.equal(['Forbidden', null])
    expect([theSocket(), page.closings]).to.deep.equal([socket, []])
  })

  it('gets no direct message, and the server learns it', async () => {
    const socket = await open()
    const error = await socket.send('hello').catch((cause: Error) => cause)
    expect(error).to.include({ code: 'unsupported' })
    expect(await page.call('rpc', 'echo', 1)).to.deep.equal([null, 1])
  })
})
