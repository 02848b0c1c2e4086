/** Middleware around every kind of request, as clients see it; the answers are frames, as legacy clients get them, too. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type MiddlewareContext, type MiddlewareType, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { deferred, next, rejection, type Site, turn, until, useSites } from './fixture.js'
import type { Frame, Peer } from './peer.js'

const circular: { self?: unknown } = {}
circular.self = circular

const TIMES = { vetoTimeout: 50, callTimeout: 300 }

/** What a client sends for each kind, on a channel that it is on, and what the log and the `error` event name. */
const REQUESTS: Readonly<
  Record<Exclude<MiddlewareType, 'authentication'>, { request: Frame; subject: object }>
> = {
  call: { request: { rpc: 'echo', req: { a: 1 } }, subject: { function: 'echo' } },
  subscribe: { request: { rpc: '_subscribe', req: { channel: 'room' } }, subject: { channel: 'room' } },
  unsubscribe: { request: { rpc: '_unsubscribe', req: { channel: 'room' } }, subject: { channel: 'room' } },
  publish: {
    request: { rpc: '_publish', req: { channel: 'room', data: { a: 1 } } },
    subject: { channel: 'room' },
  },
  broadcast: { request: { rpc: '_broadcast', req: { data: { a: 1 } } }, subject: {} },
  history: { request: { rpc: '_history', req: { channel: 'room' } }, subject: { channel: 'room' } },
  message: { request: { rpc: '_send', req: { data: { a: 1 } } }, subject: {} },
}
const TYPES = [...(Object.keys(REQUESTS) as (keyof typeof REQUESTS)[]), 'authentication'] as const

type Next = (refusal?: Error) => Promise<unknown>

