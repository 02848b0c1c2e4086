/** Notifications of a client, and to it. */
import {
  type CallContext,
  type ClientMessage,
  encodeError,
  RpcError,
  wireError,
} from '@token-socket/protocol'
import { expect } from 'chai'
import { errorOf, turn, until } from './waiting.js'
import { World } from './world.js'

const circular: { self?: unknown } = {}
circular.self = circular

describe('notifications', () => {
  let world: World
  const errors: RpcError[] = []

  beforeEach(async () => {
    world = await World.create()
    world.server.session = { can: ['cancel', 'notify'] }
    errors.length = 0
  })

  afterEach(() => world.close())

  const calls = () => world.server.peer.of('call').map(({ id, name, data }) => [id, name, data])
  const results = () => world.server.peer.of('result')

  async function ready(options: object = {}, actions: object = {}) {
    const socket = world.open(options, actions as never)
    socket.on('error', (error) => errors.push(error))
    await socket.ready()
    return socket
  }

  describe('of the client', () => {
    it('are calls without an id, and resolve when they are sent', async () => {
      const socket = await ready()
      expect(await socket.notify('a.b', { c: 1 })).to.equal(undefined)
      const called = await new Promise((resolve) => socket.notify('d', null, (...how) => resolve(how)))
      expect(called).to.deep.equal([null, undefined])
      await socket.notify('e')
      await until(() => calls().length === 3)
      expect(calls()).to.deep.equal([
        [undefined, 'a.b', { c: 1 }],
        [undefined, 'd', null],
        [undefined, 'e', undefined],
      ])
    })

    it('keep their place among calls that wait, and their data', async () => {
      const socket = world.open()
      const data = { number: 1 }
      const order: string[] = []
      const note = (name: string, promise: Promise<unknown>) => void promise.then(() => order.push(name))
      note('first', socket.rpc('echo', 1))
      note('second', socket.notify('b', data))
      data.number = 2
      note('third', socket.rpc('echo', 3))
      await until(() => order.length === 3)
      expect(order[0]).to.equal('second')
      expect(calls().map(([, name, sent]) => [name, sent])).to.deep.equal([
        ['echo', 1],
        ['b', { number: 1 }],
        ['echo', 3],
      ])
    })

    it('leave together with 500 calls of the queue under way, each in its turn', async () => {
      const socket = world.open({ queueSize: 5000 })
      const kept: (ClientMessage & { type: 'call' })[] = []
      world.server.onmessage = (message) => message.type === 'call' && kept.push(message) > 0
      for (let number = 0; number < 600; number += 1) void socket.rpc('keep', number)
      const notified = socket.notify('n')
      let isSent = false
      void notified.then(() => {
        isSent = true
      })
      await until(() => kept.length === 500)
      await turn()
      expect(isSent).to.equal(false)
      while (kept.length < 601) {
        for (const { id, name, data } of kept)
          world.server.peer.send({ type: 'answer', id: String(id), rpc: name, outcome: { data } })
        await turn()
      }
      await notified
      expect(kept.map(({ name }) => name).indexOf('n')).to.equal(600)
    })

    it('wait for no answer: no time-out, no loss, no bound on calls concerns them', async () => {
      const socket = await ready({ limits: { callsOut: 1 } })
      void socket.rpc('hang')
      for (let number = 0; number < 10; number += 1) await socket.notify('hang')
      expect((await errorOf(socket.rpc('hang'))).code).to.equal('too_many_calls')
      await world.cut(socket)
      expect(errors).to.deep.equal([])
    })

    it('fail as calls do before they are sent', async () => {
      const away = world.open({ queueSize: 1, callTimeout: 50 })
      away.suspend()
      const late = errorOf(away.notify('a'))
      expect((await errorOf(away.notify('b'))).code).to.equal('queue_full')
      expect((await late).code).to.equal('timeout')
      const socket = await ready()
      expect((await errorOf(socket.notify('a', circular))).code).to.equal('unserializable')
      expect((await errorOf(socket.notify('a', () => {}))).code).to.equal('unserializable')
      for (const name of ['', 5, null]) {
        expect((await errorOf(socket.notify(name as never))).code).to.equal('bad_message')
      }
      const called = new Promise<unknown>((resolve) => socket.notify('', 1, resolve))
      expect(await called).to.have.property('code', 'bad_message')
      await socket.end()
      expect((await errorOf(socket.notify('a'))).code).to.equal('ended')
      expect(errors).to.deep.equal([])
    })

    it('are too_large for a server whose limit they are over', async () => {
      world.server.session = { can: ['notify'], limits: { message: 100 } }
      const waiting = world.open()
      expect((await errorOf(waiting.notify('a', 'x'.repeat(100)))).code).to.equal('too_large')
      expect(calls()).to.deep.equal([])
    })

    it('that wait fail with ended when the socket ends', async () => {
      const socket = world.open()
      const failed = errorOf(socket.notify('a'))
      await socket.end()
      expect((await failed).code).to.equal('ended')
    })

    it('make a lazy socket connect', async () => {
      const socket = world.open({ lazy: true })
      await socket.notify('a', 1)
      expect(socket.state).to.equal('ready')
    })

    it('that failed are error events, which name the function', async () => {
      await ready()
      world.server.peer.send({
        type: 'error',
        error: {
          ...encodeError(new RpcError('sold_out', 'Sold out', { left: 0 })),
          about: { function: 'a.b' },
        },
      })
      await until(() => errors.length === 1)
      expect(errors[0]).to.include({ code: 'sold_out', message: 'Sold out' })
      expect(errors[0]?.data).to.deep.equal({ left: 0, function: 'a.b' })
    })

    for (const can of [undefined, [], ['cancel']]) {
      describe(`to a server that can ${can && JSON.stringify(can)}`, () => {
        beforeEach(() => {
          world.server.session = { can: can as never }
        })

        it('are ordinary calls, whose answers are dropped', async () => {
          const socket = world.open()
          socket.on('error', (error) => errors.push(error))
          const waiting = socket.notify('echo', { a: 1 })
          await socket.ready()
          await waiting
          await socket.notify('echo')
          expect(await socket.rpc('echo', 1)).to.equal(1)
          expect(calls().map(([, ...rest]) => rest)).to.deep.equal([
            ['echo', { a: 1 }],
            ['echo', undefined],
            ['echo', 1],
          ])
          expect(calls().map(([id]) => String(id)[0])).to.deep.equal(['n', 'n', calls()[2]?.[0]])
          expect(errors).to.deep.equal([])
        })

        it('are error events when they fail', async () => {
          const socket = await ready()
          await socket.notify('nothing')
          await until(() => errors.length === 1)
          expect(errors[0]).to.have.property('code', 'not_found')
          expect(errors[0]?.data).to.deep.equal({ function: 'nothing' })
        })

        it('wait for no answer', async () => {
          const clock = world.stopClock()
          const socket = await ready({ limits: { callsOut: 1 } })
          for (let number = 0; number < 10; number += 1) await socket.notify('hang')
          clock.tick(60_000)
          await turn()
          expect(errors).to.deep.equal([])
        })
      })
    }
  })

  describe('of the server', () => {
    const notify = (name: string, data?: unknown) => world.server.peer.send({ type: 'invoke', name, data })

    it('run an action as a call does, and get no result', async () => {
      const seen: unknown[] = []
      const socket = await ready(
        {},
        {
          note: (data: unknown, _callback: unknown, { name, signal }: CallContext) => {
            seen.push(data, name, signal.aborted)
            return 'an answer'
          },
        },
      )
      notify('note', 1)
      await until(() => seen.length === 3)
      await turn()
      expect(seen).to.deep.equal([1, 'note', false])
      await socket.rpc('echo')
      expect(results()).to.deep.equal([])
    })

    it('that fail are reported, with the function', async () => {
      await ready(
        {},
        {
          sold: () => {
            throw new RpcError('sold_out', 'Sold out', { left: 0 })
          },
          text: (_data: unknown, callback: (error: unknown) => void) => callback('no'),
          circular: () => {
            throw new RpcError('x', 'X', circular)
          },
        },
      )
      for (const name of ['nothing', 'sold', 'text', 'circular', 'toString']) notify(name)
      await until(() => results().length === 5)
      expect(results().map(({ id, outcome }) => [id, outcome])).to.deep.equal([
        [undefined, wireError('not_found', { function: 'nothing' })],
        [
          undefined,
          {
            error: { message: 'Sold out', code: 'sold_out', data: { left: 0 } },
            code: 'sold_out',
            about: { function: 'sold' },
          },
        ],
        [undefined, { error: 'no', code: 'application_error', about: { function: 'text' } }],
        [undefined, wireError('unserializable', { function: 'circular' })],
        [undefined, wireError('not_found', { function: 'toString' })],
      ])
    })

    it('that throw are an error event here, too, and the server gets no text', async () => {
      await ready(
        {},
        {
          broken: () => {
            throw new Error('secret')
          },
        },
      )
      notify('broken')
      await until(() => results().length === 1)
      expect(results()[0]?.outcome).to.deep.equal(wireError('internal', { function: 'broken' }))
      expect(errors.map(({ message }) => message)).to.deep.equal(['secret'])
    })

    it('are held to callsIn and callTimeout', async () => {
      const contexts: CallContext[] = []
      await ready(
        { limits: { callsIn: 1 }, callTimeout: 50 },
        { wait: (_data: unknown, _callback: unknown, call: CallContext) => void contexts.push(call) },
      )
      notify('wait')
      notify('wait')
      await until(() => results().length === 2)
      expect(results().map(({ outcome }) => (outcome as { code?: string }).code)).to.deep.equal([
        'too_many_calls',
        'timeout',
      ])
      expect(contexts).to.have.length(1)
      expect(contexts[0]?.signal.reason).to.have.property('code', 'timeout')
    })

    it('have a signal that aborts when the connection is lost', async () => {
      const contexts: CallContext[] = []
      const socket = await ready(
        {},
        { wait: (_data: unknown, _callback: unknown, call: CallContext) => void contexts.push(call) },
      )
      notify('wait')
      await until(() => contexts.length === 1)
      await world.cut(socket)
      expect(contexts[0]?.signal.reason).to.have.property('code', 'connection_lost')
    })
  })
})
