/** Values that cannot even be looked at, thrown wherever functions of the application run: they are failures like any other. */
import type { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import { rejection, type Site, type SiteOptions, until, useSites } from './fixture.js'

const MAKE: Readonly<Record<string, () => unknown>> = {
  'a revoked Proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  'an error whose fields throw': () => {
    const get = () => {
      throw new Error('a getter')
    }
    return Object.defineProperties(new Error(), { code: { get }, name: { get }, message: { get } })
  },
}

type Thrower = () => never

/** A place: the options and listeners that throw, what brings them to run, and what the client gets. */
interface Place {
  options?(thrower: Thrower): SiteOptions
  listen?(server: TokenSocketServer, thrower: Thrower): void
  act(site: Site): Promise<unknown>
  readonly outcome: unknown
}

const publish = async (site: Site) => {
  const client = await site.ready()
  await client.subscribe('room')
  await client.publish('room', 1)
  await client.unsubscribe('room')
  client.end()
  await until(() => site.sockets.sockets().length === 1)
}
const codeOf = (promise: Promise<unknown>) => rejection(promise).then(({ code }) => code)
const call = async (site: Site) => codeOf((await site.ready()).rpc('broken'))
const tokenStatus = async (site: Site, headers = {}) =>
  (await fetch(`${site.url}/socket/token`, { headers })).status

const reporting = ['connected', 'subscribed', 'published', 'unsubscribed', 'disconnected'] as const

const PLACES: Readonly<Record<string, Place>> = {
  ...Object.fromEntries(
    reporting.map((event) => [
      `a listener of ${event}`,
      { listen: (server, thrower) => server.on(event, thrower), act: publish, outcome: undefined } as Place,
    ]),
  ),
  'a listener of subscribe': {
    listen: (server, thrower) => server.on('subscribe', thrower),
    act: async (site) => codeOf((await site.ready()).subscribe('room')),
    outcome: 'forbidden',
  },
  'a listener of authentication': {
    listen: (server, thrower) => server.on('authentication', thrower),
    act: (site) => codeOf(site.client().ready()),
    outcome: 'forbidden',
  },
  'a function': {
    options: (thrower) => ({ socketController: { broken: thrower } }),
    act: call,
    outcome: 'internal',
  },
  'a function’s callback': {
    options: () => ({
      socketController: {
        broken: (_auth, error, callback) =>
          void callback(MAKE[String(error)]?.() ?? MAKE['a revoked Proxy']?.()),
      },
    }),
    act: call,
    outcome: 'internal',
  },
  'a route': { options: (thrower) => ({ routes: { broken: thrower } }), act: call, outcome: 'internal' },
  'middleware around calls': {
    listen: (server, thrower) => server.use('call', thrower),
    act: call,
    outcome: 'internal',
  },
  'middleware around subscriptions': {
    listen: (server, thrower) => server.use('subscribe', thrower),
    act: async (site) => codeOf((await site.ready()).subscribe('room')),
    outcome: 'internal',
  },
  'a rule': {
    options: (thrower) => ({ channels: { room: { subscribe: thrower } } }),
    act: async (site) => codeOf((await site.ready()).subscribe('room')),
    outcome: 'forbidden',
  },
  '`authentication`': {
    options: (thrower) => ({ authentication: thrower }),
    act: (site) => tokenStatus(site),
    outcome: 500,
  },
  '`origins`': {
    options: (thrower) => ({ origins: thrower }),
    act: (site) => tokenStatus(site, { origin: 'https://another.example' }),
    outcome: 403,
  },
  'the callback of `rpc`': {
    act: async (site) => {
      const { socket } = await site.pair({}, { echo: (data: unknown) => data })
      socket.rpc('echo', 1, () => {
        throw MAKE['a revoked Proxy']?.()
      })
      await until(() => site.failures.length > 0)
    },
    outcome: undefined,
  },
}

describe('a failure that cannot be read', () => {
  const start = useSites()

  for (const [what, make] of Object.entries(MAKE)) {
    for (const [place, { options, listen, act, outcome }] of Object.entries(PLACES)) {
      it(`${what}, by ${place}: harms no other, and is reported`, async () => {
        const thrower: Thrower = () => {
          throw make()
        }
        const site = await start(options?.(thrower) ?? {})
        const other = options?.(thrower).authentication ? undefined : await site.ready()
        listen?.(site.sockets, thrower)
        expect(await act(site)).to.equal(outcome)
        await until(() => site.log.some(({ level }) => level === 'error'))
        if (other && !listen) expect(await other.rpc('broken').catch(({ code }) => code)).to.be.a('string')
      })
    }
  }
})