/** Without what differs from time to time. */
function comparable({ uuid: _uuid, ...frame }: Frame): unknown {
  const text = JSON.stringify(frame)
  return JSON.parse(text.replace(/"(sid|id|time|epoch|iat)":("[^"]*"|\d+)/g, '"$1":0'))
}

describe('middleware', () => {
  const sites = useSites()

  /** Sends a request of a kind, and resolves to the answer. */
  async function ask(site: Site, type: (typeof TYPES)[number], peer?: Peer): Promise<Frame> {
    if (type === 'authentication') return (await site.peer()).auth(await site.token())
    const asker = peer ?? (await member(site))
    return asker.ask(REQUESTS[type].request)
  }

  async function member(site: Site): Promise<Peer> {
    const peer = await site.peer()
    await peer.ask({ rpc: 'auth', version: 1, can: ['direct'], token: await site.token() })
    site.sockets.on('message', () => {})
    await peer.ask({ rpc: '_subscribe', req: { channel: 'room' } })
    return peer
  }

  /** An answer that is an error: its code, and the text or object that the legacy client gets. */
  const errorOf = ({ code, error }: Frame) => [code, error]

  const linesOf = (site: Site, type: string) =>
    site.log.filter(({ level, details }) => level === 'warn' && details.middleware === type)

  for (const type of TYPES) {
    describe(`around ${type}`, () => {
      let site: Site
      let peer: Peer | undefined
      let plain: unknown

      beforeEach(async () => {
        site = await sites()
        peer = type === 'authentication' ? undefined : await member(site)
        plain = comparable(await ask(site, type, peer))
      })

      const asked = () => ask(site, type, peer)
      const subject = type === 'authentication' ? {} : REQUESTS[type].subject
      const isCall = type === 'call'

      it('gets the type, the socket and the names, and passes on', async () => {
        const seen: MiddlewareContext[] = []
        site.sockets.use((context, next) => {
          seen.push(context)
          return next()
        })
        expect(comparable(await asked())).to.deep.equal(plain)
        const [context] = seen
        expect(seen).to.have.length(1)
        expect(context?.type).to.equal(type)
        expect(context?.socket.auth).to.deep.equal({ name: 'ann' })
        const { function: name, ...others } = subject as { function?: string }
        expect(context).to.deep.include(others)
        if (name) expect(context).to.have.property('name', name)
      })

      it('passes on if it does not wait for next(), or returns nothing', async () => {
        site.sockets.use((_context, next) => void next())
        site.sockets.use(async (_context, next) => {
          await next()
        })
        expect(comparable(await asked())).to.deep.equal(plain)
      })

      it('gives another answer to calls only', async () => {
        site.sockets.use(async (_context, next) => {
          await next()
          return { other: true }
        })
        const answer = comparable(await asked())
        expect(answer).to.deep.equal(isCall ? { rpc: 'echo', resp: { other: true } } : plain)
      })

      it('answers calls with a value of its own without next(), and refuses everything else', async () => {
        site.sockets.use(() => 'mine')
        const answer = await asked()
        if (isCall) return expect(answer.resp).to.equal('mine')
        expect(answer.code).to.equal('forbidden')
        const [line] = linesOf(site, type)
        expect(line?.message).to.include('without calling next()')
        return expect(line?.details).to.include(subject)
      })

      it('refuses without next() and without a value, with a line', async () => {
        site.sockets.use(() => {})
        expect((await asked()).code).to.equal('forbidden')
        expect(linesOf(site, type)).to.have.length(1)
      })

      it('refuses with `false`, in silence', async () => {
        site.sockets.use(() => false)
        expect((await asked()).code).to.equal('forbidden')
        expect(linesOf(site, type)).to.deep.equal([])
      })

      for (const [what, call] of [
        ['given to next()', (next: Next, error: Error) => next(error)],
        ['given to next(), and left alone', (next: Next, error: Error) => void next(error)],
        ['given to next(), and hidden', (next: Next, error: Error) => next(error).catch(() => 'mine')],
        [
          'given to next() beside a next() that goes on',
          (next: Next, error: Error) => next(error).catch(next),
        ],
      ] as const) {
        it(`refuses with an RpcError ${what}, and runs nothing`, async () => {
          const inside: string[] = []
          site.sockets.use((_context, next) => call(next, new RpcError('too_often', 'Not now', { left: 0 })))
          site.sockets.use((context) => void inside.push(context.type))
          const error = { message: 'Not now', code: 'too_often', data: { left: 0 } }
          expect(errorOf(await asked())).to.deep.equal(['too_often', error])
          expect([inside, site.failures, linesOf(site, type)]).to.deep.equal([[], [], []])
        })

        it(`refuses with internal if anything else is ${what}`, async () => {
          const inside: string[] = []
          for (const wrong of [new TypeError('a secret'), 'no', null, false, { code: 'x' }, 'route', 0]) {
            const undo = site.sockets.use((_context, next) => call(next, wrong as Error))
            const undoInner = site.sockets.use((context) => void inside.push(context.type))
            expect(errorOf(await asked()), String(wrong)).to.deep.equal(['internal', 'Internal error'])
            undo()
            undoInner()
          }
          expect(inside).to.deep.equal([])
          expect(String(site.failures[0]?.cause)).to.equal('TypeError: a secret')
          expect(String(site.failures[1]?.cause)).to.include('next() with an argument that is no error')
          expect(site.failures).to.have.length(7)
        })
      }

      it('runs several that are added at once in their order, and takes them away together', async () => {
        const order: string[] = []
        const step = (name: string) => (_context: unknown, next: Next) => {
          order.push(name)
          return next()
        }
        const undo = site.sockets.use(step('a'), step('b'))
        site.sockets.use(type as 'call', step('c'), step('d'))
        expect(comparable(await asked())).to.deep.equal(plain)
        expect(order).to.deep.equal(['a', 'b', 'c', 'd'])
        undo()
        expect(comparable(await asked())).to.deep.equal(plain)
        expect(order).to.deep.equal(['a', 'b', 'c', 'd', 'c', 'd'])
      })

      for (const [when, isAfter] of [
        ['before', false],
        ['after', true],
      ] as const) {
        it(`refuses with an RpcError ${when} next()`, async () => {
          site.sockets.use(async (_context, next) => {
            if (isAfter) await next()
            throw new RpcError('too_often', 'Not now', { left: 0 })
          })
          const error = { message: 'Not now', code: 'too_often', data: { left: 0 } }
          expect(errorOf(await asked())).to.deep.equal(['too_often', error])
          expect(site.failures).to.deep.equal([])
        })

        it(`refuses with internal if it throws anything else ${when} next()`, async () => {
          const cause = new Error('a secret')
          site.sockets.use(async (_context, next) => {
            if (isAfter) await next()
            throw cause
          })
          expect(errorOf(await asked())).to.deep.equal(['internal', 'Internal error'])
          expect(site.failures.map((failure) => failure.cause)).to.deep.equal([cause])
          expect(site.failures[0]?.details).to.include({ middleware: type, ...subject })
        })

        it(`is refused in time if it hangs ${when} next(), and runs nothing late`, async () => {
          const hung = deferred()
          let late: Promise<unknown> | undefined
          const order: string[] = []
          site = await sites({ limits: TIMES })
          peer &&= await member(site)
          site.sockets.use(async (_context, next) => {
            if (isAfter) await next()
            await hung.promise
            late = next()
          })
          site.sockets.use((_context, next) => {
            order.push('inside')
            return next()
          })
          const answer = await asked()
          expect(answer.code).to.equal(isCall ? 'timeout' : 'veto_timeout')
          await until(() => linesOf(site, type).length > 0)
          expect(linesOf(site, type)[0]?.details).to.include({ middleware: type, ...subject })
          hung.resolve()
          await until(() => late)
          await late?.catch(() => order.push('refused'))
          expect(order).to.deep.equal(isAfter ? ['inside', 'refused'] : ['refused'])
        })
      }

      it('fails if it calls next() twice, and runs the rest once', async () => {
        let count = 0
        site.sockets.use(async (_context, next) => {
          await next()
          await next().catch(() => {})
        })
        site.sockets.use((_context, next) => {
          count += 1
          return next()
        })
        expect((await asked()).code).to.equal('internal')
        expect(count).to.equal(1)
        expect(String(site.failures[0]?.cause)).to.include('next() twice')
      })

      it('can wait', async () => {
        site.sockets.use(async (_context, next) => {
          await new Promise(setImmediate)
          const answer = await next()
          await new Promise(setImmediate)
          return answer
        })
        expect(comparable(await asked())).to.deep.equal(plain)
      })

      it('runs outermost first, in the order in which they were added', async () => {
        const order: string[] = []
        for (const name of ['a', 'b', 'c']) {
          site.sockets.use(async (_context, next) => {
            order.push(name)
            const answer = await next()
            order.push(name.toUpperCase())
            return answer
          })
        }
        await asked()
        expect(order.join('')).to.equal('abcCBA')
      })

      it('runs for its own type only, and for that', async () => {
        const order: string[] = []
        for (const one of TYPES) {
          site.sockets.use(one, (context, next) => {
            order.push(context.type)
            return next()
          })
        }
        expect(comparable(await asked())).to.deep.equal(plain)
        expect(order).to.deep.equal([type])
      })
    })
  }

  describe('around what the request itself refuses', () => {
    for (const type of ['subscribe', 'unsubscribe', 'publish', 'broadcast', 'authentication'] as const) {
      for (const [what, refuse, code] of [
        ['false', () => false, 'forbidden'],
        ['an RpcError', () => Promise.reject(new RpcError('poor', 'Poor', 1)), 'poor'],
        [
          'a text',
          (...args: unknown[]) => (args[2] as (error: unknown) => void)('a text'),
          'application_error',
        ],
      ] as const) {
        it(`${type} with ${what}: the answer is the same, and cannot be swallowed`, async () => {
          const site = await sites()
          const peer = type === 'authentication' ? undefined : await member(site)
          const listener = (socket: unknown, data: unknown, callback: unknown) =>
            (refuse as (...args: unknown[]) => unknown)(socket, data, callback)
          site.sockets.on(type, listener as never)
          const plain = comparable(await ask(site, type, peer))
          const caught: string[] = []
          site.sockets.use(async (_context, next) => {
            await next().catch((error: RpcError) => caught.push(error.code))
            return true
          })
          expect(comparable(await ask(site, type, peer))).to.deep.equal(plain)
          expect(caught).to.deep.equal([code])
        })
      }
    }
  })

  describe('around functions of all kinds', () => {
    const controller = {
      value: () => 7,
      nothing: () => {},
      promise: async () => 'later',
      back: (_auth: unknown, data: unknown, callback: (error: unknown, data?: unknown) => void) =>
        callback(null, data),
      backLater: (_auth: unknown, data: unknown, callback: (error: unknown, data?: unknown) => void) =>
        void setImmediate(() => callback(null, data)),
      backText: (_auth: unknown, _data: unknown, callback: (error: unknown) => void) => callback('a text'),
      backObject: (_auth: unknown, _data: unknown, callback: (error: unknown) => void) => callback({ a: 1 }),
      backList: (_auth: unknown, _data: unknown, callback: (error: unknown) => void) => callback(['a', 'b']),
      backError: (_auth: unknown, _data: unknown, callback: (error: unknown) => void) =>
        callback(Object.assign(new Error('of Node'), { code: 'EWHAT', more: 1 })),
      backRpcError: (_auth: unknown, _data: unknown, callback: (error: unknown) => void) =>
        callback(new RpcError('own', 'Own', [1])),
      backBad: (_auth: unknown, _data: unknown, callback: (error: unknown) => void) =>
        callback(Object.defineProperty({}, 'code', { get: () => JSON.parse('{') })),
      throws: () => {
        throw new Error('a secret')
      },
      rejects: async () => Promise.reject(new RpcError('own', 'Own', { a: 1 })),
      circular: () => circular,
      asyncNothing: async (_auth: unknown, _data: unknown, _callback: unknown) => {},
      arguments: (...args: unknown[]) => args.length,
    }

    for (const name of [...Object.keys(controller), 'unknown', 'toString']) {
      it(`changes no answer of ${name}`, async () => {
        const site = await sites({ socketController: controller })
        const peer = await site.member()
        const plain = comparable(await peer.ask({ rpc: name, req: { x: 1 } }))
        const failures = site.failures.splice(0).length
        site.sockets.use('call', async (_context, next) => next())
        expect(comparable(await peer.ask({ rpc: name, req: { x: 1 } }))).to.deep.equal(plain)
        expect(site.failures).to.have.length(failures)
      })
    }

    it('sees why a function failed, and can answer instead', async () => {
      const site = await sites({ socketController: controller })
      const peer = await site.member()
      const seen: unknown[] = []
      site.sockets.use('call', (_context, next) =>
        next().catch((error: Error) => {
          seen.push(error.message)
          return 'instead'
        }),
      )
      expect((await peer.ask({ rpc: 'throws' })).resp).to.equal('instead')
      expect((await peer.ask({ rpc: 'backText' })).resp).to.equal('instead')
      expect((await peer.ask({ rpc: 'unknown' })).resp).to.equal('instead')
      expect(seen).to.deep.equal(['a secret', 'a text', 'Function not found: unknown'])
      expect(site.failures).to.deep.equal([])
    })

    it('keeps an error that it catches without another answer', async () => {
      const site = await sites({ socketController: controller })
      const peer = await site.member()
      site.sockets.use('call', async (_context, next) => {
        await next().catch(() => {})
      })
      expect((await peer.ask({ rpc: 'rejects' })).code).to.equal('own')
    })

    it('leaves pings alone', async () => {
      const site = await sites()
      const peer = await site.member()
      site.sockets.use(() => {
        throw new RpcError('no')
      })
      expect((await peer.ask({ rpc: '_ping' })).resp).to.deep.equal({ message: 'pong' })
    })
  })

  describe('that changes data', () => {
    it('changes what a function gets', async () => {
      const site = await sites()
      const client = await site.ready()
      site.sockets.use('call', (context, next) => {
        context.data = { changed: context.data }
        return next()
      })
      expect(await client.rpc('echo', 1)).to.deep.equal({ changed: 1 })
    })

    it('changes what rules, listeners and subscribers see of a publication', async () => {
      const seen: unknown[] = []
      const publish = (_socket: unknown, _channel: string, _event: unknown, data: unknown) => {
        seen.push(data)
        return true
      }
      const site = await sites({ channels: { room: { subscribe: true, publish } } })
      site.sockets.on('publish', (_socket, { data }) => {
        seen.push(data)
        return true
      })
      const client = await site.ready()
      await client.subscribe('room')
      site.sockets.use('publish', (context, next) => {
        context.data = 'changed'
        return next()
      })
      const heard = next(client, 'message')
      await client.publish('room', 'sent')
      expect(await heard).to.deep.equal(['room', 'changed'])
      expect(seen).to.deep.equal(['changed', 'changed'])
    })

    it('changes a broadcast', async () => {
      const site = await sites()
      const client = await site.ready()
      await client.subscribe('room')
      site.sockets.use('broadcast', (context, next) => {
        context.data = 'changed'
        return next()
      })
      const heard = next(client, 'message')
      await client.broadcast('sent')
      expect(await heard).to.deep.equal(['room', 'changed'])
    })

    for (const type of ['publish', 'broadcast'] as const) {
      it(`has a ${type} measured again`, async () => {
        const site = await sites()
        const peer = await member(site)
        site.sockets.use(type, (context, next) => {
          context.data = 'x'.repeat(40_000)
          return next()
        })
        const { code, error } = await ask(site, type, peer)
        expect(code).to.equal('too_large')
        expect(error).to.deep.include({ data: { field: 'req.data', limit: 32 * 1024 } })
      })

      it(`to what no JSON can say fails a ${type}, and is reported`, async () => {
        const site = await sites()
        const peer = await member(site)
        site.sockets.use(type, (context, next) => {
          context.data = circular
          return next()
        })
        expect((await ask(site, type, peer)).code).to.equal('internal')
        expect(site.failures[0]?.details).to.include({ middleware: type })
      })
    }

    it('changes nothing else: names are not taken from the context', async () => {
      const site = await sites()
      const client = await site.ready()
      site.sockets.use('publish', (context, next) => {
        Object.assign(context, { channel: 'secret', socket: undefined, type: 'call' })
        return next()
      })
      await client.subscribe('room')
      const heard = next(client, 'message')
      await client.publish('room', 1)
      expect(await heard).to.deep.equal(['room', 1])
    })
  })

  describe('of subscriptions', () => {
    const HISTORY = { room: { subscribe: true, publish: true, history: { ttl: 60_000 } } }

    it('runs again after a loss, and for what claims subscribe to', async () => {
      const claims = {
        uid: 'ann',
        channels: { auto: { subscribe: true, autoSubscribe: true }, room: { subscribe: true } },
      }
      const site = await sites({ authentication: () => claims })
      const channels: string[] = []
      site.sockets.use('subscribe', ({ channel }, next) => {
        channels.push(channel)
        return next()
      })
      const { client, socket } = await site.pair()
      await client.subscribe('room')
      await until(() => channels.length === 2)
      expect(channels).to.have.members(['auto', 'room'])
      socket.end()
      await next(client, 'reconnect')
      await until(() => channels.filter((one) => one === 'room').length === 2)
    })

    it('leaves alone what the server does by itself', async () => {
      const site = await sites({ channels: HISTORY })
      const { client, socket } = await site.pair()
      site.sockets.use(() => {
        throw new RpcError('no')
      })
      await site.sockets.subscribe(socket, 'room')
      const heard = next(client, 'message')
      await site.sockets.publish('room', 1)
      expect(await heard).to.deep.equal(['room', 1])
      expect((await site.sockets.history('room')).publications).to.have.length(1)
      await site.sockets.broadcast(2)
      site.sockets.unsubscribe(socket, 'room')
      expect(site.failures).to.deep.equal([])
    })

    it('is never a second path past rules', async () => {
      const site = await sites({ channels: { room: { subscribe: false, publish: false } } })
      const peer = await site.member()
      site.sockets.use(() => true)
      site.sockets.use(async (_context, next) => {
        await next().catch(() => {})
        return true
      })
      for (const type of ['subscribe', 'publish', 'broadcast', 'history'] as const)
        expect((await ask(site, type, peer)).code, type).to.equal('forbidden')
    })

    for (const [evading, type] of [
      ['broadcast', 'publish'],
      ['history', 'subscribe'],
    ] as const) {
      it(`around ${type} cannot be evaded by ${evading}`, async () => {
        const claims = { uid: 'ann', channels: { room: { subscribe: true, historyStart: 0 } } }
        const site = await sites(evading === 'history' ? { authentication: () => claims } : {})
        const peer = await site.member()
        expect(await ask(site, evading, peer)).not.to.have.property('error')
        site.sockets.use(type, (_context, next) => next())
        expect((await ask(site, evading, peer)).code).to.equal('forbidden')
        site.sockets.use(evading, (_context, next) => next())
        expect(await ask(site, evading, peer)).not.to.have.property('error')
      })
    }

    it('around subscriptions leaves the history of a channel alone that the socket is on', async () => {
      const site = await sites()
      const peer = await member(site)
      site.sockets.use('subscribe', (_context, next) => next())
      expect(await ask(site, 'history', peer)).not.to.have.property('error')
    })

    it('takes a socket off the channel again if it refuses after next()', async () => {
      const site = await sites()
      const { client, socket } = await site.pair()
      site.sockets.use('subscribe', async (_context, next) => {
        await next()
        expect(socket.channels).to.deep.equal(['room'])
        throw new RpcError('no')
      })
      const error = await client.subscribe('room').catch((cause: RpcError) => cause)
      expect(error).to.include({ code: 'no' })
      expect(socket.channels).to.deep.equal([])
    })

    it('leaves a socket on a channel on which it was before, if it refuses after next()', async () => {
      const site = await sites()
      const peer = await site.member()
      const [socket] = site.sockets.sockets()
      await socket?.subscribe('room')
      site.sockets.use('subscribe', async (_context, next) => {
        await next()
        throw new RpcError('no')
      })
      expect(await ask(site, 'subscribe', peer)).to.include({ code: 'no' })
      expect(socket?.channels).to.deep.equal(['room'])
    })

    it('does not subscribe behind the answer if it refuses without waiting for next()', async () => {
      const site = await sites()
      const { client, socket } = await site.pair()
      site.sockets.use('subscribe', (_context, next) => {
        void next()
        throw new RpcError('no')
      })
      const error = await client.subscribe('room').catch((cause: RpcError) => cause)
      expect(error).to.include({ code: 'no' })
      expect(socket.channels).to.deep.equal([])
    })

    it('goes on with nothing the server has taken back meanwhile', async () => {
      const site = await sites()
      const { client, socket } = await site.pair()
      const asked = deferred()
      const go = deferred()
      site.sockets.use('subscribe', async (_context, next) => {
        asked.resolve()
        await go.promise
        return next()
      })
      const subscribing = client.subscribe('room').catch((cause: RpcError) => cause)
      await asked.promise
      site.sockets.unsubscribe(socket, 'room')
      go.resolve()
      expect(await subscribing).to.include({ code: 'aborted' })
      expect(socket.channels).to.deep.equal([])
    })

    it('does nothing more for a client that has left', async () => {
      const site = await sites({ channels: HISTORY })
      const { client, socket } = await site.pair()
      const [asked, go, done] = [deferred(), deferred(), deferred()]
      site.sockets.use('publish', async (_context, next) => {
        asked.resolve()
        await go.promise
        await next()
        done.resolve()
      })
      client.publish('room', 1).catch(() => {})
      await asked.promise
      await client.end()
      await until(() => socket.isClosed)
      go.resolve()
      await done.promise
      expect((await site.sockets.history('room')).publications).to.deep.equal([])
    })

    it('keeps the order of requests about a channel', async () => {
      const site = await sites({ channels: HISTORY })
      const client = await site.ready()
      await client.subscribe('room')
      let wait = 8
      site.sockets.use('publish', async (_context, next) => {
        // Later ones would be faster.
        wait -= 1
        for (let turns = wait; turns > 0; turns -= 1) await new Promise(setImmediate)
        return next()
      })
      const heard: unknown[] = []
      client.on('message', (_channel, data) => heard.push(data))
      const sent = [1, 2, 3, 4, 5, 6]
      await Promise.all(sent.map((data) => client.publish('room', data)))
      await until(() => heard.length === sent.length)
      expect(heard).to.deep.equal(sent)
    })
  })

  describe('around calls', () => {
    it('has the name, the deadline and the signal of the call', async () => {
      const site = await sites({ limits: { callTimeout: 5000 } })
      const client = await site.ready()
      let seen: MiddlewareContext<'call'> | undefined
      const before = Date.now()
      site.sockets.use('call', (context, next) => {
        seen = context
        return next()
      })
      await client.rpc('echo', 1)
      expect(seen?.name).to.equal('echo')
      expect(seen?.deadline).to.be.within(before + 5000, Date.now() + 5000)
      expect(seen?.signal.aborted).to.equal(false)
    })

    it('runs no function for a client that has left', async () => {
      const site = await sites()
      const { client, socket } = await site.pair()
      const [asked, go, refused] = [deferred(), deferred(), deferred<RpcError>()]
      let hasRun = false
      site.sockets.socketController = {
        run: () => {
          hasRun = true
        },
      }
      site.sockets.use('call', async (_context, next) => {
        asked.resolve()
        await go.promise
        await next().catch(refused.resolve)
      })
      client.rpc('run').catch(() => {})
      await asked.promise
      await client.end()
      await until(() => socket.isClosed)
      go.resolve()
      expect((await refused.promise).code).to.equal('connection_lost')
      expect(hasRun).to.equal(false)
    })

    it('counts as running', async () => {
      const site = await sites({ limits: { callsIn: 2 } })
      const peer = await site.member()
      const go = deferred()
      site.sockets.use('call', async (_context, next) => {
        await go.promise
        return next()
      })
      const calls = [1, 2].map((req) => peer.ask({ rpc: 'echo', req }))
      expect((await peer.ask({ rpc: 'echo', req: 3 })).code).to.equal('too_many_calls')
      go.resolve()
      expect((await Promise.all(calls)).map(({ resp }) => resp)).to.deep.equal([1, 2])
    })

    it('counts a function that runs on after its call was given up, as without it', async () => {
      const site = await sites({ limits: { abandonedCalls: 1 } })
      const client = await site.ready()
      const [begun, go] = [deferred<AbortSignal>(), deferred()]
      site.sockets.socketController = {
        echo: (_auth, data) => data,
        work: async (_auth, _data, _callback, _socket, call) => {
          begun.resolve(call.signal)
          await go.promise
        },
      }
      site.sockets.use('call', (_context, next) => next())
      const controller = new AbortController()
      const call = rejection(client.rpc('work', 1, { signal: controller.signal }))
      const signal = await begun.promise
      controller.abort()
      expect((await call).code).to.equal('aborted')
      await until(() => signal.aborted)
      expect((await rejection(client.rpc('echo', 1))).code).to.equal('too_many_calls')
      go.resolve()
      await go.promise
      expect(await client.rpc('echo', 1)).to.equal(1)
    })

    it('does not count a callback for ever that is never called', async () => {
      const site = await sites({ limits: { abandonedCalls: 1, callTimeout: 100 } })
      const peer = await site.member()
      site.sockets.use('call', (_context, next) => next())
      const ask = (rpc: string) => peer.ask({ rpc })
      for (const _time of [1, 2]) {
        expect((await ask('hang')).code).to.equal('timeout')
        expect((await ask('echo')).code).to.equal('too_many_calls')
        while ((await ask('echo')).code) await turn()
      }
    })

    it('sees that a call failed which the function made, as the caller does', async () => {
      const site = await sites({
        socketController: { ask: (_auth, _data, _callback, socket) => socket.rpc('nothing') },
      })
      const client = await site.ready()
      const codes: string[] = []
      site.sockets.use('call', (_context, next) =>
        next().catch((error: RpcError) => {
          codes.push(error.code)
          throw error
        }),
      )
      const error = await rejection(client.rpc('ask'))
      expect(error).to.deep.include({
        code: 'nested_failed',
        data: { code: 'not_found', function: 'nothing' },
      })
      expect(codes).to.deep.equal(['nested_failed'])
    })

    it('holds the storage of an async context around the function', async () => {
      const storage = new AsyncLocalStorage<string>()
      const site = await sites({ socketController: { where: () => storage.getStore() } })
      const client = await site.ready()
      site.sockets.use('call', ({ name }, next) => storage.run(`in ${name}`, next))
      expect(await client.rpc('where')).to.equal('in where')
    })

    it('reports next() after it has returned, and runs nothing', async () => {
      const site = await sites()
      const peer = await site.member()
      let hasRun = false
      const returned = deferred()
      site.sockets.use('call', (_context, next) => {
        void returned.promise.then(() => next()).catch(() => {})
        return 'at once'
      })
      site.sockets.use('call', () => {
        hasRun = true
      })
      expect((await peer.ask({ rpc: 'echo' })).resp).to.equal('at once')
      returned.resolve()
      await until(() => site.failures.length > 0)
      expect(String(site.failures[0]?.cause)).to.include('after it had returned')
      expect(hasRun).to.equal(false)
    })
  })
})

describe('use', () => {
  const sites = useSites()

  it('holds for sockets that are there, from now on, until it is undone', async () => {
    const site = await sites({ port: 0 })
    const client = await site.ready()
    const answers = [await client.rpc('echo', 1)]
    const undos = ['a', 'b'].map((name) =>
      site.sockets.use('call', async (_context, next) => [name, await next()]),
    )
    answers.push(await client.rpc('echo', 1))
    undos[0]?.()
    undos[0]?.()
    answers.push(await client.rpc('echo', 1))
    undos[1]?.()
    answers.push(await client.rpc('echo', 1))
    expect(answers).to.deep.equal([1, ['a', ['b', 1]], ['b', 1], 1])
  })

  it('goes on with what a request began with', async () => {
    const site = await sites({ port: 0 })
    const client = await site.ready()
    const [asked, go] = [deferred(), deferred()]
    const undo = site.sockets.use('call', async (_context, next) => {
      asked.resolve()
      await go.promise
      return next()
    })
    const undoInner = site.sockets.use('call', async (_context, next) => ['inner', await next()])
    const call = client.rpc('echo', 1)
    await asked.promise
    undo()
    undoInner()
    site.sockets.use('call', () => 'new')
    go.resolve()
    expect(await call).to.deep.equal(['inner', 1])
  })

  it('takes one that was added twice away once', async () => {
    const site = await sites({ port: 0 })
    const client = await site.ready()
    const twice = async (_context: unknown, next: () => Promise<unknown>) => [await next()]
    site.sockets.use('call', twice)
    site.sockets.use('call', twice)()
    expect(await client.rpc('echo', 1)).to.deep.equal([1])
  })

  for (const [what, args, field] of [
    ['nothing', [], 'middleware'],
    ['no function', [{}], 'middleware'],
    ['a type without a function', ['call'], 'middleware'],
    ['a type that there is not', ['calls', () => {}], 'type'],
    ['a function and something else', [() => {}, undefined], 'middleware'],
    ['two types', ['call', 'publish', () => {}], 'middleware'],
    ['a list', [[() => {}]], 'middleware'],
    ['a type, a function and something else', ['call', () => {}, {}], 'middleware'],
  ] as const) {
    it(`refuses ${what}, and adds none`, async () => {
      const site = await sites({ port: 0 })
      const use = site.sockets.use.bind(site.sockets) as (...args: readonly unknown[]) => unknown
      expect(() => use(...args))
        .to.throw()
        .that.deep.includes({ code: 'bad_message', data: { field } })
      const peer = await site.member()
      expect((await peer.ask({ rpc: 'echo', req: 1 })).resp).to.equal(1)
    })
  }
})
