/** A client of a contract, with real servers. */
import type { TokenSocket } from '@token-socket/client'
import { defineContract, procedure, type } from '@token-socket/contract'
import { type ConnectOptions, connect, safe, typed } from '@token-socket/contract/client'
import { implement } from '@token-socket/contract/server'
import type { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { z } from 'zod'
import { deferred, rejection, type Site, turn, until, useSites } from './fixture.js'

const contract = defineContract({
  server: {
    sayHello: procedure({ input: z.object({ name: z.string() }) }),
    nested: {
      deep: { add: procedure({ input: z.object({ a: z.number(), b: z.number() }), output: z.number() }) },
    },
    echo: procedure({ input: type<unknown>(), output: type<unknown>() }),
    when: procedure({ output: z.coerce.date() }),
    hang: procedure({ output: type<number>() }),
    buy: procedure({
      input: z.object({ item: z.string() }),
      output: z.object({ order: z.number() }),
      errors: { sold_out: z.object({ left: z.coerce.number() }) },
    }),
  },
  client: {
    sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }),
    deep: { note: procedure({ input: z.string() }) },
    ask: procedure({
      input: z.object({ question: z.string() }),
      output: z.string(),
      errors: { rude: z.object({ word: z.string() }) },
    }),
  },
  both: { move: procedure({ input: z.object({ x: z.number() }) }) },
})

