import { EventEmitter } from 'node:events'
import { type ExpressSessionOptions, expressSession } from '@token-socket/sign-out'
import { expect } from 'chai'
import express, { type Express } from 'express'
import session, { MemoryStore, type SessionData, Store } from 'express-session'
import passport from 'passport'
import { type SinonFakeTimers, useFakeTimers } from 'sinon'
import { until } from '../end-to-end/fixture.js'
import { App, EXPRESS, NotedOrders } from './orders.js'

declare module 'express-session' {
  interface SessionData {
    roles: string[]
    visits: number
  }
}

/** A store as connect-redis is one: its methods are async, and call back in the end. */
class AsyncStore extends Store {
  readonly sessions = new Map<string, string>()
  failure: Error | undefined

  override async get(sid: string, callback: (error: unknown, data?: SessionData | null) => void = () => {}) {
    await this.#work(callback, () => JSON.parse(this.sessions.get(sid) ?? 'null') as SessionData | null)
  }

  override async set(sid: string, data: SessionData, callback: (error?: unknown) => void = () => {}) {
    await this.#work(callback, () => void this.sessions.set(sid, JSON.stringify(data)))
  }

  override async touch(sid: string, data: SessionData, callback: (error?: unknown) => void = () => {}) {
    await this.set(sid, data, callback)
  }

  override async destroy(sid: string, callback: (error?: unknown) => void = () => {}) {
    await this.#work(callback, () => void this.sessions.delete(sid))
  }

  async #work<T>(callback: (error: unknown, result?: T) => void, run: () => T) {
    await null
    if (this.failure) callback(this.failure)
    else callback(null, run())
  }
}

/** May never answer. */
class SilentStore extends AsyncStore {
  isSilent = false

  override async get(sid: string, callback?: (error: unknown, data?: SessionData | null) => void) {
    if (!this.isSilent) await super.get(sid, callback)
  }
}

/** Without a callback, it gives promises. */
class PromiseStore extends MemoryStore {
  failure: Error | undefined

  override destroy(sid: string, callback?: (error?: unknown) => void) {
    if (callback) return super.destroy(sid, callback)
    return this.#promise() as never
  }

  async #promise(): Promise<string> {
    await null
    if (this.failure) throw this.failure
    return 'destroyed'
  }
}

/** Its `destroy` fails as a test wants. */
class FailingStore extends MemoryStore {
  fail: ((callback: (error?: unknown) => void) => void) | undefined

  constructor(fail: FailingStore['fail']) {
    super()
    this.fail = fail
    Object.assign(this, { generate: () => {} })
  }

  override destroy(sid: string, callback: (error?: unknown) => void = () => {}) {
    if (this.fail) this.fail(callback)
    else super.destroy(sid, callback)
  }
}

const STORES: Readonly<Record<string, () => Store>> = {
  MemoryStore: () => new MemoryStore(),
  'an async store': () => new AsyncStore(),
}

