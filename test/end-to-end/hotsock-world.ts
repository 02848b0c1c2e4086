/** A server with a key, and clients in Hotsock's words. */
import { HotsockClient, type HotsockClientOptions, type HotsockMessage } from '@token-socket/client/hotsock'
import jwt from 'jsonwebtoken'
import { deferred, type Site, useSites } from './fixture.js'

/** The key of the application's tokens. */
export const KEY = 'the key of the application, 32 bytes or more'

/** Signs a token. */
export const sign = (claims: object) => jwt.sign(claims, KEY, { expiresIn: 30 })

/** What a user may do on a channel. */
export const rights = { subscribe: true, messages: { '*': { publish: true, echo: true } } }

/** A token to connect with. */
export const token = (more: object = {}) =>
  sign({
    scope: 'connect',
    uid: '12345',
    umd: { name: 'Jim' },
    channels: { 'my-channel': rights, 'room-1': rights },
    ...more,
  })

/** The next message of an event. */
function heard(client: HotsockClient, event: string | RegExp, channel?: string): Promise<HotsockMessage> {
  const { promise, resolve } = deferred<HotsockMessage>()
  const binding = client.bind(
    event,
    (message: HotsockMessage) => {
      binding.unbind()
      resolve(message)
    },
    { channel },
  )
  return promise
}

/** A server for each test; its clients are terminated after it. */
export function useHotsock() {
  const start = useSites()
  const clients: HotsockClient[] = []
  let site: Site

  beforeEach(async () => {
    site = await start({
      channels: { 'room-*': { presence: true } },
      keys: { app: { algorithm: 'HS256', key: KEY } },
      authentication: () => false,
    })
  })

  afterEach(() => {
    for (const client of clients.splice(0)) client.terminate()
  })

  function open(options: Partial<HotsockClientOptions> = {}): HotsockClient {
    const url = site.url.replace('http', 'ws')
    const client = new HotsockClient(url, { connectTokenFn: async () => token(), ...options })
    clients.push(client)
    return client
  }

  /** A client that is on a channel, and the messages of `my-event` there. */
  async function joined(name = 'my-channel', client = open()) {
    const messages: HotsockMessage[] = []
    const subscribed = heard(client, 'hotsock.subscribed')
    const binding = client.channels(name).bind('my-event', (message) => messages.push(message))
    await subscribed
    return { client, channel: client.channels(name), binding, messages }
  }

  return {
    start,
    open,
    heard,
    joined,
    /** The server of this test. */
    get site() {
      return site
    },
    keep: (client: HotsockClient) => void clients.push(client),
  }
}
