/**
 * Errors that throw in their turn when they are read, from every place where an application can throw: each is a failure like
 * any other, and none ends the process.
 */
import type { IncomingMessage } from 'node:http'
import { RpcError, type TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import { type Site, type SiteOptions, until, useSites } from './fixture.js'

const fail = () => {
  throw new Error('a trap')
}

const trap = (error: Error, ...fields: readonly string[]) =>
  Object.defineProperties(error, Object.fromEntries(fields.map((field) => [field, { get: fail }])))

/** Values that throw when they are read. */
const VALUES: Readonly<Record<string, () => unknown>> = {
  'an error with a code': () => trap(new Error('x'), 'code'),
  'an error with a name': () => trap(new Error('x'), 'name'),
  'an error with a message': () => trap(new Error('x'), 'message'),
  'an error with data': () => trap(new Error('x'), 'data'),
  'an error with a code, a name and a message': () => trap(new Error('x'), 'code', 'name', 'message'),
  'an RpcError with data': () => trap(new RpcError('own'), 'data'),
  'an RpcError with a message': () => trap(new RpcError('own'), 'message'),
  'an RpcError with a code': () => trap(new RpcError('own'), 'code'),
  'a proxy': () => new Proxy(new Error('x'), { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail }),
  'a proxy of an RpcError': () => new Proxy(new RpcError('own'), { get: fail, has: fail, ownKeys: fail }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
}

/** Values that are falsy: a look for an error finds none. In a callback they mean that there is none. */
const NOTHING: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'the number 0': () => 0,
  'an empty text': () => '',
}

type Callback = (error: unknown) => void

/** Fails in one of the ways, with the value whose turn it is. */
type Fail = (callback: Callback) => unknown

/** Ways to fail. */
const WAYS: Readonly<Record<string, (value: unknown, callback: Callback) => unknown>> = {
  throws: (value) => {
    throw value
  },
  rejects: async (value) => {
    throw value
  },
  'calls back': (value, callback) => callback(value),
  'calls back later': (value, callback) => void setImmediate(() => callback(value)),
}

/** A place of the server at which an application can fail, what brings it to run, and how that ends. */
interface Place {
  /** Whether it can call back. */
  readonly callback?: true
  /** Whether a promise of it is looked at. */
  readonly isSync?: true
  options?(run: Fail): SiteOptions
  listen?(server: TokenSocketServer, run: Fail): void
  act(site: Site): Promise<unknown>
  /** Codes or statuses that the client may get, whatever the value; `done` where it gets what it asked for. */
  readonly outcomes: readonly unknown[]
  /** The same where it calls back. @default the same as `outcomes` */
  readonly refusals?: readonly unknown[]
}

const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    ({ code }) => code,
  )
const withReady = (use: (client: Awaited<ReturnType<Site['ready']>>) => Promise<unknown>) => (site: Site) =>
  outcomeOf(site.ready({ logLevel: 'none' }).then(use))
const signIn = (site: Site) =>
  outcomeOf(site.client({ reconnect: false, logLevel: 'none' }).ready({ timeout: 5000 }))
const tokenStatus = async (site: Site, headers = {}) =>
  (await fetch(`${site.url}/socket/token`, { headers })).status

const call = withReady((client) => client.rpc('ask', {}, { timeout: 5000 }))
const subscribe = withReady((client) => client.subscribe('room'))
const REQUESTS = {
  subscribe,
  unsubscribe: withReady(async (client) => {
    await client.subscribe('room')
    await client.unsubscribe('room')
  }),
  publish: withReady((client) => client.publish('room', 1)),
  broadcast: withReady((client) => client.broadcast(1)),
}
const everything = withReady(async (client) => {
  await client.subscribe('room')
  await client.publish('room', 1)
  await client.unsubscribe('room')
  await client.end()
})

/** What a fault looks like, a listener or a rule that fails, and what an application refuses with. */
const FAULT = ['internal']
const VETO = ['forbidden', 'internal']
const REFUSAL = ['application_error', 'internal']