describe('#expressSession', () => {
  const apps: App[] = []
  let clock: SinonFakeTimers | undefined

  afterEach(async () => {
    clock?.restore()
    clock = undefined
    await Promise.all(apps.splice(0).map((app) => app.stop()))
  })

  const routes = (app: Express) => {
    app.get('/sign-in', (request, response) => {
      Object.assign(request.session, { roles: ['reader'], visits: 0 })
      response.send(request.sessionID)
    })
    app.get('/page', (_request, response) => void response.send('a page'))
    app.get('/visit', (request, response) => {
      request.session.visits = (request.session.visits ?? 0) + 1
      response.send('visited')
    })
    app.get('/promote', (request, response) => {
      request.session.roles = ['reader', 'editor']
      response.send('promoted')
    })
    app.get('/sign-out', (request, response) => {
      request.session.destroy((error) => void response.status(error ? 500 : 200).send('bye'))
    })
    app.get('/unset', (request, response) => {
      request.session = null as never
      response.send('bye')
    })
    app.get('/regenerate', (request, response) => {
      request.session.regenerate((error) => void response.status(error ? 500 : 200).send(request.sessionID))
    })
  }

  const start = async <Session = Readonly<Record<string, unknown>>>(
    options: ExpressSessionOptions<Session> & {
      store?: Store
      version?: string
      maxAge?: number
      unset?: 'destroy' | 'keep'
      prepare?: typeof routes
    } = {},
  ) => {
    const {
      store = new MemoryStore(),
      version = 'Express 5',
      maxAge,
      unset = 'keep',
      prepare = routes,
      ...rest
    } = options
    const sockets = new NotedOrders()
    const failures: unknown[] = []
    const undo = expressSession(sockets, store, {
      onerror: (cause) => failures.push(cause),
      ...rest,
    })
    const app = EXPRESS[version]?.() ?? express()
    const cookie = maxAge === undefined ? {} : { maxAge }
    app.use(session({ secret: 's', resave: false, saveUninitialized: false, unset, store, cookie }))
    prepare(app)
    const one = await App.start(app)
    apps.push(one)
    let cookies = ''
    const get = async (path: string) => {
      const response = await fetch(one.url + path, { headers: { cookie: cookies } })
      const set = response.headers.get('set-cookie')
      if (set) cookies = set.split(';', 1).join()
      return response.text()
    }
    return { sockets, failures, undo, get, store }
  }

  for (const version of Object.keys(EXPRESS)) {
    for (const [name, make] of Object.entries(STORES)) {
      for (const way of ['/sign-out', '/unset']) {
        it(`closes the sockets of a session that ${way} ends, with ${name} on ${version}`, async () => {
          const { sockets, get } = await start({
            store: make(),
            version,
            unset: way === '/unset' ? 'destroy' : 'keep',
          })
          const sid = await get('/sign-in')
          await get('/page')
          expect(sockets.orders).to.deep.equal([])
          expect(await get(way)).to.equal('bye')
          expect(sockets.orders).to.deep.equal([['revoke', { session: sid }]])
        })
      }
    }
  }

  it('leaves the store as it was', async () => {
    const store = new AsyncStore()
    const { get } = await start({ store })
    const sid = await get('/sign-in')
    expect(await get('/visit')).to.equal('visited')
    expect(JSON.parse(store.sessions.get(sid) ?? '')).to.deep.include({ roles: ['reader'], visits: 1 })
    await store.destroy(sid)
    expect(store.sessions.size).to.equal(0)
  })

  it('does nothing where the store could not destroy a session', async () => {
    const store = new AsyncStore()
    const { sockets } = await start({ store })
    store.failure = new Error('the store is away')
    const error = await new Promise((resolve) => void store.destroy('a', resolve))
    expect([error, sockets.orders]).to.deep.equal([store.failure, []])
  })

  describe('a store that is called without a callback', () => {
    it('closes the sockets when it has returned', async () => {
      const { sockets, store } = await start()
      store.destroy('a')
      expect(sockets.orders).to.deep.equal([['revoke', { session: 'a' }]])
    })

    it('gives its own promise, and closes them when that resolves', async () => {
      const { sockets, store } = await start({ store: new PromiseStore() })
      const promise = store.destroy('a') as unknown as Promise<string>
      expect([await promise, sockets.orders]).to.deep.equal(['destroyed', [['revoke', { session: 'a' }]]])
    })

    it('closes none when that rejects', async () => {
      const store = new PromiseStore()
      const { sockets } = await start({ store })
      store.failure = new Error('the store is away')
      const cause = await (store.destroy('a') as unknown as Promise<string>).catch((error) => error)
      expect([cause, sockets.orders]).to.deep.equal([store.failure, []])
    })
  })

  it('reports an order that fails, and the application goes on', async () => {
    const { sockets, failures, get } = await start()
    sockets.failure = new Error('the engine is away')
    await get('/sign-in')
    expect(await get('/sign-out')).to.equal('bye')
    expect(failures).to.deep.equal([sockets.failure])
  })

  describe('a regenerated session', () => {
    for (const order of ['revoke', 'refresh'] as const) {
      it(`has its sockets told to ${order}, after the answer`, async () => {
        const answered: number[] = []
        const { sockets, get } = await start({
          onregenerate: order,
          prepare: (app) => {
            app.use((_request, response, next) => {
              response.once('finish', () => answered.push(sockets.orders.length))
              next()
            })
            routes(app)
          },
        })
        const before = await get('/sign-in')
        const after = await get('/regenerate')
        expect(after).to.not.equal(before)
        await until(() => sockets.orders.length > 0)
        expect(sockets.orders).to.deep.equal([[order, { session: before }]])
        expect(answered).to.deep.equal([0, 0])
      })
    }

    for (const [title, isSignedIn, order] of [
      ['closes the sockets where the new session has no user', ({ roles }) => roles, 'revoke'],
      ['asks for new tokens where it has one', () => true, 'refresh'],
      [
        'closes the sockets where the function fails',
        () => {
          throw new Error('no')
        },
        'revoke',
      ],
    ] as const satisfies readonly (readonly [string, ExpressSessionOptions['isSignedIn'], string])[])
      it(`${title}: \`isSignedIn\``, async () => {
        const { sockets, get } = await start({ onregenerate: 'refresh', isSignedIn, onerror: () => {} })
        const before = await get('/sign-in')
        await get('/regenerate')
        await until(() => sockets.orders.length > 0)
        expect(sockets.orders).to.deep.equal([[order, { session: before }]])
      })

    const FAILURES: Readonly<Record<string, (callback: (error?: unknown) => void) => void>> = {
      throws: () => {
        throw new Error('the store is away')
      },
      hangs: () => {},
      fails: (callback) => callback(new Error('the store is away')),
    }

    for (const [how, fail] of Object.entries(FAILURES)) {
      it(`is signed out later, where the store ${how} when it is regenerated`, async () => {
        const store = new FailingStore(fail)
        const sockets = new NotedOrders()
        expressSession(sockets, store)
        try {
          store.regenerate({ sessionID: 'a' } as never, () => {})
        } catch {}
        store.fail = undefined
        await new Promise((resolve) => store.destroy('a', resolve))
        expect(sockets.orders).to.deep.equal([['revoke', { session: 'a' }]])
      })
    }

    it('waits for the answer for a second at most', async () => {
      const store = new MemoryStore()
      const sockets = new NotedOrders()
      expressSession(sockets, store)
      Object.assign(store, { generate: () => {} })
      clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const res = Object.assign(new EventEmitter(), { writableFinished: false })
      await new Promise((resolve) => store.regenerate({ sessionID: 'a', res } as never, resolve))
      await clock.tickAsync(999)
      expect(sockets.orders).to.deep.equal([])
      await clock.tickAsync(1)
      expect(sockets.orders).to.deep.equal([['revoke', { session: 'a' }]])
    })
  })

  it('closes the sockets of a user whom Passport logs out', async () => {
    const strategy = {
      name: 'test',
      authenticate(this: { success(user: object): void }) {
        this.success({ id: 'ann' })
      },
    }
    const authenticator = new passport.Passport()
    authenticator.use(strategy as never)
    authenticator.serializeUser((user, done) => done(null, user))
    authenticator.deserializeUser((user, done) => done(null, user))
    const { sockets, get } = await start({
      prepare: (app) => {
        app.use(authenticator.session())
        app.get('/sign-in', authenticator.authenticate('test'), (request, response) => {
          response.send(request.sessionID)
        })
        app.get('/sign-out', (request, response) => {
          const { logout } = request as unknown as { logout(done: (error: unknown) => void): void }
          logout.call(request, (error) => void response.send(error ? 'failed' : 'bye'))
        })
      },
    })
    const sid = await get('/sign-in')
    sockets.orders.length = 0
    expect(await get('/sign-out')).to.equal('bye')
    await until(() => sockets.orders.length > 0)
    expect(sockets.orders).to.deep.equal([['revoke', { session: sid }]])
  })

  describe('a session that nothing ends', () => {
    const save = (store: Store, sid: string, maxAge: number | undefined) =>
      new Promise((resolve) => {
        const cookie = {
          originalMaxAge: maxAge ?? null,
          ...(maxAge && { expires: new Date(Date.now() + maxAge) }),
        }
        store.set(sid, { cookie } as SessionData, resolve)
      })

    const watch = (options: ExpressSessionOptions = {}, store: Store = new MemoryStore()) => {
      clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
      const sockets = new NotedOrders()
      const failures: unknown[] = []
      const undo = expressSession(sockets, store, {
        onerror: (cause) => failures.push(cause),
        ...options,
      })
      /** Lets time pass, and the store answer. */
      const pass = async (ms: number) => {
        await clock?.tickAsync(ms)
        for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      }
      return { store, sockets, failures, undo, pass }
    }

    it('is over with its cookie, a second later at most', async () => {
      const { store, sockets, pass } = watch()
      await save(store, 'a', 60_000)
      await pass(60_000)
      expect(sockets.orders).to.deep.equal([])
      await pass(1000)
      expect(sockets.orders).to.deep.equal([['revoke', { session: 'a' }]])
    })

    it('lives on where a request touches it', async () => {
      const { store, sockets, pass } = watch()
      await save(store, 'a', 60_000)
      await pass(50_000)
      const cookie = { expires: new Date(Date.now() + 60_000) }
      await new Promise<void>((resolve) => store.touch?.('a', { cookie } as SessionData, resolve))
      await pass(50_000)
      expect(sockets.orders).to.deep.equal([])
      await pass(11_000)
      expect(sockets.orders).to.have.length(1)
    })

    it('lives on where another node touches it in the store that they share', async () => {
      const shared = new AsyncStore()
      const { sockets, pass } = watch({}, shared)
      await save(shared, 'a', 60_000)
      const other = JSON.stringify({ cookie: { expires: new Date(Date.now() + 120_000) } })
      shared.sessions.set('a', other)
      await pass(61_000)
      expect(sockets.orders).to.deep.equal([])
      shared.sessions.delete('a')
      await pass(60_000)
      expect(sockets.orders).to.deep.equal([['revoke', { session: 'a' }]])
    })

    it('is looked for at times where the store keeps the end that it had at first', async () => {
      const store = new AsyncStore()
      const { sockets, pass } = watch({}, store)
      let looks = 0
      const json = JSON.stringify({ cookie: { expires: new Date(Date.now()), originalMaxAge: 100_000 } })
      store.sessions.get = (sid) => {
        looks += 1
        return Map.prototype.get.call(store.sessions, sid)
      }
      await save(store, 'a', 1000)
      store.sessions.set('a', json)
      for (let tenths = 0; tenths < 10; tenths += 1) await pass(10_000)
      expect(looks).to.be.within(9, 11)
      store.sessions.delete('a')
      await pass(10_000)
      expect(sockets.orders).to.have.length(1)
    })

    it('is one of 32 at most that the store is asked for at once', async () => {
      const store = new AsyncStore()
      const { sockets, pass } = watch({}, store)
      let [now, most] = [0, 0]
      for (let index = 0; index < 500; index += 1) await save(store, String(index), 60_000)
      store.sessions.clear()
      sockets.cluster.isConnected = async () => {
        now += 1
        most = Math.max(most, now)
        await null
        now -= 1
        return true
      }
      await pass(61_000)
      await until(() => sockets.orders.length === 500)
      expect(most).to.be.within(2, 32)
    })

    it('is not looked for where it is read, though the store has the end that it had at first', async () => {
      const store = new AsyncStore()
      const { pass } = watch({ watch: ({ roles }) => roles }, store)
      let looks = 0
      await save(store, 'a', 60_000)
      store.sessions.set('a', JSON.stringify({ cookie: { expires: new Date(0) } }))
      store.sessions.get = (sid) => {
        looks += 1
        return Map.prototype.get.call(store.sessions, sid)
      }
      for (let count = 0; count < 10; count += 1) {
        await new Promise((resolve) => void store.get('a', resolve))
        await pass(100)
      }
      expect(looks).to.equal(10)
    })

    it('gives no order where it has no sockets', async () => {
      const { store, sockets, pass } = watch()
      sockets.isConnected = false
      await save(store, 'a', 60_000)
      await pass(61_000)
      expect(sockets.orders).to.deep.equal([])
    })

    it('has an end by `ttl` where its cookie has none', async () => {
      for (const ttl of [undefined, 30_000]) {
        const store = new AsyncStore()
        const { sockets, pass, undo } = watch({ ttl }, store)
        await save(store, 'a', undefined)
        store.sessions.clear()
        await pass(31_000)
        expect(sockets.orders).to.have.length(ttl === undefined ? 0 : 1)
        undo()
        clock?.restore()
      }
    })

    it('is looked for again where the store fails, which is reported', async () => {
      const store = new AsyncStore()
      const { sockets, failures, pass } = watch({}, store)
      await save(store, 'a', 1000)
      store.sessions.clear()
      store.failure = new Error('the store is away')
      await pass(2000)
      expect([failures, sockets.orders]).to.deep.equal([[store.failure], []])
      store.failure = undefined
      await pass(1000)
      expect(sockets.orders).to.deep.equal([['revoke', { session: 'a' }]])
    })

    it('is watched no longer, and nothing is reported, once the server has shut down', async () => {
      const { store, sockets, failures, pass } = watch()
      for (const sid of ['a', 'b']) await save(store, sid, sid === 'a' ? 1000 : 60_000)
      sockets.failure = Object.assign(new Error('it is over'), { code: 'shutting_down' })
      await pass(2000)
      expect([sockets.orders.length, failures, clock?.countTimers()]).to.deep.equal([1, [], 0])
    })

    it('is over where the store says ENOENT, as stores of files do, also to `destroy`', async () => {
      const store = new AsyncStore()
      const { sockets, failures, pass } = watch({}, store)
      for (const sid of ['a', 'b']) await save(store, sid, 1000)
      store.failure = Object.assign(new Error('no such file'), { code: 'ENOENT' })
      await store.destroy('b')
      await pass(2000)
      expect(sockets.orders.map(([, who]) => who)).to.deep.equal([{ session: 'b' }, { session: 'a' }])
      expect(failures).to.deep.equal([])
    })

    it('is looked for again where the store does not answer for 5 s, however many hang', async () => {
      const store = new SilentStore()
      const { sockets, failures, pass } = watch({}, store)
      for (let index = 0; index < 40; index += 1) await save(store, String(index), 1000)
      store.sessions.clear()
      store.isSilent = true
      await pass(2000)
      store.isSilent = false
      expect([failures, sockets.orders]).to.deep.equal([[], []])
      await pass(5000)
      expect(failures).to.have.length(32)
      expect(String(failures[0])).to.include('5000 ms')
      await pass(1000)
      expect(sockets.orders).to.have.length(40)
    })

    it('is over when the store is emptied', async () => {
      const { store, sockets, pass } = watch()
      await save(store, 'a', 60_000)
      await new Promise((resolve) => store.clear?.(resolve))
      await pass(1)
      expect(sockets.orders).to.deep.equal([['revoke', { session: 'a' }]])
    })

    it('is not watched where more than `sessions` were used since, which is reported once', async () => {
      const { store, sockets, failures, pass } = watch({ sessions: 2 })
      for (const sid of ['a', 'b', 'c', 'd']) await save(store, sid, 60_000)
      expect(failures).to.have.length(1)
      await pass(61_000)
      expect(sockets.orders.map(([, who]) => who)).to.have.deep.members([{ session: 'c' }, { session: 'd' }])
    })

    it('has one timer with all others, and none after the end', async () => {
      // This store answers within the turn: in other turns the runtime has timers of its own.
      const { store, undo, sockets, pass } = watch({}, new AsyncStore())
      for (let index = 0; index < 1000; index += 1) await save(store, String(index), 60_000)
      expect(clock?.countTimers()).to.equal(1)
      undo()
      expect(clock?.countTimers()).to.equal(0)
      await pass(61_000)
      expect(sockets.orders).to.deep.equal([])
    })
  })

  describe('`watch`', () => {
    const roles = { watch: ({ roles }: Record<string, unknown>) => roles }

    it('takes functions of the application’s own type of sessions', async () => {
      const { sockets, get } = await start({ watch: ({ roles }: SessionData) => roles.length })
      const sid = await get('/sign-in')
      await get('/promote')
      expect(sockets.orders).to.deep.equal([['refresh', { session: sid }]])
    })

    it('closes sockets where the saved session has no user any longer: `isSignedIn`', async () => {
      for (const options of [roles, {}]) {
        const prepare = (app: Express) => {
          routes(app)
          app.get('/ban', (request, response) => {
            request.session.roles = []
            response.send('banned')
          })
        }
        const isSignedIn = ({ roles }: SessionData) => roles?.length
        const { sockets, get } = await start<SessionData>({ ...options, isSignedIn, prepare })
        const sid = await get('/sign-in')
        await get('/visit')
        expect(sockets.orders).to.deep.equal([])
        await get('/ban')
        expect(sockets.orders).to.deep.equal([['revoke', { session: sid }]])
      }
    })

    it('has clients refresh when a request saves other rights, and only then', async () => {
      const { sockets, get } = await start(roles)
      const sid = await get('/sign-in')
      for (const path of ['/visit', '/page', '/visit']) await get(path)
      expect(sockets.orders).to.deep.equal([])
      await get('/promote')
      await get('/promote')
      expect(sockets.orders).to.deep.equal([['refresh', { session: sid }]])
    })

    it('compares with what the store has, whichever node saved it', async () => {
      const store = new AsyncStore()
      const nodes = [await start({ ...roles, store }), await start({ ...roles, store })] as const
      const sid = await nodes[0].get('/sign-in')
      const get = (path: string) =>
        new Promise((resolve) => void store.get(sid, (_, data) => resolve([path, data])))
      await get('read by both')
      for (const { sockets } of nodes) sockets.orders.length = 0
      await nodes[0].get('/promote')
      expect(nodes.flatMap(({ sockets }) => sockets.orders)).to.deep.include(['refresh', { session: sid }])
    })

    it('left out, saving does nothing', async () => {
      const { sockets, get } = await start()
      await get('/sign-in')
      await get('/promote')
      expect(sockets.orders).to.deep.equal([])
    })

    it('may throw: that is reported, and sessions work', async () => {
      const failure = new Error('a bug')
      const { failures, get } = await start({
        watch: () => {
          throw failure
        },
      })
      await get('/sign-in')
      expect(await get('/visit')).to.equal('visited')
      expect(failures).to.include(failure)
    })
  })

  describe('the function that it returns', () => {
    it('gives the store back', async () => {
      const { undo, store, sockets, get } = await start({ watch: () => 1 })
      const names = ['get', 'set', 'touch', 'destroy', 'regenerate', 'clear']
      expect(names.filter((name) => Object.hasOwn(store, name))).to.deep.equal(names)
      undo()
      expect(names.filter((name) => Object.hasOwn(store, name))).to.deep.equal([])
      await get('/sign-in')
      await get('/sign-out')
      expect(sockets.orders).to.deep.equal([])
    })

    it('ends the watching also where another library has wrapped the store since', async () => {
      const { undo, store, sockets, get } = await start()
      const destroy = store.destroy
      let destroyed = 0
      store.destroy = function (this: Store, ...args) {
        destroyed += 1
        return destroy.apply(this, args)
      }
      undo()
      await get('/sign-in')
      await get('/sign-out')
      expect([destroyed, sockets.orders]).to.deep.equal([1, []])
    })
  })

  for (const [name, args] of Object.entries({
    store: [{}, {}],
    'no store': [undefined, {}],
    onregenerate: [new MemoryStore(), { onregenerate: 'close' }],
    watch: [new MemoryStore(), { watch: 'roles' }],
    isSignedIn: [new MemoryStore(), { isSignedIn: 'auth' }],
    ttl: [new MemoryStore(), { ttl: -1 }],
    sessions: [new MemoryStore(), { sessions: 0.5 }],
  })) {
    it(`checks what it is given: ${name}`, () => {
      const [store, options] = args as [never, never]
      expect(() => expressSession(new NotedOrders(), store, options))
        .to.throw()
        .with.property('code', 'bad_option')
    })
  }
})
