/** What a development build says of the functions that the server calls. */
import { type CallContext, type Controller, TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { turn, until } from './waiting.js'
import { World } from './world.js'

type Callback = (error?: unknown, data?: unknown) => void

describe('the advice about actions', () => {
  let world: World
  let warn: sinon.SinonStub

  beforeEach(async () => {
    world = await World.create()
    warn = sinon.stub(console, 'warn')
  })

  afterEach(() => world.close())

  const texts = (): string[] => warn.args.map(([text]) => String(text))
  const results = () => world.server.peer.of('result').map(({ outcome }) => outcome)

  async function open(actions: Controller, options = {}): Promise<TokenSocket> {
    const socket = new TokenSocket({ host: world.server.host, ...options }, actions)
    world.sockets.push(socket)
    await socket.ready()
    return socket
  }

  const call = (name: string, id = '1') => world.server.peer.send({ type: 'invoke', id, name, data: 'data' })

  const lossy = () => ({ items: [{ when: new Map() }] })
  const losing: Readonly<Record<string, Controller['action']>> = {
    'that it returns': lossy,
    'that it resolves': async () => lossy(),
    'that its callback gets': (_data: unknown, callback: Callback) => callback(null, lossy()),
    'that its callback gets later': (_data: unknown, callback: Callback) =>
      void setImmediate(() => callback(null, lossy())),
  }
  for (const [how, action] of Object.entries(losing)) {
    it(`names what JSON changes of an answer ${how}, once`, async () => {
      await open({ users: { list: action as never } })
      for (const id of ['1', '2']) call('users.list', id)
      await until(() => results().length === 2)
      expect(results()[0]).to.deep.equal({ data: { items: [{ when: {} }] } })
      await turn()
      expect(texts()).to.have.length(1)
      expect(texts()[0]).to.include('The answer of the action "users.list": data.items[0].when is a Map')
      expect(texts()[0]).to.include('Object.fromEntries')
    })
  }

  it('names a callback that is declared and not called in time, after the time-out of either side', async () => {
    const clock = world.stopClock()
    let begun = 0
    const declares = (_data: unknown, _callback: Callback) => {
      begun += 1
    }
    await open({ mine: declares, theirs: declares } as never, { callTimeout: 1000 })
    call('mine', '1')
    call('theirs', '2')
    await until(() => begun === 2)
    clock.tick(999)
    expect(texts()).to.deep.equal([])
    world.server.peer.send({ type: 'withdraw', id: '2', reason: 'timeout' })
    await until(() => texts().length === 1)
    clock.tick(1)
    await until(() => texts().length === 2)
    expect(texts()).to.deep.equal(
      ['theirs', 'mine'].map(
        (name) =>
          `TokenSocket: The action "${name}" declares a callback and did not call it in time: call it, or return the answer.`,
      ),
    )
  })

  const right: Readonly<Record<string, Controller['action']>> = {
    'calls its callback': (_data: unknown, callback: Callback) => callback(null, { at: new Date(0) }),
    'calls its callback with an error': (_data: unknown, callback: Callback) => callback('no'),
    returns: (data: unknown) => [data],
    'returns nothing, and declares no callback': () => {},
    'returns, and declares a callback': (_data: unknown, _callback: Callback) => 5,
    resolves: async (_data: unknown, _callback: Callback) => null,
    throws: () => {
      throw new Error('of the test')
    },
    rejects: async () => {
      throw new Error('of the test')
    },
  }
  for (const [what, action] of Object.entries(right)) {
    it(`says nothing of one that ${what}`, async () => {
      const socket = await open({ action: action as never })
      socket.on('error', () => {})
      call('action')
      await until(() => results().length === 1)
      await turn()
      expect(texts().filter((text) => !text.includes('An action threw'))).to.deep.equal([])
    })
  }

  for (const reason of ['aborted', 'lost'] as const) {
    it(`says nothing of a call that is ${reason}`, async () => {
      let context: CallContext | undefined
      const wait = (_data: unknown, _callback: Callback, call: CallContext) => {
        context = call
      }
      const socket = await open({ wait: wait as never })
      call('wait')
      await until(() => context !== undefined)
      if (reason === 'lost') await world.cut(socket)
      else world.server.peer.send({ type: 'withdraw', id: '1', reason })
      await until(() => context?.signal.aborted)
      expect(texts()).to.deep.equal([])
    })
  }

  it('leaves what actions get and answer as it is, and awaits nothing that it does not have to', async () => {
    const started = sinon.spy((resolve: (data: unknown) => void) => resolve('thenable'))
    // biome-ignore lint/suspicious/noThenProperty: queries of databases have one
    const thenable = { then: started }
    const seen: unknown[][] = []
    const actions: Record<string, unknown> = {
      look(...args: unknown[]) {
        seen.push(args.map((arg) => typeof arg))
        return 'seen'
      },
      query: () => thenable,
    }
    const socket = await open(actions as unknown as Controller)
    expect(socket.actions).to.equal(actions)
    call('look', '1')
    call('query', '2')
    await until(() => results().length === 2)
    expect(seen).to.deep.equal([['string', 'function', 'object']])
    expect(results()).to.have.deep.members([{ data: 'seen' }, { data: 'thenable' }])
    expect(started.callCount).to.equal(1)
    expect(texts()).to.deep.equal([])
  })

  it('follows actions that are registered later, and is silent with `logLevel: "none"`', async () => {
    const socket = await open({})
    socket.register({ later: lossy })
    call('later')
    await until(() => texts().length === 1)
    await open({ later: lossy }, { logLevel: 'none' })
    call('later')
    await until(() => results().length === 1)
    expect(texts()).to.have.length(1)
  })
})
