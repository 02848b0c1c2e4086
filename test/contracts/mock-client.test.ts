import { mockClient, mockServer } from '@token-socket/contract/mock'
import { implement } from '@token-socket/contract/server'
import type { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { errorOf, until } from '../client/waiting.js'
import { useSites } from '../end-to-end/fixture.js'
import { contract } from './mock-contract.js'

const ORDER = { order: 1, item: 'tea', when: '2026-01-02T03:04:05Z' }

/** Handlers under test. */
const handlers: Parameters<typeof implement<typeof contract>>[1] = {
  sayHello: ({ name }, { client }) => void client.sendGreeting({ greeting: `Hello ${name}` }),
  greet: (_input, { auth }) => `You are ${(auth as { readonly name?: string }).name}`,
  shop: {
    async buy({ item }, { client, errors }) {
      if (!(await client.confirm(`Buy ${item}?`))) throw errors.sold_out({ left: 0 })
      return { ...ORDER, item }
    },
    list: () => [],
  },
  unknown: () => {
    throw new Error('a bug')
  },
  since: (date) => date.getTime(),
  move: ({ x }, { client }) => void client.move({ x: x + 1 }),
}

describe('mockClient', () => {
  const start = useSites()
  const open: { close(): Promise<void> }[] = []
  function make(options: Parameters<typeof mockClient<typeof contract>>[1] = {}) {
    const mock = mockClient(contract, options)
    open.push(mock)
    return mock
  }
  afterEach(() => Promise.all(open.splice(0).map((one) => one.close())))

  const ways = {
    '#caller': async (mock: ReturnType<typeof make>) => mock.caller(handlers, { auth: { name: 'Ann' } }),
    '#connect': async (mock: ReturnType<typeof make>) => {
      const site = await start({
        socketController: implement(contract, handlers),
        authentication: () => ({ name: 'Ann' }),
      })
      return mock.connect({ host: site.host })
    },
  }
  for (const [name, connected] of Object.entries(ways)) {
    describe(name, () => {
      it('calls handlers, which get the user and the input after its transforms', async () => {
        const client = await connected(make())
        expect(await client.greet({ name: 'x' })).to.equal('You are Ann')
        expect(await client.since('2026-01-02T03:04:05Z')).to.equal(Date.UTC(2026, 0, 2, 3, 4, 5))
      })

      it('answers what handlers call on the client', async () => {
        const mock = make({ handlers: { confirm: (question) => question !== 'Buy milk?' } })
        const client = await connected(mock)
        expect(await client.shop.buy({ item: 'tea' })).to.deep.equal(ORDER)
        expect(await errorOf(client.shop.buy({ item: 'milk' }))).to.include({ code: 'sold_out' })
        mock.use({ confirm: () => true })
        expect(await client.shop.buy({ item: 'milk' })).to.have.property('item', 'milk')
        expect(await mock.next('confirm')).to.equal('Buy tea?')
      })

      it('answers with data made from the schema, the same for the same seed', async () => {
        const answers = async (seed: number) => {
          const mock = make({ seed, errors: {} })
          const client = await connected(mock)
          const codes = []
          for (let count = 0; count < 6; count += 1) {
            codes.push(
              await client.shop.buy({ item: 'tea' }).then(
                () => 'bought',
                (error: RpcError) => error.code,
              ),
            )
          }
          return codes
        }
        const first = await answers(1)
        expect(first).to.include('bought').and.to.include('sold_out')
        expect(await answers(1)).to.deep.equal(first)
      })

      it('hears what handlers send', async () => {
        const mock = make()
        const client = await connected(mock)
        client.sayHello({ name: 'Ann' })
        client.move({ x: 1 })
        expect(await mock.next('sendGreeting')).to.deep.equal({ greeting: 'Hello Ann' })
        expect(await mock.next('move')).to.deep.equal({ x: 2 })
        expect(mock.received).to.have.length(2)
        mock.reset()
        expect(mock.received).to.deep.equal([])
      })

      it('gets errors of wrong inputs and of wrong answers as any client', async () => {
        const client = await connected(make())
        expect(await errorOf(client.greet({} as never))).to.have.property('code', 'invalid_input')
        expect(await errorOf(client.shop.list())).to.have.property('code', 'internal')
      })
    })
  }

  it('#caller runs middleware, and keeps what handlers threw', async () => {
    const mock = make()
    const names: string[] = []
    const client = mock.caller(handlers, {
      use: [
        (call, next) => {
          names.push(call.name)
          return next()
        },
      ],
    })
    expect(await errorOf(client.unknown())).to.have.property('code', 'internal')
    expect(names).to.deep.equal(['unknown'])
    await until(() => mock.failures.length === 1)
    expect(mock.failures[0]).to.have.property('message', 'a bug')
  })

  it('#caller takes a wrong set of handlers for an error', () => {
    expect(() => make().caller({} as never))
      .to.throw('greet')
      .with.property('code', 'bad_option')
  })

  it('and a mock server talk to each other', async () => {
    const server = mockServer(contract)
    open.push(server)
    const mock = make()
    const client = await mock.connect({
      host: 'mock',
      authentication: { token: 'mock' },
      webSocket: server.webSocket,
    })
    expect(await client.greet({ name: 'Ann' })).to.be.a('string')
    server.client.sendGreeting({ greeting: 'Hello' })
    expect(await mock.next('sendGreeting')).to.deep.equal({ greeting: 'Hello' })
    expect(await server.client.confirm('sure?')).to.be.a('boolean')
  })
})
