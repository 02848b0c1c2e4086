/** Every rule about a sign-in, with a token and without one: the second path is no path past it. */
import type { TokenSocket, TokenSocketOptions } from '@token-socket/client'
import { type ConnectAuthentication, RpcError, type TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import type { Request } from 'express'
import { until } from '../client/waiting.js'
import { rejection } from '../protocol/rejection.js'
import { type Site, type SiteOptions, useSites } from './fixture.js'

/** Who a client is: the answer of either function of the application. */
type Give = () => unknown

/** A way to sign in. */
interface Path {
  readonly options: (give: Give) => SiteOptions
  readonly client: TokenSocketOptions
}

const PATHS: Readonly<Record<string, Path>> = {
  'with a token': {
    options: (give) => ({ authentication: (_request: Request) => give() }),
    client: {},
  },
  'without a token': {
    options: (give) => ({ connectAuthentication: ((_request) => give()) as ConnectAuthentication }),
    client: { url: ({ url }) => url },
  },
}

const ANN = { uid: 'ann', umd: { name: 'Ann' } }

const code = async (promise: Promise<unknown>) => (await rejection(promise)).code

/** Codes of docs/ERRORS.md, “A refused sign-in”, after which clients try again. */
const PASSING_CODES = [
  'connection_lost',
  'engine_unavailable',
  'internal',
  'invalid_token',
  'nested_failed',
  'timeout',
  'too_many_devices',
  'transport_failed',
  'veto_timeout',
]

const FINAL_CODES = ['banned', 'not_found', 'aborted', 'many_devices']

/** What a test of a rule gets. */
interface World {
  start(options?: SiteOptions, give?: Give): Promise<Site>
  client(site: Site, more?: TokenSocketOptions): TokenSocket
}

/** The rules. Each gives what it observed, which has to be the same on both paths. */
const RULES: Readonly<Record<string, readonly [observe: (world: World) => Promise<unknown>, seen: unknown]>> =
  {
    'a refused origin': [
      async ({ start, client }) => {
        const site = await start()
        const socket = client(site, { headers: { Origin: 'https://evil.example' } })
        await rejection(socket.ready({ timeout: 1000 }))
        return site.sockets.sockets().length
      },
      0,
    ],
    'an RpcError whose code says nothing about the user': [
      async ({ start, client }) => {
        const outcomes: unknown[] = []
        for (const passing of PASSING_CODES) {
          let tries = 0
          const site = await start({}, () => {
            tries += 1
            if (tries === 1) throw new RpcError(passing)
            return ANN
          })
          await client(site).ready()
          outcomes.push([passing, tries])
        }
        return outcomes
      },
      PASSING_CODES.map((passing) => [passing, 2]),
    ],
    'an RpcError with any other code': [
      async ({ start, client }) => {
        const outcomes: unknown[] = []
        for (const final of FINAL_CODES) {
          let tries = 0
          const site = await start({}, () => {
            tries += 1
            throw new RpcError(final)
          })
          outcomes.push([await code(client(site).ready()), tries])
        }
        return outcomes
      },
      FINAL_CODES.map((final) => [final, 1]),
    ],
    'the failure of a call that the function made': [
      async ({ start, client }) => {
        let tries = 0
        const site: Site = await start({}, async () => {
          tries += 1
          if (tries === 1) await site.sockets.cluster.rpc('no such socket', 'who')
          return ANN
        })
        await client(site).ready()
        return [tries, site.failures.length + site.log.filter(({ level }) => level === 'error').length > 0]
      },
      [2, true],
    ],
    'an allowed origin': [
      async ({ start, client }) => {
        const site = await start({ origins: ['https://good.example'] })
        await client(site, { headers: { Origin: 'https://good.example' } }).ready()
        return site.sockets.sockets().length
      },
      1,
    ],
    requireOrigin: [
      async ({ start, client }) => {
        const site = await start({ requireOrigin: true })
        await rejection(client(site).ready({ timeout: 1000 }))
        return site.sockets.sockets().length
      },
      0,
    ],
    'limits.connectionsPerAddress': [
      async ({ start, client }) => {
        const site = await start({ limits: { connectionsPerAddress: 1 } })
        await client(site).ready()
        return [await code(client(site).ready({ timeout: 300 })), site.sockets.sockets().length]
      },
      ['timeout', 1],
    ],
    'limits.socketsPerUser': [
      async ({ start, client }) => {
        const site = await start({ limits: { socketsPerUser: 1 } })
        await client(site).ready()
        const second = client(site)
        await until(() => second.state === 'waiting')
        return [second.status.error?.code, site.sockets.sockets().length]
      },
      ['too_many_sockets', 1],
    ],
    'limits.authData': [
      async ({ start, client }) => {
        const site = await start({ limits: { authData: 100 } }, () => ({ text: 'x'.repeat(200) }))
        const socket = client(site)
        await until(() => socket.state === 'waiting')
        return site.sockets.sockets().length
      },
      0,
    ],
    'limits.authMessage': [
      async ({ start }) => {
        const site = await start({ limits: { authMessage: 100 } })
        const peer = await site.peer()
        peer.send({ rpc: 'auth', uuid: 'a', more: 'x'.repeat(100) })
        return (await peer.closed).code
      },
      4501,
    ],
    authTimeout: [
      async ({ start }) => {
        const site = await start({ authTimeout: 50 })
        return (await (await site.peer()).closed).code
      },
      4003,
    ],
    'a listener of authentication that refuses': [
      async ({ start, client }) => {
        const site = await start()
        site.sockets.on('authentication', (_socket, _auth, callback) =>
          callback(new RpcError('banned', 'You are banned', { until: 7 })),
        )
        const { code, message, data } = await rejection(client(site).ready())
        return [code, message, data, site.sockets.sockets().length]
      },
      ['banned', 'You are banned', { until: 7 }, 0],
    ],
    'a middleware of authentication that refuses': [
      async ({ start, client }) => {
        const site = await start()
        const seen: unknown[] = []
        site.sockets.use('authentication', ({ socket }) => {
          seen.push(socket.auth)
          return false
        })
        return [await code(client(site).ready()), seen]
      },
      ['forbidden', [ANN]],
    ],
    'uid and umd': [
      async ({ start, client }) => {
        const site = await start()
        const socket = client(site)
        await socket.ready()
        const [own] = site.sockets.sockets()
        return [socket.uid, socket.umd, own?.uid, own?.auth, own?.ip, own?.ips, own?.host]
      },
      ['ann', ANN.umd, 'ann', ANN, '127.0.0.1', [], '127.0.0.1'],
    ],
    'claims of channels': [
      async ({ start, client }) => {
        const channels = { 'a-*': { subscribe: true }, 'b-1': { autoSubscribe: true, subscribe: true } }
        const site = await start({}, () => ({ ...ANN, channels }))
        const socket = client(site)
        await socket.ready()
        await socket.subscribe('a-1')
        const refused = [await code(socket.subscribe('c')), await code(socket.publish('a-1', 1))]
        await until(() => socket.channels().length === 2)
        return [refused, socket.channels().sort()]
      },
      [
        ['forbidden', 'forbidden'],
        ['a-1', 'b-1'],
      ],
    ],
    'a uid that is no text': [
      async ({ start, client }) => {
        const site = await start({}, () => ({ uid: 7 }))
        await client(site).ready()
        const [line] = site.log.filter(({ message }) => message.includes('a uid that is no string'))
        return [site.sockets.sockets()[0]?.uid, line?.level]
      },
      [undefined, 'warn'],
    ],
    'events of sockets': [
      async ({ start, client }) => {
        const site = await start()
        const events: string[] = []
        site.sockets.on('connected', ({ uid }) => void events.push(`connected ${uid}`))
        site.sockets.on('disconnected', ({ uid }, details) => void events.push(`${details} ${uid}`))
        const socket = client(site)
        await socket.ready()
        await socket.end()
        await until(() => events.length === 2)
        return events
      },
      ['connected ann', 'client_closed ann'],
    ],
    'cluster.disconnect of a socket that is in': [
      async ({ start, client }) => {
        const site = await start()
        const socket = client(site)
        await socket.ready()
        await site.sockets.cluster.disconnect({ uid: 'ann' }, { reconnect: false })
        await until(() => socket.state === 'failed')
        return socket.status.error?.data
      },
      { code: 4502, reason: 'Disconnected for good by the server' },
    ],
    'cluster.disconnect while listeners decide': [
      async ({ start, client }) => {
        const site = await start()
        const socket = await held(site.sockets, () => client(site))
        await site.sockets.cluster.disconnect({ uid: 'ann' }, { reconnect: false })
        await until(() => socket.state === 'failed')
        return site.sockets.sockets().length
      },
      0,
    ],
    'development warnings about the data': [
      async ({ start, client }) => {
        const site = await start({}, () => ({ ...ANN, map: new Map() }))
        await client(site).ready()
        return site.log.filter(({ message }) => /JSON changes what .* gave: data\.map/.test(message)).length
      },
      1,
    ],
    shutdown: [
      async ({ start, client }) => {
        const site = await start()
        await client(site).ready()
        const peer = await site.peer()
        void site.sockets.shutdown()
        return (await peer.closed).code
      },
      4000,
    ],
  }

/** A client whose sign-in waits for a listener that never answers. */
async function held(sockets: TokenSocketServer, connect: () => TokenSocket): Promise<TokenSocket> {
  let isAsked = false
  sockets.on('authentication', (_socket, _auth, _callback) => {
    isAsked = true
  })
  const client = connect()
  await until(() => isAsked)
  return client
}

describe('a rule of the sign-in', () => {
  const sites = useSites()

  for (const [rule, [observe, seen]] of Object.entries(RULES))
    for (const [title, { options, client }] of Object.entries(PATHS))
      it(`holds without a token as it does with one: ${rule}, ${title}`, async () => {
        const world: World = {
          start: (more = {}, give = () => ANN) => sites({ engine: undefined, ...options(give), ...more }),
          client: (site, more = {}) => site.client({ logLevel: 'none', ...client, ...more }),
        }
        expect(await observe(world)).to.deep.equal(seen)
      })
})
