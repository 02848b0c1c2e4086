/** What is given to the entries of a contract and is neither a contract nor a listener. */
import { TokenSocket } from '@token-socket/client'
import { defineContract, procedure, type } from '@token-socket/contract'
import { toAsyncApi } from '@token-socket/contract/asyncapi'
import { connect, connectCalls, typed, typedCalls } from '@token-socket/contract/client'
import { mockClient, mockServer } from '@token-socket/contract/mock'
import { implement, typed as typedServer } from '@token-socket/contract/server'
import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { type Site, useSites } from './fixture.js'

type Loose = (...args: unknown[]) => unknown

/** @returns what it throws, or rejects with */
async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    return await run()
  } catch (error) {
    return error
  }
}

describe('what is no contract', () => {
  const start = useSites()
  let site: Site
  let tokens = 0

  beforeEach(async () => {
    tokens = 0
    site = await start({
      authentication: async () => {
        tokens += 1
        return {}
      },
    })
  })

  const contract = defineContract({ server: { a: procedure({ output: type<number>() }) } })
  const wrong = {
    undefined,
    null: null,
    'an object': {},
    'a definition': contract.definition,
    text: 'x',
    'no definition': { definition: 5 },
  }
  const entries: Readonly<Record<string, (given: unknown) => unknown>> = {
    connect: (given) => (connect as Loose)(given, { host: site.host }),
    connectCalls: (given) => (connectCalls as Loose)(given, { host: site.host }),
    'connect, without a contract': () => (connect as Loose)({ host: site.host }),
    typed: (given) => (typed as Loose)(idle(), given),
    typedCalls: (given) => (typedCalls as Loose)(idle(), given),
    'typed of a server': (given) => (typedServer as Loose)(site.sockets, given),
    implement: (given) => (implement as Loose)(given, {}),
    mockServer: (given) => (mockServer as Loose)(given),
    mockClient: (given) => (mockClient as Loose)(given),
    toAsyncApi: (given) => (toAsyncApi as Loose)(given, { title: 'Shop', version: '1' }),
    'toAsyncApi, alone': (given) => (toAsyncApi as Loose)(given),
  }

  function idle(): TokenSocket {
    return new TokenSocket({ host: site.host, lazy: true })
  }

  for (const [name, enter] of Object.entries(entries)) {
    it(`is refused by ${name}, by name, and nothing is left open`, async () => {
      for (const [what, given] of Object.entries(wrong)) {
        const error = await failureOf(() => enter(given))
        expect(RpcError.is(error) && error.code, what).to.equal('bad_option')
        expect((error as RpcError).data, what).to.deep.equal({ field: 'contract' })
      }
      await site.client().ready()
      expect(tokens).to.equal(1)
      expect(site.sockets.sockets()).to.have.length(1)
    })
  }
})

describe('what is no function', () => {
  const contract = defineContract({
    server: { a: procedure({ output: type<number>() }) },
    client: {
      note: procedure({ input: type<string>() }),
      deep: { note: procedure() },
      ask: procedure({ output: type<number>() }),
    },
    channels: { room: { events: { say: type<string>() } } },
  })
  const mock = mockServer(contract)
  let client: Awaited<ReturnType<typeof mock.connect>>

  before(async () => {
    client = await mock.connect()
  })
  after(() => mock.close())

  const room = () => client.channel('room')
  const places: Readonly<Record<string, (given: never) => unknown>> = {
    onNote: (given) => client.onNote(given),
    'deep.onNote': (given) => client.deep.onNote(given),
    $onError: (given) => client.$onError(given),
    $onAnyMessage: (given) => client.$onAnyMessage(given),
    $withReconnect: (given) => client.$withReconnect(given),
    'channel.bind': (given) => room().bind('say', given),
    'channel.on': (given) => room().on('joined', given),
    'handle, of an operation': (given) => client.handle({ ask: given ?? (null as never) }),
    handle: (given) => client.handle(given),
    'the socket’s on': (given) => client.$socket.on('error', given),
    'the socket’s once': (given) => client.$socket.once('error', given),
    'the socket’s bind': (given) => client.$socket.bind('say', given),
    'the socket’s onmessage': (given) => client.$socket.onmessage(given),
    'the socket’s onreconnect': (given) => client.$socket.onreconnect(given),
    'the socket’s onrestored': (given) => client.$socket.onrestored(given),
    'a channel’s bind': (given) => client.$socket.channel('room').bind('say', given),
    'a channel’s on': (given) => client.$socket.channel('room').on('joined', given),
  }

  for (const [name, listen] of Object.entries(places)) {
    it(`is refused by ${name} at once`, () => {
      for (const given of name === 'handle' ? [null, 5, 'text'] : [undefined, null, 5, 'text', {}])
        expect(() => listen(given as never), String(given)).to.throw(
          /(has to|must) be (a function|an object of functions)/,
        )
    })
  }
})