describe('a client of a contract', () => {
  const start = useSites()
  let site: Site
  const heard: unknown[] = []
  const controller = implement(contract, {
    sayHello: (input) => void heard.push(input),
    move: (input) => void heard.push(input),
    nested: { deep: { add: ({ a, b }) => a + b } },
    echo: (input) => input,
    when: () => 0,
    hang: () => new Promise<number>(() => {}),
    buy({ item }, { errors }) {
      if (item === 'none') throw errors.sold_out({ left: '0' })
      return { order: 1 }
    },
  })

  beforeEach(async () => {
    heard.length = 0
    site = await start({ socketController: { ...controller, wrong: () => 'x' } })
  })

  const sockets: TokenSocket[] = []
  afterEach(() => Promise.all(sockets.splice(0).map((socket) => socket.end())))
  async function open(options: ConnectOptions = {}) {
    const client = await connect(contract, { url: `ws://${site.host}`, logLevel: 'none', ...options })
    sockets.push(client.$socket)
    return client
  }
  /** The server's socket of the client that came last. */
  const remote = () => {
    const socket = site.sockets.sockets().at(-1)
    if (!socket) throw new Error('there is no socket')
    return socket
  }

  describe('its calls', () => {
    it('reach operations at any depth, and resolve with what the output’s schema makes of the answer', async () => {
      const client = await open()
      expect(await client.nested.deep.add({ a: 1, b: 2 })).to.equal(3)
      expect(await client.when()).to.deep.equal(new Date(0))
      await client.sayHello({ name: 'Jack' })
      await until(() => heard.length)
      expect(heard).to.deep.equal([{ name: 'Jack' }])
    })

    it('send what they are given, without the schema’s transforms', async () => {
      const stretched = defineContract({
        server: {
          echo: procedure({ input: z.string().transform((text) => text.length), output: type<unknown>() }),
        },
      })
      const client = typed(site.client(), stretched, { checkSent: true })
      expect(await client.echo('four')).to.equal('four')
    })

    it('without an input send none, whatever they get', async () => {
      const bare = defineContract({ server: { echo: procedure({ output: type<unknown>() }) } })
      const socket = site.client()
      const frames: string[] = []
      socket.on('frameOut', (text) => frames.push(text))
      const call = typed(socket, bare).echo as (event?: unknown) => Promise<unknown>
      await call({ type: 'click' })
      expect(frames.join()).to.include('echo').and.not.include('click')
    })

    it('take a time-out and a signal', async () => {
      const client = await open()
      expect(await rejection(client.hang(undefined, { timeout: 1 }))).to.have.property('code', 'timeout')
      const controller = new AbortController()
      const call = client.hang(undefined, { signal: controller.signal })
      controller.abort()
      expect(await rejection(call)).to.have.property('code', 'aborted')
    })

    it('fail with the declared error, whose data its schema has read', async () => {
      const client = await open()
      const [error, order] = await safe(client.buy({ item: 'none' }))
      expect(order).to.equal(undefined)
      if (error?.code !== 'sold_out') throw new Error('another error')
      const { left } = error.data
      expect(left).to.equal(0)
      expect(await safe(client.buy({ item: 'book' }))).to.deep.equal([null, { order: 1 }])
    })

    it('fail with `invalid_output` for an answer, or an error’s data, that the schema refuses', async () => {
      const other = defineContract({
        server: {
          echo: procedure({ input: type<unknown>(), output: z.object({ deep: z.array(z.number()) }) }),
          buy: procedure({
            input: type<{ item: string }>(),
            output: type<unknown>(),
            errors: { sold_out: z.object({ left: z.object({}) }) },
          }),
        },
      })
      const client = typed(site.client(), other)
      const error = await rejection(client.echo({ deep: [1, 'secret'] }))
      expect(error).to.include({ code: 'invalid_output' })
      expect(error.data).to.have.nested.property('function', 'echo')
      expect(error.data).to.have.deep.nested.property('issues[0].path', ['deep', 1])
      expect(JSON.stringify(error.data)).to.not.include('secret')
      expect(await rejection(client.buy({ item: 'none' }))).to.have.property('code', 'invalid_output')
    })

    it('fail with `not_found` for an operation that the server does not have', async () => {
      const newer = defineContract({ server: { later: procedure({ output: type<number>() }) } })
      expect(await rejection(typed(site.client(), newer).later())).to.have.property('code', 'not_found')
    })

    it('that no one awaits are no unhandled rejections', async () => {
      const unhandled: unknown[] = []
      const note = (reason: unknown) => void unhandled.push(reason)
      process.on('unhandledRejection', note)
      const client = await open({ checkSent: true })
      client.nested.deep.add({ a: 1, b: 'x' as never })
      client.sayHello({} as never)
      client.buy({ item: 'none' })
      await rejection(client.buy({ item: 'none' }))
      await turn()
      process.off('unhandledRejection', note)
      expect(unhandled).to.deep.equal([])
    })
  })

  describe('what it sends', () => {
    it('is checked before it leaves, where `checkSent` is on', async () => {
      const client = await open({ checkSent: true })
      const frames: string[] = []
      client.$socket.on('frameOut', (text) => frames.push(text))
      const error = await rejection(client.nested.deep.add({ a: 1, b: 'secret' as never }))
      expect(error).to.include({ code: 'invalid_input' })
      expect(error.data).to.have.deep.nested.property('issues[0].path', ['b'])
      expect(`${error.message}${JSON.stringify(error.data)}`).to.not.include('secret')
      expect(frames).to.deep.equal([])
    })

    it('is checked by default outside production', async () => {
      const { NODE_ENV } = process.env
      const isChecked = async (mode: string) => {
        process.env.NODE_ENV = mode
        const client = typed(site.client({ logLevel: 'none' }), contract)
        const frames: string[] = []
        client.$socket.on('frameOut', (text) => frames.push(text))
        await rejection(client.nested.deep.add({ a: 1, b: 'x' as never }))
        return !frames.some((text) => text.includes('nested.deep.add'))
      }
      try {
        expect(await isChecked('development')).to.equal(true)
        expect(await isChecked('production')).to.equal(false)
      } finally {
        if (NODE_ENV === undefined) delete process.env.NODE_ENV
        else process.env.NODE_ENV = NODE_ENV
      }
    })

    it('is checked where it arrives, anyway', async () => {
      const client = await open({ checkSent: false })
      const error = await rejection(client.nested.deep.add({ a: 1, b: 'x' as never }))
      expect(error.code).to.equal('invalid_input')
    })

    it('tells `$onError` of a one-way message that is wrong, wherever it is checked', async () => {
      for (const checkSent of [true, false]) {
        const client = await open({ checkSent })
        const error = new Promise<RpcError>((resolve) => client.$onError(resolve))
        client.sayHello({ name: 5 as never })
        expect(await error).to.include({ code: 'invalid_input' })
        expect((await error).data).to.have.property('function', 'sayHello')
      }
      expect(heard).to.deep.equal([])
    })

    it('leaves in the order of the calls, also after an asynchronous check', async () => {
      const slow = z.object({ name: z.string().refine(() => turn().then(() => true)) })
      const mixed = defineContract({
        server: {
          sayHello: procedure({ input: slow }),
          move: procedure({ input: z.object({ x: z.number() }) }),
        },
      })
      const client = typed(site.client(), mixed, { checkSent: true })
      client.sayHello({ name: 'first' })
      await client.move({ x: 2 })
      await until(() => heard.length === 2)
      expect(heard).to.deep.equal([{ name: 'first' }, { x: 2 }])
    })
  })

  describe('its listeners', () => {
    it('hear one-way messages until they are taken away, with `await` or without it', async () => {
      const client = await open()
      const got: unknown[] = []
      const unlisten = await client.onSendGreeting(({ greeting }) => got.push(greeting))
      const unlistenToNotes = client.deep.onNote((note) => got.push(note))
      client.onMove(({ x }) => got.push(x))
      await remote().rpc('sendGreeting', { greeting: 'hello' })
      await remote().rpc('deep.note', 'noted')
      await remote().rpc('move', { x: 1 })
      expect(got).to.deep.equal(['hello', 'noted', 1])
      unlisten()
      unlistenToNotes()
      unlistenToNotes()
      await remote().rpc('sendGreeting', { greeting: 'again' })
      await remote().rpc('deep.note', 'again')
      expect(got).to.have.length(3)
    })

    it('are called as often as they are added', async () => {
      const client = await open()
      let calls = 0
      const listener = () => {
        calls += 1
      }
      const first = client.onSendGreeting(listener)
      client.onSendGreeting(listener)
      await remote().rpc('sendGreeting', { greeting: 'a' })
      expect(calls).to.equal(2)
      first()
      await remote().rpc('sendGreeting', { greeting: 'b' })
      expect(calls).to.equal(3)
    })

    it('do not hear what the schema refuses; `$onError` does, and the sender', async () => {
      const client = await open()
      const got: unknown[] = []
      const errors: RpcError[] = []
      client.onSendGreeting((input) => got.push(input))
      client.$onAnyMessage((message) => got.push(message))
      client.$onError((error) => errors.push(error))
      const told = await rejection(remote().rpc('sendGreeting', { greeting: 5 }))
      expect(told.code).to.equal('invalid_input')
      expect(got).to.deep.equal([])
      expect(errors.map(({ code }) => code)).to.deep.equal(['invalid_input'])
      expect(errors[0]?.data).to.have.property('function', 'sendGreeting')
    })

    it('hear what came while `connect` resolved', async () => {
      site.sockets.on('connected', (socket) => {
        socket.notify('sendGreeting', { greeting: 'welcome' })
        socket.rpc('ask', { question: 'who?' }).then((answer) => heard.push(answer))
        socket.notify('sendGreeting', { greeting: 'once more' })
      })
      const client = await open()
      const got: unknown[] = []
      await Promise.resolve()
      client.onSendGreeting(({ greeting }) => got.push(greeting))
      client.handle({ ask: ({ question }) => `${question} me` })
      await until(() => got.length === 2 && heard.length)
      expect(got).to.deep.equal(['welcome', 'once more'])
      expect(heard).to.deep.equal(['who? me'])
    })

    it('are held while `connect` resolves as far as `limits.callsIn` goes; the rest fail', async () => {
      const sent = 8
      site.sockets.on('connected', (socket) => {
        for (let at = 0; at < sent; at += 1) socket.notify('sendGreeting', { greeting: String(at) })
      })
      const client = await open({ limits: { callsIn: 5 } })
      const got: unknown[] = []
      client.onSendGreeting(({ greeting }) => got.push(greeting))
      await until(() => got.length + site.failures.length === sent)
      expect(got).to.deep.equal(['0', '1', '2', '3', '4'])
      const codes = site.failures.map(({ cause }) => (cause as RpcError).code)
      expect(codes).to.deep.equal(Array(sent - got.length).fill('too_many_calls'))
    })

    it('may throw: the others hear the message, and the error is an uncaught one', async () => {
      const client = await open()
      const uncaught = deferred<unknown>()
      const others = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      process.once('uncaughtException', uncaught.resolve)
      try {
        const got: unknown[] = []
        client.onSendGreeting(() => {
          throw new Error('of a listener')
        })
        client.onSendGreeting((input) => got.push(input))
        await remote().rpc('sendGreeting', { greeting: 'hello' })
        expect(got).to.have.length(1)
        expect(await uncaught.promise).to.have.property('message', 'of a listener')
      } finally {
        for (const listener of others) process.on('uncaughtException', listener)
      }
    })

    it('of any message hear operations of both kinds, by their names', async () => {
      const client = await open()
      const got: unknown[] = []
      const unlisten = client.$onAnyMessage((message) => got.push(message))
      client.handle({ ask: () => 'yes' })
      await remote().rpc('deep.note', 'noted')
      await remote().rpc('ask', { question: 'really?' })
      expect(got).to.deep.equal([
        { operation: 'deep.note', input: 'noted' },
        { operation: 'ask', input: { question: 'really?' } },
      ])
      unlisten()
      await remote().rpc('deep.note', 'noted')
      expect(got).to.have.length(2)
    })
  })

  describe('#handle', () => {
    it('answers the server’s calls, until it is undone', async () => {
      const client = await open()
      class Answers {
        ask() {
          return 'yes'
        }
      }
      expect(() => client.handle(new Answers() as never)).to.throw('handle has to be a plain object')
      const unhandle = client.handle({ ask: async ({ question }) => `${question} yes` })
      expect(await remote().rpc('ask', { question: 'sure?' })).to.equal('sure? yes')
      unhandle()
      unhandle()
      expect((await rejection(remote().rpc('ask', { question: 'sure?' }))).code).to.equal('not_found')
      client.handle({ ask: () => 'again' })
      expect(await remote().rpc('ask', { question: 'sure?' })).to.equal('again')
    })

    it('gives a signal, a deadline, and the errors that the operation declares', async () => {
      const client = await open()
      const began = deferred<AbortSignal>()
      client.handle({
        ask({ question }, { errors, signal, deadline, name }) {
          if (question === 'rude') throw errors.rude({ word: name }, 'Please')
          began.resolve(signal)
          return new Promise((resolve) => signal.addEventListener('abort', () => resolve(String(deadline))))
        },
      })
      const error = await rejection(remote().rpc('ask', { question: 'rude' }))
      expect(error).to.deep.include({ code: 'rude', message: 'Please', data: { word: 'ask' } })
      const call = remote().rpc('ask', { question: 'long' }, { timeout: 20 })
      await rejection(call)
      await until(async () => (await began.promise).aborted)
    })

    it('refuses what the schema refuses before the function runs', async () => {
      const client = await open()
      let calls = 0
      client.handle({ ask: () => `${++calls}` })
      const error = await rejection(remote().rpc('ask', { question: 5 }))
      expect(error.code).to.equal('invalid_input')
      expect(calls).to.equal(0)
    })

    it('answers `internal` for an answer, or an error’s data, that is not the contract’s, and tells `$onError` all', async () => {
      const client = await open({ checkSent: true })
      const errors: RpcError[] = []
      client.$onError((error) => errors.push(error))
      client.handle({
        ask({ question }, { errors }) {
          if (question === 'error') throw errors.rude({ word: 7 as never })
          return 5 as never
        },
      })
      for (const question of ['answer', 'error'])
        expect((await rejection(remote().rpc('ask', { question }))).code).to.equal('internal')
      expect(errors.map(({ message }) => message)).to.deep.equal(
        ['answer', 'error'].map(() => 'The answer to ask is not what its contract says'),
      )
    })

    it('takes one function for an operation, and only operations that answer', async () => {
      const client = await open()
      client.handle({ ask: () => 'first' })
      const handle = client.handle as (tree: object) => void
      const wrong = [
        { ask: () => 'second' },
        { sendGreeting() {} },
        { none() {} },
        { ask: 5 },
        { deep: { ask() {} } },
      ]
      for (const tree of wrong)
        expect(() => handle(tree))
          .to.throw()
          .with.property('code', 'bad_option')
      expect(await remote().rpc('ask', { question: '?' })).to.equal('first')
    })

    it('adds all functions of a tree or none', async () => {
      const client = await open()
      expect(() => client.handle({ ask: () => 'yes', none() {} } as object)).to.throw('none')
      expect((await rejection(remote().rpc('ask', { question: '?' }))).code).to.equal('not_found')
    })
  })

  describe('over a socket that is there', () => {
    it('leaves the socket’s own actions where they are', async () => {
      const actions: Record<string, () => unknown> = { own: () => 'own' }
      const socket = await site.ready({}, actions)
      const client = typed(socket, contract)
      client.handle({ ask: () => 'contract' })
      expect(socket.actions).to.equal(actions)
      actions.added = () => 'added'
      expect(await remote().rpc('own')).to.equal('own')
      expect(await remote().rpc('added')).to.equal('added')
      expect(await remote().rpc('ask', { question: '?' })).to.equal('contract')
      socket.register({ other: () => 'other' })
      expect(await remote().rpc('other')).to.equal('other')
      expect(await remote().rpc('ask', { question: '?' })).to.equal('contract')
      expect((await rejection(remote().rpc('own'))).code).to.equal('not_found')
    })

    it('does not answer for two sockets that have their actions in common', async () => {
      const actions = { own: () => 'own' }
      const [one, other] = [await site.pair({}, actions), await site.pair({}, actions)]
      typed(one.client, contract).handle({ ask: () => 'one' })
      expect(await one.socket.rpc('ask', { question: '?' })).to.equal('one')
      expect((await rejection(other.socket.rpc('ask', { question: '?' }))).code).to.equal('not_found')
    })

    it('shares it with another contract', async () => {
      const { client: socket, socket: server } = await site.pair()
      const [one, other] = [typed(socket, contract), typed(socket, contract)]
      const got: string[] = []
      one.onSendGreeting(() => got.push('one'))
      other.onSendGreeting(() => got.push('other'))
      await server.rpc('sendGreeting', { greeting: 'both' })
      expect(got).to.have.members(['one', 'other'])
      const unhandle = other.handle({ ask: () => 'other' })
      expect(() => one.handle({ ask: () => 'one' }))
        .to.throw()
        .with.property('code', 'bad_option')
      expect(await server.rpc('ask', { question: '?' })).to.equal('other')
      unhandle()
      one.handle({ ask: () => 'one' })
      expect(() => other.handle({ ask: () => 'other' }))
        .to.throw()
        .with.property('code', 'bad_option')
      expect(await server.rpc('ask', { question: '?' })).to.equal('one')
    })

    it('lets an action of a one-way message’s name run, too', async () => {
      const got: unknown[] = []
      const actions = { sendGreeting: (data: unknown) => void got.push(data) }
      const { client: socket, socket: server } = await site.pair({}, actions)
      typed(socket, contract).onSendGreeting(({ greeting }) => got.push(greeting))
      await server.rpc('sendGreeting', { greeting: 'hi' })
      expect(got).to.deep.equal([{ greeting: 'hi' }, 'hi'])
      expect(() => typed(socket, contract).handle({ ask: () => '' })).to.not.throw()
      socket.register({ ask: () => 'own' })
    })
  })

  describe('with schemas that throw or never answer', () => {
    const throwing = z.unknown().transform(() => {
      throw new Error('of a schema')
    })
    const hanging = z.unknown().refine(() => new Promise<boolean>(() => {}))
    const bad = defineContract({
      server: {
        echo: procedure({ input: type<unknown>(), output: throwing }),
        when: procedure({ output: hanging }),
        sayHello: procedure({ input: hanging }),
      },
      client: {
        sendGreeting: procedure({ input: throwing }),
        deep: { note: procedure({ input: hanging }) },
        ask: procedure({ input: type<unknown>(), output: z.string() }),
      },
    })

    it('fails the call with `internal`, or with `timeout`', async () => {
      const { client: socket } = await site.pair({ logLevel: 'none' })
      const client = typed(socket, bad, { checkSent: true, callTimeout: 30 })
      expect((await rejection(client.echo(1))).code).to.equal('internal')
      expect((await rejection(client.when(undefined, { timeout: 20 }))).code).to.equal('timeout')
      expect((await rejection(client.when())).code).to.equal('timeout')
      const given = new AbortController()
      const call = client.when(undefined, { signal: given.signal })
      setImmediate(() => given.abort())
      expect((await rejection(call)).code).to.equal('aborted')
      expect((await rejection(client.sayHello('x'))).code).to.equal('timeout')
      expect(heard).to.deep.equal([])
    })

    it('tells `$onError` of the message, and goes on with the next ones', async () => {
      const { client: socket, socket: server } = await site.pair({ logLevel: 'none' })
      const client = typed(socket, bad, { callTimeout: 20 })
      const errors: string[] = []
      const got: unknown[] = []
      client.$onError(({ code }) => errors.push(code))
      client.onSendGreeting((input) => got.push(input))
      client.deep.onNote((input) => got.push(input))
      server.notify('sendGreeting', 1)
      server.notify('deep.note', 2)
      await until(() => errors.length === 2)
      expect(errors).to.deep.equal(['internal', 'timeout'])
      expect(got).to.deep.equal([])
      client.handle({ ask: () => 'still here' })
      expect(await server.rpc('ask')).to.equal('still here')
    })

    it('has little to say of much that is wrong', async () => {
      const wrong = Array.from({ length: 10_000 }, () => 'wrong')
      const list = defineContract({
        server: { echo: procedure({ input: type<unknown>(), output: z.array(z.number()) }) },
      })
      const error = await rejection(typed(site.client({ logLevel: 'none' }), list).echo(wrong))
      expect(error.code).to.equal('invalid_output')
      expect(JSON.stringify(error.data)).to.have.length.below(5000)
    })
  })

  it('is a plain object, not a promise, and inherits no names', async () => {
    const client: object = await open()
    for (const name of ['then', 'constructor', '__proto__', 'toString', 'hasOwnProperty', Symbol.iterator])
      expect(Reflect.get(client, name), String(name)).to.equal(undefined)
    expect(Reflect.get(Reflect.get(client, 'nested') as object, 'constructor')).to.equal(undefined)
  })

  describe('its connection', () => {
    it('is refused for good where the sign-in is', async () => {
      const closed = await start({ authentication: () => false })
      const error = await rejection(connect(contract, { url: closed.url, logLevel: 'none' }))
      expect(error.code).to.equal('token_refused')
    })

    it('is refused where the hook of a URL throws, gives another host, or nothing of use', async () => {
      const guests = await start({ connectAuthentication: () => ({}) })
      const hooks: readonly ((request: { url: string }) => unknown)[] = [
        () => {
          throw new Error('of a hook')
        },
        () => ({ url: 'wss://elsewhere.example/sockets/websocket?secret' }),
        () => ({ url: 5 }),
        () => undefined,
      ]
      for (const custom of hooks) {
        const authentication = { custom } as ConnectOptions['authentication']
        const options = { url: guests.url, authentication, logLevel: 'none' } as const
        const error = await rejection(connect(contract, options))
        expect(['url_failed', 'bad_option']).to.include(error.code)
        expect(error.message).to.not.include('secret')
      }
      expect(guests.sockets.sockets()).to.deep.equal([])
    })

    it('does not wait longer than `timeout` for a hook that never answers', async () => {
      const custom = () => new Promise<{ url: string }>(() => {})
      const options = { url: site.url, authentication: { custom }, timeout: 30, logLevel: 'none' } as const
      expect((await rejection(connect(contract, options))).code).to.equal('timeout')
    })

    it('is given up after `timeout`', async () => {
      const error = await rejection(connect(contract, { host: '127.0.0.1:1', timeout: 30, logLevel: 'none' }))
      expect(error.code).to.equal('timeout')
    })

    it('has a function that failed by `$onError`, with the operation’s name', async () => {
      const client = await open()
      const errors: RpcError[] = []
      client.$onError((error) => errors.push(error))
      const answers = [
        () => {
          throw new TypeError('broken')
        },
        () => 5 as never,
      ]
      for (const ask of answers) {
        const undo = client.handle({ ask })
        expect((await rejection(remote().rpc('ask', { question: '' }))).code).to.equal('internal')
        undo()
      }
      await until(() => errors.length === 2)
      for (const error of errors) expect(error.data).to.deep.equal({ function: 'ask' })
      expect(errors.map(({ message }) => message).join())
        .to.include('broken')
        .and.include('ask')
    })

    it('closes with `$disconnect`, and comes back with `$connect`; what is called meanwhile waits', async () => {
      const client = await open()
      await client.$disconnect()
      expect(client.$socket.state).to.equal('suspended')
      const sum = client.nested.deep.add({ a: 2, b: 2 })
      client.sayHello({ name: 'waits' })
      await client.$connect()
      expect(client.$socket.state).to.equal('ready')
      expect(await sum).to.equal(4)
      await until(() => heard.length)
      expect(heard).to.deep.equal([{ name: 'waits' }])
      await client.$connect()
    })

    it('`$connect` rejects when the socket never will be ready, or is sent away again', async () => {
      const client = await open()
      await client.$disconnect()
      const first = client.$connect()
      await client.$disconnect()
      expect((await rejection(first)).code).to.equal('connection_lost')
      const second = client.$connect()
      await client.$socket.end()
      expect((await rejection(second)).code).to.equal('ended')
      expect((await rejection(client.$connect())).code).to.equal('ended')
    })

    it('bounds what waits: `queue_full` reaches the promise, and of one-way messages `$onError`', async () => {
      const client = await open({ queueSize: 1 })
      const errors: string[] = []
      client.$onError(({ code }) => errors.push(code))
      await client.$disconnect()
      client.sayHello({ name: 'fits' })
      client.sayHello({ name: 'too many' })
      expect((await rejection(client.nested.deep.add({ a: 1, b: 1 }))).code).to.equal('queue_full')
      await turn()
      expect(errors).to.deep.equal(['queue_full'])
    })

    it('runs what `$withReconnect` has now, and after each reconnect', async () => {
      const client = await open()
      let calls = 0
      const undo = client.$withReconnect(async () => {
        calls += 1
        await client.sayHello({ name: `connection ${calls}` })
      })
      await until(() => heard.length === 1)
      remote().end()
      await until(() => heard.length === 2)
      undo()
      remote().end()
      await new Promise((resolve) => client.$socket.once('reconnect', resolve))
      await client.nested.deep.add({ a: 1, b: 1 })
      expect(heard).to.deep.equal([{ name: 'connection 1' }, { name: 'connection 2' }])
    })

    it('tells `$onError` what a callback of `$withReconnect` fails with', async () => {
      const client = await open()
      const error = new Promise<RpcError>((resolve) => client.$onError(resolve))
      client.$withReconnect(async () => {
        throw new Error('of a callback')
      })
      expect(await error).to.have.property('message', 'of a callback')
    })

    it('no longer tells `$onError` after its undo', async () => {
      const client = await open({ checkSent: true })
      const errors: unknown[] = []
      const listener = (error: unknown) => errors.push(error)
      const undo = client.$onError(listener)
      client.$onError(listener)
      undo()
      await rejection(client.sayHello({} as never))
      expect(errors).to.have.length(1)
    })
  })
})
