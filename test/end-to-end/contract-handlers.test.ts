/** The handlers of a contract, called by real clients. */
import { defineContract, procedure, type } from '@token-socket/contract'
import { type Handlers, implement } from '@token-socket/contract/server'
import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { z } from 'zod'
import { deferred, next, rejection, type Site, type SiteOptions, turn, until, useSites } from './fixture.js'

const contract = defineContract({
  server: {
    add: procedure({ input: z.object({ a: z.number(), b: z.number() }), output: z.number() }),
    plain: procedure({ input: type<unknown>(), output: type<unknown>() }),
    nothing: procedure({ output: type<unknown>() }),
    since: procedure({ input: z.object({ at: z.coerce.date() }), output: z.string() }),
    buy: procedure({
      input: z.string(),
      output: z.object({ order: z.number() }),
      errors: { sold_out: z.object({ left: z.number() }), closed: type() },
    }),
    note: procedure({ input: z.string() }),
    nested: { deep: { whoami: procedure({ output: type<unknown>() }) } },
  },
  client: {
    confirm: procedure({
      input: z.string(),
      output: z.boolean(),
      errors: { busy: z.object({ until: z.coerce.date() }) },
    }),
    deep: {
      say: procedure({ input: z.object({ text: z.string() }) }),
      ask: procedure({ output: z.number() }),
    },
  },
  both: { move: procedure({ input: type<{ x: number }>() }) },
})

type Own = Handlers<typeof contract>

const handlers: Own = {
  add: ({ a, b }) => a + b,
  plain: (input) => input,
  nothing: (...args) => args[0] ?? 'nothing came',
  since: ({ at }) => at.toISOString(),
  buy: () => ({ order: 1 }),
  note: () => {},
  move: () => {},
  nested: { deep: { whoami: (_input, { auth }) => auth } },
}

