/** Errors that throw in their turn when they are read, from every place where an application can throw: none ends the process. */
import type { IncomingMessage } from 'node:http'
import { RpcError, type TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import { rejection, type Site, useSites } from './fixture.js'

const trap = (field: string) =>
  Object.defineProperty(new Error('x'), field, {
    get: () => {
      throw new Error(`the ${field} cannot be read`)
    },
  })

const fail = () => {
  throw new Error('a trap')
}

/** Values that throw when they are read. */
const VALUES: Readonly<Record<string, () => unknown>> = {
  'an error with a code': () => trap('code'),
  'an error with a name': () => trap('name'),
  'an error with a message': () => trap('message'),
  'an error with data': () => trap('data'),
  'an RpcError with data': () => Object.defineProperty(new RpcError('own'), 'data', { get: fail }),
  'an RpcError with a message': () => Object.defineProperty(new RpcError('own'), 'message', { get: fail }),
  'an RpcError with a code': () => Object.defineProperty(new RpcError('own'), 'code', { get: fail }),
  'a proxy': () => new Proxy(new Error('x'), { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail }),
  'a proxy of an RpcError': () => new Proxy(new RpcError('own'), { get: fail, has: fail, ownKeys: fail }),
}

/** Ways to fail. */
const WAYS: Readonly<Record<string, (value: unknown, callback: (error: unknown) => void) => unknown>> = {
  throws: (value) => {
    throw value
  },
  rejects: async (value) => {
    throw value
  },
  'calls back': (value, callback) => callback(value),
  'calls back later': (value, callback) => void setImmediate(() => callback(value)),
}

type Fail = (callback: (error: unknown) => void) => unknown

/** Places of the server at which an application can fail, and what a client does so that it does. */
const PLACES: Readonly<
  Record<
    string,
    {
      /** Whether it can call back. */
      readonly callback?: true
      options?(run: Fail): Partial<TokenSocketServerOptions>
      prepare?(site: Site, run: Fail): void
      act(site: Site): Promise<unknown>
    }
  >
> = {
  handler: {
    callback: true,
    options: (run) => ({ socketController: { ask: (_a, _d, callback) => run(callback) } }),
    act: async (site) => (await site.ready()).rpc('ask', 1, { timeout: 2000 }),
  },
  'handler with middleware': {
    callback: true,
    options: (run) => ({ socketController: { ask: (_a, _d, callback) => run(callback) } }),
    prepare: (site) => void site.sockets.use('call', (_context, next) => next()),
    act: async (site) => (await site.ready()).rpc('ask', 1, { timeout: 2000 }),
  },
  route: {
    options: (run) => ({ routes: { ask: (_req, _res, next) => run(next as never) as never } }),
    callback: true,
    act: async (site) => (await site.ready()).rpc('ask', {}, { timeout: 2000 }),
  },
  authentication: {
    callback: true,
    options: (run) => ({
      authentication: (_request: IncomingMessage, callback: (error: unknown) => void) =>
        run(callback) as never,
    }),
    act: (site) => site.client({ reconnect: false, logLevel: 'none' }).ready({ timeout: 300 }),
  },
  'authentication listener': {
    callback: true,
    prepare: (site, run) =>
      void site.sockets.on('authentication', (_s, _a, callback) => run(callback) as never),
    act: (site) => site.client({ reconnect: false, logLevel: 'none' }).ready({ timeout: 2000 }),
  },
  rule: {
    options: (run) => ({ channels: { '*': { subscribe: () => run(() => {}) as never } } }),
    act: async (site) => (await site.ready()).subscribe('a'),
  },
  filter: {
    options: (run) => ({ filter: () => run(() => {}) as never }),
    act: async (site) => {
      const client = await site.ready()
      await client.subscribe('a')
      await client.publish('a', 1)
      throw new RpcError('done')
    },
  },
  ...Object.fromEntries(
    (['subscribe', 'unsubscribe', 'publish', 'broadcast'] as const).flatMap((type) => {
      const act = async (site: Site) => {
        const client = await site.ready()
        if (type === 'unsubscribe') await client.subscribe('a')
        return type === 'broadcast' ? client.broadcast(1) : client[type as 'publish']('a', 1 as never)
      }
      return [
        [
          `${type} listener`,
          {
            callback: true,
            prepare: (site: Site, run: Fail) =>
              void site.sockets.on(
                type as 'subscribe',
                (_s, _c, ...rest: unknown[]) => run(rest.at(-1) as never) as never,
              ),
            act,
          },
        ],
        [
          `${type} middleware`,
          { prepare: (site: Site, run: Fail) => void site.sockets.use(type, () => run(() => {})), act },
        ],
      ]
    }),
  ),
  'call middleware': {
    prepare: (site, run) => void site.sockets.use('call', () => run(() => {})),
    act: async (site) => (await site.ready()).rpc('echo', 1, { timeout: 2000 }),
  },
  'authentication middleware': {
    prepare: (site, run) => void site.sockets.use('authentication', () => run(() => {})),
    act: (site) => site.client({ reconnect: false, logLevel: 'none' }).ready({ timeout: 2000 }),
  },
  'listener of connected': {
    prepare: (site, run) => void site.sockets.on('connected', () => run(() => {}) as never),
    act: async (site) => {
      await site.ready()
      throw new RpcError('done')
    },
  },
}

describe('an error that cannot be read', () => {
  const sites = useSites()

  for (const [place, { callback, options, prepare, act }] of Object.entries(PLACES)) {
    for (const [way, by] of Object.entries(WAYS)) {
      if (way.startsWith('calls') && !callback) continue
      it(`harms nothing when a ${place} ${way} it`, async () => {
        for (const [what, make] of Object.entries(VALUES)) {
          const run: Fail = (back) => by(make(), back)
          const site = await sites(options?.(run) ?? {})
          prepare?.(site, run)
          const { code } = await rejection(act(site))
          expect(code, what).not.to.be.oneOf(['timeout', 'connection_lost'])
          await site.stop()
        }
      })
    }
  }

  for (const [way, by] of Object.entries(WAYS))
    it(`harms no client whose action ${way} it`, async () => {
      for (const [what, make] of Object.entries(VALUES)) {
        const site = await sites()
        const client = await site.ready({ logLevel: 'none' }, {
          ask: (_data: unknown, back: (error: unknown) => void) => by(make(), back),
        } as never)
        const [socket] = site.sockets.sockets()
        const { code } = await rejection(socket?.rpc('ask', 1, { timeout: 2000 }) as Promise<unknown>)
        expect(code, what).not.to.equal('timeout')
        await client.end()
        await site.stop()
      }
    })
})
