import { Writable } from 'node:stream'
import { MemoryEngine, RpcError, TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import { pino } from 'pino'
import sinon from 'sinon'
import { onOneNodeOnly } from '../only-in.js'
import { sharingTickets } from './engines.js'
import { alwaysSignedIn, next, rejection, sessions, signIn, useSites } from './fixture.js'

describe('options of the server', () => {
  const start = useSites()

  describe('the `prefix` option', () => {
    onOneNodeOnly('the proxy’s configuration names the prefix').it(
      'is the path under which sockets connect',
      async () => {
        const site = await start({ prefix: '/live/v1.0' })
        const client = await site.ready({ socketPrefix: '/live/v1.0' })
        expect(await client.rpc('echo', 1)).to.equal(1)
        expect((await (await fetch(`${site.url}/live/v1.0/info`)).json()).websocket).to.equal(true)
      },
    )

    it('leaves every other path to the application', async () => {
      const site = await start({ prefix: '/live' })
      for (const path of ['/sockets/info', '/lively', '/live2/info']) {
        expect((await fetch(site.url + path)).status, path).to.equal(404)
      }
    })

    it('is not a pattern: a dot is a dot', async () => {
      const site = await start({ prefix: '/v1.0' })
      expect((await fetch(`${site.url}/v1x0/info`)).status).to.equal(404)
    })

    it('is refused with a slash at its end', () => {
      const site = start({ prefix: '/live/' })
      return rejection(site).then((error) => expect(error.data).to.deep.equal({ field: 'prefix' }))
    })
  })

  describe('the `tokenRoute` option', () => {
    it('is where tokens are asked for', async () => {
      const site = await start({ tokenRoute: '/api/ticket' })
      await site.ready({ tokenPath: '/api/ticket' })
      expect((await fetch(`${site.url}/socket/token`, { method: 'POST' })).status).to.equal(404)
    })

    it('answers GET and POST, never to be cached', async () => {
      const site = await start()
      for (const method of ['GET', 'POST']) {
        const response = await site.askToken({ method })
        expect(response.headers.get('cache-control'), method).to.equal('no-store')
        expect(await response.json()).to.have.keys('token')
      }
    })

    it('answers no other method', async () => {
      const site = await start()
      expect((await site.askToken({ method: 'PUT' })).status).to.equal(404)
    })
  })

  describe('the `authentication` option', () => {
    it('is the session key `auth` if left out, and the session’s data becomes socket.auth', async () => {
      const site = await start({ prepare: sessions, authentication: 'auth' })
      const client = await site.ready({ headers: await signIn(site, 'bea') })
      expect(await client.rpc('whoami')).to.deep.equal({ auth: { name: 'bea' }, cart: ['book'] })
    })

    it('refuses with 403 who has no such key in the session', async () => {
      const site = await start({ prepare: sessions, authentication: 'auth' })
      const response = await site.askToken()
      expect(response.status).to.equal(403)
      expect((await response.json()).error).to.equal('Forbidden')
      const error = await rejection(site.client().ready())
      expect(error).to.have.property('code', 'token_refused')
      expect(error.data).to.include({ status: 403 })
    })

    it('may be another session key', async () => {
      const site = await start({ prepare: sessions, authentication: 'cart' })
      const client = await site.ready({ headers: await signIn(site) })
      expect(await client.rpc('whoami')).to.have.deep.property('cart', ['book'])
    })

    it('takes own keys of the session only', async () => {
      const site = await start({ prepare: sessions, authentication: 'constructor' })
      expect((await site.askToken({ headers: await signIn(site) })).status).to.equal(403)
    })

    it('as a function with a callback: an object becomes socket.auth', async () => {
      const site = await start({
        authentication: (_request: unknown, callback: (error: unknown, auth: unknown) => void) => {
          setImmediate(() => callback(null, { name: 'cy' }))
        },
      })
      expect(await (await site.ready()).rpc('whoami')).to.deep.equal({ name: 'cy' })
    })

    it('as a function with a callback: true stands for the session’s data', async () => {
      const site = await start({
        prepare: sessions,
        authentication: (_request: unknown, callback: (error: unknown, auth: unknown) => void) =>
          callback(null, true),
      })
      const client = await site.ready({ headers: await signIn(site, 'dan') })
      expect(await client.rpc('whoami')).to.deep.equal({ auth: { name: 'dan' }, cart: ['book'] })
    })

    it('as a function with a callback: falsy is refused with 403', async () => {
      const site = await start({
        authentication: (_request: unknown, callback: (error: unknown, auth: unknown) => void) =>
          callback(null, 0),
      })
      expect((await site.askToken()).status).to.equal(403)
    })

    it('as a function with a callback: an error is answered 500, and told to the log only', async () => {
      const site = await start({
        authentication: (_request: unknown, callback: (error: unknown) => void) =>
          callback(new Error('the password is 1234')),
      })
      const response = await site.askToken()
      expect(response.status).to.equal(500)
      expect(await response.text()).not.to.contain('1234')
      expect(String(site.log.find(({ level }) => level === 'error')?.details.err)).to.contain('1234')
    })

    it('as an async function: what it resolves', async () => {
      const site = await start({ authentication: async (request) => ({ name: request.query.name }) })
      const client = await site.ready({ authentication: { name: 'eve' } })
      expect(await client.rpc('whoami')).to.deep.equal({ name: 'eve' })
    })

    it('as an async function: what it rejects with is answered 500', async () => {
      const site = await start({
        authentication: async () => {
          throw new Error('no database')
        },
      })
      expect((await site.askToken()).status).to.equal(500)
    })

    it('as an async function: nothing is refused with 403', async () => {
      const site = await start({ authentication: async () => undefined })
      expect((await site.askToken()).status).to.equal(403)
    })
  })

  describe('the `customMiddleware` option', () => {
    it('runs on the token route before `authentication`', async () => {
      const site = await start({ customMiddleware: alwaysSignedIn, authentication: 'auth' })
      expect(await (await site.ready()).rpc('whoami')).to.deep.equal({ auth: { name: 'ann' } })
      expect((await fetch(`${site.url}/hello`)).status).to.equal(200)
    })

    it('may be several, run in order, and may answer itself', async () => {
      const ran: string[] = []
      const site = await start({
        customMiddleware: [
          (_request, _response, next) => {
            ran.push('first')
            next()
          },
          (_request, response) => {
            ran.push('second')
            response.status(429).json({ error: 'Slow down' })
          },
        ],
      })
      expect((await site.askToken()).status).to.equal(429)
      expect(ran).to.deep.equal(['first', 'second'])
    })
  })

  describe('the `socketController` option', () => {
    it('is a nested tree of functions that get auth, data, callback and socket', async () => {
      const site = await start({
        socketController: {
          cart: {
            add: (auth: unknown, data: unknown, callback, socket) =>
              callback(null, { auth, data, sid: socket.sid }),
          },
        },
      })
      const { client, socket } = await site.pair()
      expect(await client.rpc('cart.add', ['pen'])).to.deep.equal({
        auth: { name: 'ann' },
        data: ['pen'],
        sid: socket.sid,
      })
    })

    it('may be changed in place after construction', async () => {
      const site = await start()
      const client = await site.ready()
      expect((await rejection(client.rpc('late'))).code).to.equal('not_found')
      site.sockets.socketController.late = () => 'now'
      expect(await client.rpc('late')).to.equal('now')
    })

    it('may be replaced after construction', async () => {
      const site = await start()
      const client = await site.ready()
      site.sockets.socketController = { other: () => 'tree' }
      expect(await client.rpc('other')).to.equal('tree')
      expect((await rejection(client.rpc('echo'))).code).to.equal('not_found')
    })
  })

  describe('the `filter` option', () => {
    it('changes what each socket gets', async () => {
      const site = await start({
        filter: (socket, channel, message) => ({
          ...(message as object),
          to: (socket.auth as { name: string }).name,
          channel,
        }),
      })
      const [ann, bea] = await Promise.all([
        site.ready({ authentication: { name: 'ann' } }),
        site.ready({ authentication: { name: 'bea' } }),
      ])
      await Promise.all([ann.subscribe('news'), bea.subscribe('news')])
      const messages = Promise.all([next(ann, 'message'), next(bea, 'message')])
      await site.sockets.publish('news', { text: 'hi' })
      expect(await messages).to.deep.equal([
        ['news', { text: 'hi', to: 'ann', channel: 'news' }],
        ['news', { text: 'hi', to: 'bea', channel: 'news' }],
      ])
    })

    it('withholds a message by a falsy value', async () => {
      const site = await start({
        filter: (_socket, _channel, message) => (message === 'secret' ? undefined : message),
      })
      const client = await site.ready()
      await client.subscribe('news')
      const message = next(client, 'message')
      await site.sockets.publish('news', 'secret')
      await site.sockets.publish('news', 'public')
      expect(await message).to.deep.equal(['news', 'public'])
    })
  })

  describe('the `debug` option', () => {
    afterEach(() => sinon.restore())

    it('writes every step to the console', async () => {
      sinon.stub(console, 'warn')
      const info = sinon.stub(console, 'info')
      const debug = sinon.stub(console, 'debug')
      const site = await start({ debug: true, usesConsole: true })
      await site.ready()
      expect(info.calledWithMatch(/no channel rules/)).to.equal(true)
      expect(debug.calledWithMatch(/a socket is ready/)).to.equal(true)
    })

    onOneNodeOnly('a shared engine is silent about what the memory engine warns of').it(
      'left out, only warnings and errors are written',
      async () => {
        const quiet = [sinon.stub(console, 'info'), sinon.stub(console, 'debug'), sinon.stub(console, 'log')]
        const warn = sinon.stub(console, 'warn')
        const site = await start({ usesConsole: true })
        await site.ready()
        await site.member('xhr-polling')
        expect(quiet.map(({ callCount }) => callCount)).to.deep.equal([0, 0, 0])
        expect(warn.calledWithMatch(/no secret is set/)).to.equal(true)
      },
    )
  })

  describe('the `logger` option', () => {
    it('takes pino as it is, and neither tokens nor auth are ever logged', async () => {
      const chunks: string[] = []
      const stream = new Writable({
        write(chunk, _encoding, done) {
          chunks.push(String(chunk))
          done()
        },
      })
      const site = await start({
        logger: pino({ level: 'debug' }, stream),
        authentication: () => ({ card: '4111-1111' }),
        socketController: {
          fail: () => {
            throw new Error('out of paper')
          },
        },
      })
      const token = await site.token()
      const peer = await site.peer('xhr-polling')
      await peer.auth(token)
      await peer.ask({ rpc: 'fail' })
      const stranger = await site.peer()
      await stranger.auth(token)
      const lines = chunks.join('')
      const messages = lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(messages.map(({ msg }) => msg)).to.include.members([
        'a socket is ready',
        'a token was refused',
        'something threw',
      ])
      expect(messages.find(({ msg }) => msg === 'something threw').err.message).to.equal('out of paper')
      expect(lines).not.to.contain(token.split('.')[2])
      expect(lines).not.to.contain('4111')
    })
  })

  describe('the `engine` option', () => {
    it('carries publications and keeps tickets', async () => {
      const engine = new MemoryEngine()
      const put = sinon.spy(engine.tickets, 'put')
      const publish = sinon.spy(engine.broker, 'publish')
      const site = await start({ engine })
      await site.servesHonestClients()
      expect(JSON.parse(put.firstCall.args[0].json)).to.have.deep.property('auth', { name: 'ann' })
      expect(publish.firstCall.args[0]).to.include({ channel: 'honest', json: '{"from":"an honest client"}' })
    })

    it('that is shared is refused without a secret', async () => {
      const engine = { ...sharingTickets(new MemoryEngine()), shared: true }
      const error = await rejection(start({ engine }))
      expect([error.code, error.data]).to.deep.equal(['bad_option', { field: 'secret' }])
    })

    it('that fails fails the call and is told as an error event', async () => {
      const engine = new MemoryEngine()
      sinon.stub(engine.broker, 'publish').rejects(new Error('the network is down'))
      const site = await start({ engine })
      const client = await site.ready()
      expect((await rejection(client.publish('news', 1))).code).to.equal('internal')
      expect(site.failures.map(({ cause }) => String(cause))).to.deep.equal(['Error: the network is down'])
    })

    it('that fails while a socket asks to get in closes that socket only', async () => {
      const engine = new MemoryEngine()
      const site = await start({ engine })
      const peer = await site.peer()
      const token = await site.token()
      const take = sinon.stub(engine.tickets, 'take').rejects(new Error('the network is down'))
      expect(await peer.auth(token)).to.include({ error: 'Internal error', code: 'internal' })
      expect((await peer.closed).code).to.equal(4004)
      take.restore()
      await site.servesHonestClients()
    })

    it('that has no room for tickets answers the token request 503', async () => {
      const site = await start({ engine: new MemoryEngine({ tickets: 1 }) })
      await site.token()
      expect((await site.askToken()).status).to.equal(503)
    })
  })

  it('a wrong one is refused by its name', () => {
    for (const [field, value] of Object.entries({
      app: {},
      server: {},
      prefix: 'sockets',
      tokenRoute: '',
      authentication: 5,
      tokenTtl: -1,
      authTimeout: 0,
      pingInterval: '1',
      origins: ['https://page.example/path'],
    })) {
      const make = () => new TokenSocketServer({ app: start, server: {}, [field]: value } as never)
      expect(make, field).to.throw(RpcError).with.property('code', 'bad_option')
    }
  })
})
