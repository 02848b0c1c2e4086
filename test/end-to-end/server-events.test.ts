import { RpcError, type ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { onOneNodeOnly } from '../only-in.js'
import { deferred, next, rejection, type Site, until, useSites } from './fixture.js'

type Callback = (error?: unknown, allowed?: unknown) => void
type Listener = (socket: ServerSocket, data: unknown, callback: Callback) => unknown

/** Listeners that say no, and the code that the client gets. */
const NOES: Readonly<Record<string, readonly [Listener, string]>> = {
  'calls back an error': [(_socket, _data, callback) => callback('no'), 'application_error'],
  'calls back an RpcError': [(_socket, _data, callback) => callback(new RpcError('too_poor')), 'too_poor'],
  'calls back false': [(_socket, _data, callback) => callback(null, false), 'forbidden'],
  'calls back late': [(_s, _d, callback) => void setImmediate(() => callback(null, false)), 'forbidden'],
  'returns false': [() => false, 'forbidden'],
  'resolves false': [async () => false, 'forbidden'],
  throws: [
    () => {
      throw new Error('a secret')
    },
    'forbidden',
  ],
  'throws an RpcError': [
    () => {
      throw new RpcError('too_poor')
    },
    'too_poor',
  ],
  rejects: [async () => Promise.reject(new Error('a secret')), 'forbidden'],
  'never answers': [(_socket, _data, _callback) => {}, 'veto_timeout'],
  'returns nothing': [() => {}, 'veto_timeout'],
  "returns 'yes'": [() => 'yes', 'veto_timeout'],
  'resolves nothing': [async () => {}, 'forbidden'],
  'resolves nothing, though it declares the callback': [async (_s, _d, _callback) => {}, 'forbidden'],
  'resolves 1': [async () => 1, 'forbidden'],
  'never resolves': [() => new Promise(() => {}), 'veto_timeout'],
}

const YESES: Readonly<Record<string, Listener>> = {
  'calls back true': (_socket, _data, callback) => callback(null, true),
  'returns true': () => true,
  'resolves true': async () => true,
  'calls back true, whatever it declares': (...args) => void setImmediate(() => args[2](null, true)),
  'calls back true, and returns a number': (_socket, _data, callback) => {
    setImmediate(() => callback(null, true))
    return 1
  },
}

/** What a client does for each event, and what the listener is told of it. */
const REQUESTS = {
  subscribe: {
    ask: (site: Site) => site.ready().then((client) => client.subscribe('room')),
    data: { channel: 'room' },
  },
  unsubscribe: {
    ask: async (site: Site) => {
      const client = await site.ready()
      await client.subscribe('room')
      await client.unsubscribe('room')
    },
    data: { channel: 'room' },
  },
  publish: {
    ask: (site: Site) => site.ready().then((client) => client.publish('room', { a: 1 })),
    data: { channel: 'room', data: { a: 1 } },
  },
  broadcast: {
    ask: (site: Site) => site.ready().then((client) => client.broadcast({ a: 1 })),
    data: { data: { a: 1 } },
  },
} as const

/** Those that a channel’s subscribers and the `published` event hear of. */
const PUBLISHES: ReadonlySet<string> = new Set(['publish', 'broadcast'])

const HAPPENED = {
  subscribe: (site: Site) => site.sockets.channels().includes('room'),
  unsubscribe: (site: Site) => !site.sockets.channels().includes('room'),
}

describe('events of the server', () => {
  const start = useSites()

  for (const event of ['subscribe', 'unsubscribe', 'publish', 'broadcast'] as const) {
    const { ask, data } = REQUESTS[event]

    describe(`the \`${event}\` event`, () => {
      it('tells the socket and what it asks for', async () => {
        const site = await start()
        const told = deferred<unknown[]>()
        site.sockets.on(event, ((socket: ServerSocket, data: unknown) => {
          told.resolve([socket, data])
          return true
        }) as never)
        await ask(site)
        expect(await told.promise).to.deep.equal([site.sockets.sockets()[0], data])
      })

      for (const [what, [listener, code]] of Object.entries(NOES)) {
        it(`refuses if a listener ${what}`, async () => {
          const site = await start({ limits: { vetoTimeout: 30 } })
          const witness = await site.ready()
          await witness.subscribe('witness')
          const got: unknown[] = []
          witness.onmessage((...args) => got.push(args.slice(0, 2)))
          site.sockets.on(event, listener as never)
          const error = await rejection(ask(site))
          expect(error.code).to.equal(code)
          expect(error.message).not.to.contain('secret')
          await witness.rpc('echo')
          expect(got).to.deep.equal([])
          if (event in HAPPENED) expect(HAPPENED[event as 'subscribe'](site)).to.equal(false)
        })
      }

      for (const [what, listener] of Object.entries(YESES)) {
        it(`allows if the listener ${what}`, async () => {
          const site = await start()
          site.sockets.on(event, listener as never)
          await ask(site)
          if (event in HAPPENED) expect(HAPPENED[event as 'subscribe'](site)).to.equal(true)
        })
      }

      it('one listener of two that refuses is enough, in either order', async () => {
        for (const listeners of [
          [() => true, () => false],
          [() => false, () => true],
        ]) {
          const site = await start()
          for (const listener of listeners) site.sockets.on(event, listener as never)
          expect((await rejection(ask(site))).code).to.equal('forbidden')
        }
      })

      for (const count of [1, 3]) {
        it(`what ${count === 1 ? 'a listener does' : 'several do'} to the details changes nothing`, async () => {
          const site = await start()
          const seen: unknown[] = []
          const spoil = (details: Record<string, unknown>) => {
            seen.push(structuredClone(details))
            Object.assign(Object(details.data), { a: 2 })
            details.channel = 'another'
            details.data = 'another'
            return true
          }
          for (let left = count; left > 0; left -= 1)
            site.sockets.on(event, ((_socket: ServerSocket, details: Record<string, unknown>) =>
              spoil(details)) as never)
          const { client: witness, socket } = await site.pair()
          const got: unknown[] = []
          witness.onmessage((_channel, message) => got.push(message))
          site.sockets.on('published', (_socket, details) => void got.push(details.data))
          site.sockets.subscribe(socket, 'room')
          await ask(site)
          expect(seen).to.deep.equal(Array.from({ length: count }, () => data))
          await until(() => got.length >= (PUBLISHES.has(event) ? 2 : 0))
          for (const each of got) expect(each).to.deep.equal({ a: 1 })
        })
      }

      onOneNodeOnly('it is either of two servers').it('`this` in a listener is the server', async () => {
        const site = await start()
        const self = deferred<unknown>()
        site.sockets.on(event, function (this: unknown) {
          self.resolve(this)
          return true
        } as never)
        await ask(site)
        expect(await self.promise).to.equal(site.sockets)
      })

      it('a listener that calls back twice is heard once', async () => {
        const site = await start()
        site.sockets.on(event, ((_socket: unknown, _data: unknown, callback: Callback) => {
          callback(null, false)
          callback(null, true)
        }) as never)
        expect((await rejection(ask(site))).code).to.equal('forbidden')
      })
    })
  }

  describe('the `authentication` event', () => {
    it('tells the socket and its auth before the client is let in', async () => {
      const site = await start()
      const told = deferred<unknown[]>()
      site.sockets.on('authentication', (socket, auth) => {
        told.resolve([socket.sid, auth, site.sockets.sockets().length])
        return true
      })
      const client = await site.ready()
      const [socket] = site.sockets.sockets()
      expect(await told.promise).to.deep.equal([socket?.sid, { name: 'ann' }, 0])
      expect(await client.rpc('echo', 1)).to.equal(1)
    })

    it('callback() without arguments lets in', async () => {
      const site = await start()
      site.sockets.on('authentication', (_socket, _auth, callback) => callback())
      await site.ready()
    })

    for (const [what, [listener, code]] of Object.entries(NOES)) {
      it(`refuses, and closes, if a listener ${what}`, async () => {
        const site = await start({ limits: { vetoTimeout: 30 } })
        site.sockets.on('authentication', listener as never)
        const peer = await site.peer()
        const answer = await peer.auth(await site.token())
        expect(answer.code).to.equal(code)
        expect(JSON.stringify(answer)).not.to.contain('secret')
        expect((await peer.closed).code).to.equal(4004)
        expect(site.sockets.sockets()).to.deep.equal([])
        site.sockets.removeAllListeners('authentication')
        await site.servesHonestClients()
      })
    }

    it('callback, later, lets in a listener that declares nothing', async () => {
      const site = await start()
      site.sockets.on('authentication', ((...args: Parameters<Listener>) => {
        setImmediate(() => args[2]())
      }) as never)
      await site.ready()
    })

    it('may call the client and subscribe it before it lets it in', async () => {
      const site = await start()
      site.sockets.on('authentication', async (socket) => {
        expect(await socket.rpc('hello', 'you')).to.equal('me too')
        await socket.subscribe('lobby')
        return true
      })
      const hello = deferred<unknown>()
      const client = site.client(
        {},
        {
          hello: ((data: unknown) => {
            hello.resolve(data)
            return 'me too'
          }) as never,
        },
      )
      expect(await hello.promise).to.equal('you')
      await client.ready()
      const message = next(client, 'message')
      await site.sockets.publish('lobby', 'welcome')
      expect(await message).to.deep.equal(['lobby', 'welcome'])
      expect(site.failures).to.deep.equal([])
    })

    it('leaves nothing of a socket that was subscribed and then refused', async () => {
      const site = await start()
      site.sockets.on('authentication', async (socket) => {
        await socket.subscribe('lobby')
        return false
      })
      const peer = await site.peer()
      await peer.auth(await site.token())
      await peer.closed
      expect(site.sockets.channels()).to.deep.equal([])
    })

    it('a refusal that JSON cannot carry refuses all the same', async () => {
      const site = await start()
      const circular: Record<string, unknown> = {}
      circular.self = circular
      site.sockets.on('authentication', (_socket, _auth, callback) => callback(circular))
      const peer = await site.peer()
      expect((await peer.auth(await site.token())).error).to.be.ok
      expect((await peer.closed).code).to.equal(4004)
      site.sockets.removeAllListeners('authentication')
      await site.servesHonestClients()
    })
  })

  describe('a listener that returns neither true nor false', () => {
    for (const event of ['authentication', 'subscribe', 'unsubscribe', 'publish', 'broadcast'] as const) {
      it(`of \`${event}\` refuses, and leaves one line that says what to return, however often it is asked`, async () => {
        const site = await start({ limits: { vetoTimeout: 30 } })
        const client = event === 'authentication' ? undefined : await site.ready()
        if (event === 'unsubscribe') await client?.subscribe('room')
        site.sockets.on(event, (async () => {}) as never)
        for (let times = 0; times < 3; times += 1) {
          if (!client) await (await site.peer()).auth(await site.token())
          else if (event === 'broadcast') await rejection(client.broadcast(1))
          else if (event === 'publish') await rejection(client.publish('room', 1))
          else await rejection(client[event as 'subscribe']('room'))
        }
        const lines = site.log.filter(({ details }) => (details as { returned?: string }).returned)
        // Each node has a log of its own, and sign-ins come to all of them.
        const nodes = event === 'authentication' ? Number(process.env.TOKEN_SOCKET_NODES ?? 1) : 1
        expect(lines).to.have.length.within(1, nodes)
        const [{ level, details, message } = {}] = lines
        expect(level).to.equal('warn')
        expect(details).to.include({ event, returned: 'undefined' })
        expect(message).to.contain(`a listener of ${event}`).and.contain('only true allows')
      })
    }
  })

  describe('the `error` event', () => {
    it('tells what a handler threw, and of which socket and function', async () => {
      const site = await start()
      site.sockets.socketController.fail = () => {
        throw new Error('out of paper')
      }
      const { client, socket } = await site.pair()
      await rejection(client.rpc('fail'))
      expect(site.failures).to.have.length(1)
      expect(String(site.failures[0]?.cause)).to.equal('Error: out of paper')
      const details = { sid: socket.sid, uid: socket.uid, function: 'fail' }
      expect(site.failures[0]?.details).to.deep.equal(details)
    })

    it('without a listener harms nobody', async () => {
      const site = await start()
      site.sockets.removeAllListeners('error')
      site.sockets.socketController.fail = () => {
        throw new Error('out of paper')
      }
      const client = await site.ready()
      expect((await rejection(client.rpc('fail'))).code).to.equal('internal')
      await site.servesHonestClients()
    })

    it('a listener that throws harms nobody', async () => {
      const site = await start()
      site.sockets.on('error', () => {
        throw new Error('in the listener')
      })
      site.sockets.socketController.fail = () => {
        throw new Error('out of paper')
      }
      const client = await site.ready()
      expect((await rejection(client.rpc('fail'))).code).to.equal('internal')
      expect(site.log.some(({ message }) => message === 'an error listener threw')).to.equal(true)
    })
  })
})