describe('#implement', () => {
  const start = useSites()
  const seen: unknown[] = []
  beforeEach(() => void seen.splice(0))

  function serve(
    own: Partial<Own> = {},
    options: Parameters<typeof implement>[2] = {},
    more: SiteOptions = {},
  ) {
    const all = { ...handlers, ...own }
    return start({ ...more, socketController: implement(contract, all, options as never) })
  }

  async function call(site: Site, name: string, data?: unknown): Promise<unknown> {
    const client = await site.ready()
    return client.rpc(name, data, { timeout: 5000 })
  }

  it('answers calls with what handlers return, resolve to, or do not return', async () => {
    const site = await serve({ plain: async (input) => input })
    expect(await call(site, 'add', { a: 1, b: 2 })).to.equal(3)
    expect(await call(site, 'plain', { x: [1] })).to.deep.equal({ x: [1] })
    expect(await call(site, 'nested.deep.whoami')).to.deep.equal({ name: 'ann' })
    const silent = await serve({ plain: () => undefined, nothing: async () => undefined })
    expect(await call(silent, 'plain', 1)).to.equal(undefined)
    expect(await call(silent, 'nothing')).to.equal(undefined)
    expect(await call(silent, 'move', { x: 1 })).to.equal(undefined)
  })

  it('gives all handlers the same makers of errors, which none can change', async () => {
    const site = await serve({
      buy: (_input, { errors }) => {
        Object.assign(errors, { sold_out: () => 1 })
        return { order: 1 }
      },
    })
    const client = await site.ready()
    expect((await rejection(client.rpc('buy', 'x'))).code).to.equal('internal')
    expect(site.failures[0]?.cause).to.be.instanceOf(TypeError)
  })

  it('answers internal where a checked handler throws a thenable', async () => {
    const site = await serve({
      buy: () => {
        // biome-ignore lint/suspicious/noThenProperty: it is what is tested.
        throw { then() {} }
      },
    })
    const client = await site.ready()
    expect((await rejection(client.rpc('buy', 'x', { timeout: 5000 }))).code).to.equal('internal')
  })

  it('refuses inputs, and answers of clients, of more than `maxParts` parts', async () => {
    const lists = defineContract({
      server: { count: procedure({ input: z.array(z.number()), output: z.number() }) },
      client: { list: procedure({ output: z.array(z.number()) }) },
    })
    const failed: unknown[] = []
    const controller = implement(
      lists,
      {
        count: async (list, { client }) => {
          if (list.length === 0) failed.push(await rejection(client.list()))
          return list.length
        },
      },
      { maxParts: 3 },
    )
    const site = await start({ socketController: controller })
    const client = await site.ready({}, { list: () => [1, 2, 3, 4] })
    expect(await client.rpc('count', [1, 2, 3])).to.equal(3)
    const error = await rejection(client.rpc('count', ['a', 'b', 'c', 'd']))
    expect(error.code).to.equal('invalid_input')
    expect(error.data).to.deep.equal({
      function: 'count',
      issues: [{ path: [], message: 'must have at most 3 parts' }],
    })
    await client.rpc('count', [])
    expect(failed[0]).to.have.property('code', 'invalid_output')
  })

  it('bounds inputs to 10,000 parts by default, and refuses wrong limits', async () => {
    const lists = defineContract({
      server: { count: procedure({ input: z.array(z.number()), output: z.number() }) },
    })
    const site = await start({ socketController: implement(lists, { count: (list) => list.length }) })
    const client = await site.ready()
    expect(await client.rpc('count', Array(10_000).fill(1))).to.equal(10_000)
    expect((await rejection(client.rpc('count', Array(10_001).fill(1)))).code).to.equal('invalid_input')
    expect(() => implement(lists, { count: () => 1 }, { maxParts: 0 })).to.throw('maxParts has to be')
  })

  it('gives a handler nothing where the contract has no input, and the output of the schema where it has', async () => {
    const site = await serve()
    expect(await call(site, 'nothing', { a: 'lot' })).to.equal('nothing came')
    expect(await call(site, 'since', { at: 0 })).to.equal('1970-01-01T00:00:00.000Z')
  })

  it('gives a handler undefined where the caller passed nothing, so that optional inputs are possible', async () => {
    const optional = defineContract({
      server: {
        checked: procedure({ input: z.string().optional(), output: z.string() }),
        typed: procedure({ input: type<string | undefined>(), output: type<string>() }),
      },
    })
    const handler = (input: string | undefined) => `got ${input}`
    const site = await start({ socketController: implement(optional, { checked: handler, typed: handler }) })
    for (const wraps of [false, true]) {
      if (wraps) site.sockets.use('call', (_request, go) => go())
      expect(await call(site, 'checked')).to.equal('got undefined')
      expect(await call(site, 'typed')).to.equal('got undefined')
      expect(await call(site, 'checked', 'x')).to.equal('got x')
    }
  })

  it('answers nothing to one-way messages, whatever their handlers return', async () => {
    const site = await serve({ note: () => 'secret', move: async () => 'secret' })
    expect(await call(site, 'note', 'x')).to.equal(undefined)
    expect(await call(site, 'move', { x: 1 })).to.equal(undefined)
  })

  it('makes what one-way handlers throw the error event, at once or later', async () => {
    const thenable = Object.fromEntries([
      ['then', (_: unknown, reject: (error: Error) => void) => reject(new Error('own'))],
    ])
    for (const note of [throwing(new Error('own')), () => Promise.reject(new Error('own')), () => thenable]) {
      const site = await serve({ note })
      const client = await site.ready()
      await client.notify('note', 'x')
      await until(() => site.failures.length)
      expect(site.failures.map(({ cause }) => (cause as Error).message)).to.deep.equal(['own'])
    }
  })

  it('gives a handler auth, socket, signal, deadline, name, errors and client', async () => {
    const site = await serve({
      plain(_input, { auth, socket, signal, deadline, name, errors, client }) {
        seen.push(auth, socket.sid, signal.aborted, deadline > Date.now(), name, errors, client)
      },
    })
    const { client, socket } = await site.pair()
    await client.rpc('plain')
    expect(seen.slice(0, 6)).to.deep.equal([{ name: 'ann' }, socket.sid, false, true, 'plain', {}])
    // Nothing but texts for people: no `then`, `constructor` or `toString`.
    const inherited = Object.getPrototypeOf(Object.getPrototypeOf(seen[6]))
    expect(Object.getPrototypeOf(inherited)).to.equal(null)
    expect(Reflect.ownKeys(inherited)).to.have.members(['toJSON', Symbol.toPrimitive])
  })

  it('aborts the signal of a call that has ended', async () => {
    const ended = deferred<unknown>()
    const site = await serve({
      plain: (_input, { signal }) =>
        new Promise(() => signal.addEventListener('abort', () => ended.resolve(signal.reason.code))),
    })
    const client = await site.ready()
    expect((await rejection(client.rpc('plain', 1, { timeout: 50 }))).code).to.equal('timeout')
    expect(await ended.promise).to.equal('timeout')
  })

  describe('refuses wrong input', () => {
    for (const checkSent of [true, false]) {
      it(`with invalid_input, and runs no handler (checkSent: ${checkSent})`, async () => {
        const site = await serve({ add: () => seen.push('ran') }, { checkSent })
        const error = await rejection(call(site, 'add', { a: 1, b: 'secret' }))
        expect(error.code).to.equal('invalid_input')
        expect(error.message).to.contain('add: b: ')
        expect(error.data).to.have.nested.property('issues[0].path').that.deep.equals(['b'])
        expect(error.data).to.have.property('function', 'add')
        expect(JSON.stringify(error)).not.to.contain('secret')
        expect(seen).to.deep.equal([])
        expect(site.failures).to.deep.equal([])
      })
    }

    it('of a one-way message that is called, as the answer', async () => {
      const site = await serve({ note: () => seen.push('ran') })
      expect((await rejection(call(site, 'note', 5))).code).to.equal('invalid_input')
      expect(site.failures).to.have.length(1)
      expect(seen).to.deep.equal([])
    })

    it('of a one-way message with the error event of both ends', async () => {
      const site = await serve({ note: () => seen.push('ran') })
      const client = await site.ready()
      const failed = next(client, 'error')
      await client.notify('note', { secret: 1 })
      const [error] = (await failed) as [RpcError]
      expect(error.code).to.equal('invalid_input')
      expect(error.data).to.have.property('function', 'note')
      await until(() => site.failures.length)
      expect(site.failures).to.have.length(1)
      expect(site.failures[0]?.cause).to.have.property('code', 'invalid_input')
      expect(site.failures[0]?.details).to.include({ function: 'note', step: 'input' })
      // It is no fault of the server.
      const line = site.log.find(({ message }) => message === 'a one-way message of a client was refused')
      expect(line).to.deep.include({ level: 'warn' })
      expect(line?.details).to.include({ function: 'note', sid: site.failures[0]?.details.sid })
      expect(site.log.some(({ level }) => level === 'error')).to.equal(false)
      expect(seen).to.deep.equal([])
    })
  })

  describe('what handlers throw', () => {
    it('reaches the caller whole if it is an RpcError: declared ones by their factories, and others', async () => {
      const site = await serve({
        buy: (input, { errors }) => {
          if (input === 'a') throw errors.sold_out({ left: 0 })
          if (input === 'b') throw errors.closed(undefined, 'Closed')
          throw new RpcError('forbidden')
        },
      })
      const sold = await rejection(call(site, 'buy', 'a'))
      expect([sold.code, sold.message, sold.data]).to.deep.equal(['sold_out', 'sold_out', { left: 0 }])
      const closed = await rejection(call(site, 'buy', 'b'))
      expect([closed.code, closed.message, closed.data]).to.deep.equal(['closed', 'Closed', undefined])
      expect((await rejection(call(site, 'buy', 'c'))).code).to.equal('forbidden')
      expect(site.failures).to.deep.equal([])
    })

    it('is internal otherwise, at once or later, and the error event', async () => {
      for (const buy of [() => Promise.reject(new Error('secret')), throwing(new Error('secret'))]) {
        const site = await serve({ buy })
        const error = await rejection(call(site, 'buy', 'x'))
        expect([error.code, error.message]).to.deep.equal(['internal', 'Internal error'])
        expect(site.failures.map(({ cause }) => (cause as Error).message)).to.deep.equal(['secret'])
      }
    })

    it('is nested_failed if it is the failure of a call that the handler made', async () => {
      const busy = new RpcError('busy', 'Busy', { until: 0 })
      const site = await serve({
        buy: async (input, { client }) => {
          if (input === 'wrong') await client.confirm(1 as never)
          await client.confirm('sure?')
          return { order: 1 }
        },
      })
      for (const [confirm, code] of [
        [throwing(busy), 'busy'],
        [() => 'no boolean', 'invalid_output'],
        [undefined, 'not_found'],
      ] as const) {
        const client = await site.ready({}, confirm ? { confirm } : {})
        const error = await rejection(client.rpc('buy', 'x'))
        expect(error.code).to.equal('nested_failed')
        expect(error.data).to.deep.equal({ code, function: 'confirm' })
      }
      const error = await rejection(call(site, 'buy', 'wrong'))
      expect(error.data).to.deep.equal({ code: 'invalid_input', function: 'confirm' })
    })
  })

  describe('`checkSent`', () => {
    it('makes wrong answers internal to the caller; the error event and the log have what is wrong', async () => {
      const site = await serve({ buy: () => ({ order: 'secret' }) as never })
      const error = await rejection(call(site, 'buy', 'x'))
      expect([error.code, error.data]).to.deep.equal(['internal', undefined])
      const [failure] = site.failures
      expect(failure?.cause).to.have.nested.property('cause.code', 'invalid_output')
      expect(failure?.cause).to.have.nested.property('cause.data.issues[0].path').that.deep.equals(['order'])
      expect(
        site.log.some(({ level, details }) => level === 'error' && `${details.err}`.includes('buy: order')),
      ).to.equal(true)
    })

    it('makes wrong data of declared errors internal', async () => {
      const site = await serve({ buy: throwing(new RpcError('sold_out', 'x', { left: 'secret' })) })
      expect((await rejection(call(site, 'buy', 'x'))).code).to.equal('internal')
      expect(site.failures[0]?.cause)
        .to.have.nested.property('cause.data.issues[0].path')
        .that.deep.equals(['left'])
    })

    it('`false` leaves both to the receiver', async () => {
      const answers = [
        () => ({ order: 'x' }) as never,
        throwing(new RpcError('sold_out', 'x', { left: 'x' })),
      ]
      const [wrong, thrown] = await Promise.all(answers.map((buy) => serve({ buy }, { checkSent: false })))
      expect(await call(wrong as Site, 'buy', 'x')).to.deep.equal({ order: 'x' })
      expect((await rejection(call(thrown as Site, 'buy', 'x'))).code).to.equal('sold_out')
    })

    it('sends the answer itself, not what its schema makes of it', async () => {
      const dated = defineContract({ server: { now: procedure({ output: z.coerce.date() }) } })
      const site = await start({ socketController: implement(dated, { now: () => 0 as never }) })
      expect(await call(site, 'now')).to.equal(0)
    })

    it('is on unless NODE_ENV is production', async () => {
      const { NODE_ENV } = process.env
      try {
        for (const [mode, code] of [
          ['production', 'resolved'],
          ['development', 'internal'],
        ]) {
          process.env.NODE_ENV = mode
          const controller = implement(contract, { ...handlers, buy: () => 1 as never })
          process.env.NODE_ENV = NODE_ENV ?? ''
          const site = await start({ socketController: controller })
          const outcome = call(site, 'buy', 'x').then(
            () => 'resolved',
            (error) => error.code,
          )
          expect(await outcome).to.equal(code)
        }
      } finally {
        if (NODE_ENV === undefined) delete process.env.NODE_ENV
        else process.env.NODE_ENV = NODE_ENV
      }
    })
  })

  describe('`use`', () => {
    it('runs around handlers, the first outermost, and sees the call', async () => {
      const step =
        (name: string) => async (call: { name: string; input: unknown }, next: () => Promise<unknown>) => {
          seen.push(`${name} ${call.name} ${JSON.stringify(call.input)}`)
          const answer = await next()
          seen.push(`${name} ${answer}`)
          return answer
        }
      const site = await serve({}, { use: [step('a'), step('b')] })
      expect(await call(site, 'add', { a: 1, b: 2 })).to.equal(3)
      expect(seen).to.deep.equal(['a add {"a":1,"b":2}', 'b add {"a":1,"b":2}', 'b 3', 'a 3'])
    })

    it('gives the socket, auth, signal, deadline and client', async () => {
      const site = await serve(
        { plain: async (_input, { client }) => client.deep.ask() },
        {
          use: [
            async ({ auth, socket, signal, deadline, client }, next) => {
              seen.push(auth, socket.isClosed, signal.aborted, deadline > 0, Object.keys(client))
              return next()
            },
          ],
        },
      )
      const client = await site.ready({}, { deep: { ask: () => 7 } })
      expect(await client.rpc('plain')).to.equal(7)
      expect(seen.slice(0, 4)).to.deep.equal([{ name: 'ann' }, false, false, true])
    })

    it('replaces the input and the answer; what it answers is checked, too', async () => {
      const site = await serve(
        {},
        {
          use: [
            async (call, next) => {
              if (call.name === 'plain') call.input = 'replaced'
              const answer = await next()
              return call.name === 'add' ? 'wrong' : `${answer}!`
            },
          ],
        },
      )
      expect(await call(site, 'plain', 'x')).to.equal('replaced!')
      expect((await rejection(call(site, 'add', { a: 1, b: 1 }))).code).to.equal('internal')
    })

    it('refuses by throwing, by next(error), and by giving nothing; the handler does not run', async () => {
      const ways: Readonly<Record<string, (next: (error?: Error) => Promise<unknown>) => unknown>> = {
        forbidden: () => undefined,
        own: () => {
          throw new RpcError('own')
        },
        later: async () => {
          await turn()
          throw new RpcError('later')
        },
        given: (next) => next(new RpcError('given')).catch(() => 'allowed'),
        internal: () => {
          throw new Error('secret')
        },
      }
      for (const [code, way] of Object.entries(ways)) {
        const plain = () => seen.push('ran')
        const site = await serve({ plain }, { use: [(_call, next) => way(next)] })
        expect((await rejection(call(site, 'plain'))).code).to.equal(code)
      }
      const denied = await serve({ plain: () => seen.push('ran') }, { use: [() => false] })
      expect((await rejection(call(denied, 'plain'))).code).to.equal('forbidden')
      expect(seen).to.deep.equal([])
    })

    it('runs inside of the server’s own', async () => {
      const site = await serve({ plain: () => seen.push('handler') }, { use: [own('contract')] })
      site.sockets.use('call', own('server'))
      await call(site, 'plain')
      expect(seen).to.deep.equal(['server', 'contract', 'handler'])

      function own(name: string) {
        return (_call: unknown, next: () => Promise<unknown>) => {
          seen.push(name)
          return next()
        }
      }
    })

    it('runs the rest once: a second next() fails the call, one after the end runs nothing', async () => {
      let late = () => {}
      const site = await serve(
        { plain: (input) => seen.push(input) },
        {
          use: [
            async ({ input }, next) => {
              if (input === 'late') {
                late = () => void next().then(() => seen.push('went on'))
                return 'answered'
              }
              await next()
              return next().catch(() => 'hidden')
            },
          ],
        },
      )
      expect((await rejection(call(site, 'plain', 'twice'))).code).to.equal('internal')
      expect(seen).to.deep.equal(['twice'])
      expect(await call(site, 'plain', 'late')).to.equal('answered')
      late()
      await turn()
      expect(seen).to.deep.equal(['twice'])
    })
  })

  describe('the client of a call', () => {
    it('calls the caller, typed; the same socket has always the same one', async () => {
      const site = await serve({
        async plain(_input, { client, auth }) {
          seen.push(client, client.deep, client.confirm)
          await client.deep.say({ text: `to ${(auth as { name?: string }).name}` })
          return client.confirm('sure?')
        },
      })
      const said: unknown[] = []
      const actions = {
        confirm: (text: unknown) => text === 'sure?',
        deep: { say: (data: unknown) => void said.push(data) },
      }
      const client = await site.ready({}, actions)
      expect(await client.rpc('plain')).to.equal(true)
      expect(await client.rpc('plain')).to.equal(true)
      expect(said).to.deep.equal([{ text: 'to ann' }, { text: 'to ann' }])
      expect(seen.slice(0, 3)).to.deep.equal(seen.slice(3))
      for (const [index, one] of seen.slice(0, 3).entries()) expect(one).to.equal(seen[index + 3])
    })

    it('has the names of the contract and no other', async () => {
      const site = await serve({ plain: (_input, { client }) => void seen.push(client) })
      await call(site, 'plain')
      const [client] = seen as [Record<string, unknown>]
      const names: string[] = []
      for (const name in client) names.push(name)
      expect(names).to.have.members(['confirm', 'deep', 'move'])
      for (const name of ['then', 'constructor', '__proto__', 'toString', 'add'])
        expect(client[name], name).to.equal(undefined)
      expect(await client).to.equal(client)
    })

    it('sends nothing that is wrong; what it rejects with may be left alone', async () => {
      const site = await serve({
        plain: async (_input, { client }) => {
          void client.confirm(5 as never)
          const error = await rejection(client.deep.say({ text: 5 as never }))
          seen.push(error.code, error.data)
        },
      })
      const client = await site.ready(
        {},
        { confirm: () => seen.push('ran'), deep: { say: () => seen.push('ran') } },
      )
      await client.rpc('plain')
      expect(seen[0]).to.equal('invalid_input')
      expect(seen[1]).to.have.property('function', 'deep.say')
      expect(seen).to.have.length(2)
      expect(site.failures.map(({ cause }) => (cause as RpcError).code)).to.deep.equal(['invalid_input'])
      expect(site.failures[0]?.details).to.include({ function: 'deep.say', step: 'notification' })
    })

    it('checks answers and the data of declared errors, and gives what their schemas make of them', async () => {
      const errors: RpcError[] = []
      const site = await serve({
        plain: async (_input, { client }) => void errors.push(await rejection(client.confirm('x'))),
      })
      for (const confirm of [
        () => 'no boolean',
        throwing(new RpcError('busy', 'Busy', { until: 0 })),
        throwing(new RpcError('busy', 'Busy', { until: 'secret' })),
        throwing(new RpcError('other', 'Other', { until: 'x' })),
      ]) {
        const client = await site.ready({}, { confirm })
        await client.rpc('plain')
      }
      expect(errors.map(({ code }) => code)).to.deep.equal([
        'invalid_output',
        'busy',
        'invalid_output',
        'other',
      ])
      expect(errors[1]?.data).to.deep.equal({ until: new Date(0) })
      expect(errors[1]?.message).to.equal('Busy')
    })
  })

  describe('handlers', () => {
    /** What it refuses handlers with. */
    function refusal(given: unknown): string {
      try {
        implement(contract, given as never)
      } catch (error) {
        expect((error as RpcError).code).to.equal('bad_option')
        return (error as Error).message
      }
      return 'nothing'
    }

    it('are refused when some are missing or extra, all named at once', () => {
      const { add: _add, nested: _nested, ...rest } = handlers
      const text = refusal({ ...rest, ad: () => 1, extra: { a: () => 1 }, note: 1 })
      expect(text).to.contain('without a handler: add, note, nested.deep.whoami')
      expect(text).to.contain('not in the contract: ad (did you mean add?), extra')
      expect(refusal({})).to.contain('move')
      expect(refusal(undefined)).to.contain('without a handler')
    })

    it('are never found among what objects inherit by their class', () => {
      const odd = defineContract({ server: { valueOfIt: procedure() } })
      expect(() => implement(odd, Object.create(Object.prototype))).to.throw('valueOfIt')
    })

    it('may be methods of instances, with their `this`; other members of an instance are no handlers', async () => {
      class Shop {
        readonly #orders = [7]
        readonly database = { drop: () => 'dropped' }
        add({ a, b }: { a: number; b: number }) {
          return this.#orders.length + a + b
        }
        helper() {}
      }
      const shop = Object.assign(new Shop(), { ...handlers, add: Shop.prototype.add })
      const site = await start({ socketController: implement(contract, shop) })
      expect(await call(site, 'add', { a: 1, b: 2 })).to.equal(4)
      for (const name of ['helper', 'database.drop'])
        expect((await rejection(call(site, name))).code).to.equal('not_found')
    })

    it('stand beside functions without a contract', async () => {
      const site = await start({ socketController: { ...implement(contract, handlers), old: () => 'old' } })
      expect(await call(site, 'old')).to.equal('old')
      expect(await call(site, 'add', { a: 1, b: 2 })).to.equal(3)
    })
  })

  it('refuses options that it does not know', () => {
    expect(() => implement(contract, handlers, { uses: [] } as never)).to.throw(
      'uses has to be one of use, checkSent',
    )
    expect(() => implement(contract, handlers, { use: [1] } as never)).to.throw(
      'use has to be a list of functions',
    )
  })

  it('names calls that it does not know not_found', async () => {
    const site = await serve()
    for (const name of [
      'then',
      'constructor',
      '__proto__',
      'toString',
      'nested',
      'nested.deep',
      'add.call',
      'confirm',
    ])
      expect((await rejection(call(site, name))).code, name).to.equal('not_found')
  })
})

function throwing(error: Error): () => never {
  return () => {
    throw error
  }
}