const PLACES: Readonly<Record<string, Place>> = {
  handler: {
    callback: true,
    options: (run) => ({ socketController: { ask: (_a, _d, callback) => run(callback) } }),
    act: call,
    outcomes: FAULT,
    refusals: REFUSAL,
  },
  'handler with middleware': {
    callback: true,
    options: (run) => ({ socketController: { ask: (_a, _d, callback) => run(callback) } }),
    listen: (server) => void server.use('call', (_context, next) => next()),
    act: call,
    outcomes: FAULT,
    refusals: REFUSAL,
  },
  route: {
    callback: true,
    options: (run) => ({ routes: { ask: (_req, _res, next) => run(next as never) as never } }),
    act: call,
    outcomes: FAULT,
  },
  authentication: {
    callback: true,
    options: (run) => ({
      authentication: (_request: IncomingMessage, callback: Callback) => run(callback) as never,
    }),
    act: (site) => tokenStatus(site),
    outcomes: [500],
  },
  origins: {
    isSync: true,
    options: (run) => ({ origins: () => run(() => {}) as never }),
    act: (site) => tokenStatus(site, { origin: 'https://another.example' }),
    outcomes: [403],
  },
  rule: {
    options: (run) => ({ channels: { '*': { subscribe: () => run(() => {}) as never } } }),
    act: subscribe,
    outcomes: VETO,
  },
  filter: {
    options: (run) => ({ filter: () => run(() => {}) as never }),
    act: withReady(async (client) => {
      await client.subscribe('room')
      await client.publish('room', 1)
      await client.rpc('echo')
    }),
    outcomes: ['done'],
  },
  'authentication listener': {
    callback: true,
    listen: (server, run) => server.on('authentication', (_s, _a, callback) => run(callback) as never),
    act: signIn,
    outcomes: VETO,
    refusals: REFUSAL,
  },
  'authentication middleware': {
    listen: (server, run) => void server.use('authentication', () => run(() => {})),
    act: signIn,
    outcomes: FAULT,
  },
  'call middleware': {
    listen: (server, run) => void server.use('call', () => run(() => {})),
    act: withReady((client) => client.rpc('echo', 1, { timeout: 5000 })),
    outcomes: FAULT,
  },
  ...Object.fromEntries(
    Object.entries(REQUESTS).flatMap(([type, act]): [string, Place][] => [
      [
        `${type} listener`,
        {
          callback: true,
          listen: (server, run) =>
            server.on(
              type as 'subscribe',
              (_s, _d, ...rest: unknown[]) => run(rest.at(-1) as never) as never,
            ),
          act,
          outcomes: VETO,
          refusals: REFUSAL,
        },
      ],
      [
        `${type} middleware`,
        {
          listen: (server, run) => void server.use(type as 'subscribe', () => run(() => {})),
          act,
          outcomes: FAULT,
        },
      ],
    ]),
  ),
  ...Object.fromEntries(
    (['subscribed', 'published', 'unsubscribed', 'disconnected'] as const).map((event) => [
      `${event} listener`,
      {
        listen: (server, run) => server.on(event, () => run(() => {}) as never),
        act: everything,
        outcomes: ['done'],
      } satisfies Place,
    ]),
  ),
  // An RpcError refuses the socket, at once or when it is in already.
  'connected listener': {
    listen: (server, run) => server.on('connected', () => run(() => {}) as never),
    act: signIn,
    outcomes: ['done', 'own', 'internal'],
  },
}

describe('an error that cannot be read', () => {
  const start = useSites()

  for (const [place, { callback, isSync, options, listen, act, outcomes, refusals }] of Object.entries(
    PLACES,
  )) {
    for (const [way, by] of Object.entries(WAYS)) {
      const isCallback = way.startsWith('calls')
      if ((isCallback && !callback) || (way === 'rejects' && isSync)) continue

      it(`harms no other when a ${place} ${way} it, and is reported`, async () => {
        let make: (() => unknown) | undefined
        const run: Fail = (back) => by(make?.(), back)
        const site = await start(options?.(run) ?? {})
        const isOthersToo = options?.(run).authentication !== undefined
        const other = isOthersToo ? undefined : await site.ready()
        listen?.(site.sockets, run)
        for (const [what, value] of Object.entries(isCallback ? VALUES : { ...VALUES, ...NOTHING })) {
          make = value
          expect(await act(site), what).to.be.oneOf([...((isCallback && refusals) || outcomes)])
        }
        // What a listener answers a sign-in with is a refusal, and no failure.
        const isRefused = place === 'authentication listener' && isCallback
        await until(() => isRefused || site.log.some(({ level }) => level === 'error'))
        if (other)
          expect(await outcomeOf(other.rpc('no such function'))).to.be.oneOf(['not_found', 'internal'])
      })
    }
  }

  for (const [way, by] of Object.entries(WAYS)) {
    it(`harms no client whose action ${way} it`, async () => {
      let make: (() => unknown) | undefined
      const ask = (_data: unknown, back: Callback) => by(make?.(), back)
      const site = await start()
      const { socket } = await site.pair({ logLevel: 'none' }, { ask } as never)
      const values = way.startsWith('calls') ? VALUES : { ...VALUES, ...NOTHING }
      for (const [what, value] of Object.entries(values)) {
        make = value
        expect(await outcomeOf(socket.rpc('ask', 1, { timeout: 5000 })), what).to.be.oneOf(REFUSAL)
      }
    })
  }

  for (const [what, make] of Object.entries(NOTHING))
    it(`is a fault of the middleware that throws it, and of no function: ${what}`, async () => {
      const site = await start()
      site.sockets.use('call', () => {
        throw make()
      })
      const client = await site.ready()
      expect(await outcomeOf(client.rpc('echo', 1))).to.equal('internal')
      expect(site.failures.map(({ details }) => 'middleware' in details)).to.deep.equal([true])
    })

  for (const [what, make] of Object.entries(VALUES)) {
    it(`harms nothing when the callback of \`rpc\` throws it, and is reported: ${what}`, async () => {
      const site = await start()
      const { socket } = await site.pair({}, { echo: (data: unknown) => data })
      socket.rpc('echo', 1, () => {
        throw make()
      })
      await until(() => site.failures.length > 0)
    })
  }
})
