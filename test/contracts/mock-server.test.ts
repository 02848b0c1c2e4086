import { connect, safe } from '@token-socket/contract/client'
import { mockClient, mockServer } from '@token-socket/contract/mock'
import { expect } from 'chai'
import { errorOf, until } from '../client/waiting.js'
import { contract } from './mock-contract.js'

describe('mockServer', () => {
  const open: { close(): Promise<void> }[] = []
  function start(options: Parameters<typeof mockServer<typeof contract>>[1] = {}) {
    const mock = mockServer(contract, options)
    open.push(mock)
    return mock
  }
  afterEach(() => Promise.all(open.splice(0).map((one) => one.close())))

  describe('answers', () => {
    it('are made from the schema of the output', async () => {
      const client = await start().connect()
      const order = await client.shop.buy({ item: 'tea' })
      expect(order.order).to.be.at.least(1)
      expect(Date.parse(order.when)).to.be.a('number').and.not.NaN
      expect((await client.shop.list()).length).to.be.at.least(2)
      expect((await client.greet({ name: 'Ann' })).length).to.be.at.least(3)
    })

    it('are the same for the same seed, whatever other operations are called', async () => {
      const orders = async (seed: number, before: boolean) => {
        const client = await start({ seed }).connect()
        if (before) await client.shop.list()
        return [await client.shop.buy({ item: 'a' }), await client.shop.buy({ item: 'b' })]
      }
      const [first, second] = await orders(1, false)
      expect(await orders(1, true)).to.deep.equal([first, second])
      expect(second).not.to.deep.equal(first)
      expect(await orders(2, false)).not.to.deep.equal([first, second])
    })

    it('are those of a handler, which gets the input after its transforms', async () => {
      const client = await start({ handlers: { since: (date) => date.getTime() } }).connect()
      expect(await client.since('2026-01-02T03:04:05Z')).to.equal(Date.UTC(2026, 0, 2, 3, 4, 5))
    })

    it('need a handler where the schema has no JSON Schema', async () => {
      const mock = start()
      const client = await mock.connect()
      const error = await errorOf(client.unknown())
      expect(error.code).to.equal('no_mock_data')
      expect(error.message).to.include('unknown').and.include('Pass a handler')
      expect(error.data).to.deep.equal({ function: 'unknown' })
      mock.use({ unknown: () => ({ a: 1 }) })
      expect(await client.unknown()).to.deep.equal({ a: 1 })
    })

    it('are checked, those of handlers, too', async () => {
      const mock = start({ handlers: { greet: () => 'x' } })
      const client = await mock.connect()
      expect(await errorOf(client.greet({ name: 'Ann' }))).to.have.property('code', 'internal')
      expect(mock.failures).to.have.length(1)
    })

    it('travel as JSON', async () => {
      const list = [
        { order: 1, item: 'tea', when: '2026-01-02T03:04:05Z' },
        { order: 2, item: 'tea', when: '2026-01-02T03:04:05Z' },
      ]
      const client = await start({ handlers: { shop: { list: () => list } } }).connect()
      const answer = await client.shop.list()
      expect(answer).to.deep.equal(list)
      expect(answer[0]).not.to.equal(list[0])
    })
  })

  describe('inputs', () => {
    it('are checked at both ends', async () => {
      const mock = start()
      for (const checkSent of [true, false]) {
        const client = await mock.connect({ checkSent })
        const error = await errorOf(client.greet({ name: 5 } as never))
        expect(error).to.have.property('code', 'invalid_input')
        expect(error.data).to.have.deep.nested.property('issues[0].path', ['name'])
      }
      expect(mock.received).to.deep.equal([])
    })

    it('are recorded, and can be waited for', async () => {
      const mock = start()
      const coming = mock.next('sayHello')
      const client = await mock.connect()
      client.sayHello({ name: 'Ann' })
      client.sayHello({ name: 'Bob' })
      expect(await coming).to.deep.equal({ name: 'Ann' })
      expect(await mock.next('sayHello')).to.deep.equal({ name: 'Bob' })
      expect(mock.received).to.deep.equal([
        { operation: 'sayHello', input: { name: 'Ann' } },
        { operation: 'sayHello', input: { name: 'Bob' } },
      ])
      mock.reset()
      expect(mock.received).to.deep.equal([])
    })
  })

  describe('errors', () => {
    it('of an operation have data made from their schema', async () => {
      const client = await start({ errors: { 'shop.buy': 'sold_out' } }).connect()
      const [error] = await safe(client.shop.buy({ item: 'tea' }))
      if (error?.code !== 'sold_out') throw new Error('another error', { cause: error })
      expect(error.data.left).to.be.at.most(0)
    })

    it('may depend on the input', async () => {
      const failing = (input: unknown) =>
        (input as { item: string }).item === 'tea' ? 'unavailable' : undefined
      const client = await start({ errors: { 'shop.buy': failing } }).connect()
      expect(await errorOf(client.shop.buy({ item: 'tea' }))).to.have.property('code', 'unavailable')
      await client.shop.buy({ item: 'milk' })
    })

    it('of unknown operations are refused, and so are handlers', () => {
      expect(() => start({ errors: { 'shop.sell': 'sold_out' } as never })).to.throw('shop.sell')
      expect(() => start({ errors: { 'shop.buy': 'sold_uot' } })).to.throw('shop.buy has to be a code')
      start({ errors: { 'shop.buy': 'too_many_calls' } })
      expect(() => start({ handlers: { shop: { sell: () => 1 } } as never })).to.throw('shop.sell')
    })
  })

  describe('#use', () => {
    it('goes before handlers and errors, until #reset', async () => {
      const mock = start({ handlers: { greet: () => 'one' }, errors: { 'shop.buy': 'sold_out' } })
      const client = await mock.connect()
      const order = { order: 1, item: 'tea', when: '2026-01-02T03:04:05Z' }
      mock.use({ greet: () => 'two', shop: { buy: () => order } })
      expect(await client.greet({ name: 'Ann' })).to.equal('two')
      expect(await client.shop.buy({ item: 'tea' })).to.deep.equal(order)
      mock.reset()
      expect(await client.greet({ name: 'Ann' })).to.equal('one')
      expect(await errorOf(client.shop.buy({ item: 'tea' }))).to.have.property('code', 'sold_out')
    })
  })

  describe('`latency`', () => {
    it('is how long an answer takes', async () => {
      const client = await start({ latency: [20, 30] }).connect()
      const before = performance.now()
      await client.greet({ name: 'Ann' })
      expect(performance.now() - before).to.be.at.least(19)
    })
  })

  const ways = {
    'in memory': async (mock: ReturnType<typeof start>) => mock.connect(),
    'by the option `webSocket`': async ({ webSocket }: ReturnType<typeof start>) =>
      connect(contract, { host: 'mock', authentication: { token: 'mock' }, webSocket }),
    'on a port': async (mock: ReturnType<typeof start>) => {
      const client = await connect(contract, { host: (await mock.listen()).url, logLevel: 'none' })
      open.push({ close: () => client.$disconnect() })
      return client
    },
  }
  for (const [name, connected] of Object.entries(ways)) {
    describe(name, () => {
      it('sends messages, calls the client, and publishes', async () => {
        const mock = start()
        const client = await connected(mock)
        const heard: unknown[] = []
        client.onSendGreeting(({ greeting }) => heard.push(greeting))
        client.onMove(({ x }) => heard.push(x))
        client.handle({ confirm: (question) => question === 'sure?' })
        const room = client.channel('room-{id}', { id: 7 })
        room.bind('say', ({ data }) => heard.push(data.text))
        await new Promise((resolve) => room.on('subscribed', () => resolve(undefined)))
        mock.client.sendGreeting({ greeting: 'Hello' })
        mock.client.move({ x: 3 })
        await mock.publish('room-{id}', { id: 7 }, 'say', { text: 'hi' })
        expect(await mock.client.confirm('sure?')).to.equal(true)
        await until(() => heard.length === 3)
        expect(heard).to.have.members(['Hello', 3, 'hi'])
      })

      it('refuses what clients publish against the contract', async () => {
        const mock = start()
        const client = await connected(mock)
        const room = client.channel('room-{id}', { id: 7 })
        expect(await errorOf(room.send('say', { text: 5 } as never))).to.have.property(
          'code',
          'invalid_input',
        )
      })

      it('lets clients come back after #disconnect', async () => {
        const mock = start()
        const client = await connected(mock)
        let count = 0
        client.$withReconnect(() => {
          count += 1
        })
        await until(() => count === 1)
        mock.disconnect()
        await until(() => count === 2)
        await client.greet({ name: 'Ann' })
      })
    })
  }

  it('lets clients in on a port without a token, with the `auth` of #listen', async () => {
    const mock = start({ handlers: { greet: (_input, { auth }) => JSON.stringify(auth) } })
    const { url } = await mock.listen({ auth: { name: 'Ann' } })
    for (const authentication of ['none', { session: true }] as const) {
      const client = await connect(contract, { host: url, authentication, logLevel: 'none' })
      open.push({ close: () => client.$disconnect() })
      expect(JSON.parse(await client.greet({ name: 'x' }))).to.include({ name: 'Ann' })
    }
  })

  const wrong = { handler: {}, handlers: 5, seed: {}, latency: -1, errors: 'all' }
  for (const [name, value] of [...Object.entries(wrong), ['latency', [200, 50]], ['latency', [1]]] as const) {
    it(`refuses a wrong option: ${name}, ${JSON.stringify(value)}`, () => {
      for (const mock of [mockServer, mockClient]) {
        expect(() => mock(contract, { [name]: value } as never))
          .to.throw(name)
          .with.property('code', 'bad_option')
      }
    })
  }

  it('refuses what is no contract', () => {
    for (const other of [undefined, {}, contract.definition]) {
      expect(() => mockServer(other as never))
        .to.throw('contract')
        .with.property('code', 'bad_option')
    }
  })

  it('fails to listen on a port that is taken', async () => {
    const { port } = await start().listen()
    expect(await errorOf(start().listen({ port }))).to.have.property('code', 'EADDRINUSE')
  })

  it('lets nothing wait after #close', async () => {
    const mock = start()
    const coming = mock.next('greet')
    await mock.close()
    const error = await errorOf(coming)
    expect(error.code).to.equal('ended')
    expect(error.message).to.include('greet')
  })

  it('tells members of a channel who comes and goes', async () => {
    const mock = start()
    const ann = await mock.connect({ uid: 'ann', umd: { name: 'Ann' } })
    const room = ann.channel('room-{id}', { id: 7 })
    const seen: string[] = []
    room.on('joined', (member) => seen.push(`+${member.umd.name}`))
    room.on('left', (member) => seen.push(`-${member.umd.name}`))
    room.bind('say', () => {})
    await until(() => room.members.length === 1)
    const bob = await mock.connect({ uid: 'bob', umd: { name: 'Bob' } })
    const same = bob.channel('room-{id}', { id: 7 })
    same.bind('say', () => {})
    await until(() => room.members.length === 2)
    await bob.$disconnect()
    await until(() => seen.length === 2)
    expect(seen).to.deep.equal(['+Bob', '-Bob'])
  })

  it('keeps what was published', async () => {
    const mock = start()
    const client = await mock.connect()
    for (const text of ['one', 'two', 'three']) await mock.publish('news', {}, 'item', text)
    const news = client.channel('news', {})
    const page = await news.history({ limit: 2 })
    expect(page.map(({ data }) => data)).to.deep.equal(['one', 'two'])
    const rest = await news.history({ after: page[1]?.id })
    expect(rest.map(({ data }) => data)).to.deep.equal(['three'])
    expect((await news.history({ reverse: true })).map(({ data }) => data)).to.deep.equal([
      'three',
      'two',
      'one',
    ])
  })

  it('has no client before one connects', () => {
    expect(() => start().client)
      .to.throw()
      .with.property('code', 'connection_lost')
  })
})
