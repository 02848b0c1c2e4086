/** Calls that are given up, that take long, and that fail inside: a real server and a real client. */
import { type CallContext, RpcError } from '@token-socket/client'
import type { ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { rejection } from '../protocol/rejection.js'
import { type Site, turn, until, useSites } from './fixture.js'

describe('the call of a function', () => {
  const start = useSites()
  const contexts: CallContext[] = []

  beforeEach(() => contexts.splice(0))

  const controller = {
    wait: async (_auth: unknown, _data: unknown, _callback: unknown, _socket: unknown, call: CallContext) => {
      contexts.push(call)
      await new Promise((_resolve, reject) =>
        call.signal.addEventListener('abort', () => reject(call.signal.reason)),
      )
    },
    echo: (_auth: unknown, data: unknown) => data,
    nothing: async () => {},
    reports: {
      year: async (_auth: unknown, _data: unknown, _callback: unknown, _socket: unknown, call: CallContext) =>
        call.deadline - Date.now(),
    },
  }

  const siteWith = (options: object = {}) => start({ socketController: controller, ...options })

  it('has its name and its deadline', async () => {
    const site = await siteWith()
    const { client } = await site.pair()
    const before = Date.now()
    const aborted = rejection(client.rpc('wait', null, { timeout: 50 }))
    await until(() => contexts.length === 1)
    const [{ name, deadline } = {} as CallContext] = contexts
    expect(name).to.equal('wait')
    expect(deadline).to.be.within(before, Date.now() + 1000)
    expect((await aborted).code).to.equal('timeout')
  })

  it('answers with nothing when an async function resolves with nothing', async () => {
    const site = await siteWith()
    const { client } = await site.pair()
    expect(await client.rpc('nothing')).to.equal(undefined)
  })

  for (const [reason, giveUp] of [
    ['aborted', (client: { end(): unknown }, abort: AbortController) => client && abort.abort()],
    ['connection_lost', (client: { end(): unknown }) => client.end()],
  ] as const) {
    it(`stops with ${reason}, and leaves its place`, async () => {
      const site = await siteWith({ limits: { callsIn: 1 } })
      const { client } = await site.pair()
      const abort = new AbortController()
      const failed = rejection(client.rpc('wait', null, { signal: abort.signal }))
      await until(() => contexts.length === 1)
      const signal = contexts[0]?.signal as AbortSignal
      giveUp(client, abort)
      await failed
      await until(() => signal.aborted)
      expect(signal.reason).to.have.property('code', reason)
      if (reason === 'aborted') expect(await client.rpc('echo', 1)).to.equal(1)
      await turn()
      expect(site.failures).to.deep.equal([])
    })
  }

  it('of a client stops when the server gives it up', async () => {
    const site = await siteWith()
    const { socket } = await site.pair(
      {},
      {
        wait: (_data: unknown, _callback: unknown, call: CallContext) => {
          contexts.push(call)
          return new Promise(() => {})
        },
      },
    )
    const abort = new AbortController()
    const failed = rejection(socket.rpc('wait', null, { signal: abort.signal }))
    await until(() => contexts.length === 1)
    abort.abort()
    expect((await failed).code).to.equal('aborted')
    await until(() => contexts[0]?.signal.aborted)
    const late = rejection(socket.rpc('wait', null, { timeout: 50 }))
    expect((await late).code).to.equal('timeout')
    await until(() => contexts[1]?.signal.aborted)
    expect(contexts[1]?.signal.reason).to.have.property('code', 'timeout')
  })

  describe('may take', () => {
    const functions = { 'reports.*': { timeout: 300_000 } }
    for (const [timeout, most] of [
      [undefined, 30_000],
      [120_000, 120_000],
      [1e9, 300_000],
      [0, 300_000],
      [Number.POSITIVE_INFINITY, 300_000],
      [5000, 5000],
    ] as const) {
      it(`${most} ms when it asks for ${timeout}`, async () => {
        const { client } = await (await siteWith({ functions })).pair()
        const left = await client.rpc<number>('reports.year', 2026, timeout === undefined ? {} : { timeout })
        expect(left).to.be.within(most - 4000, most)
      })
    }
  })

  describe('fails with nested_failed, not with a code of its own,', () => {
    async function siteThat(pay: (socket: ServerSocket) => unknown): Promise<Site> {
      return start({
        socketController: {
          orders: {
            pay: (_auth: unknown, _data: unknown, _callback: unknown, socket: ServerSocket) => pay(socket),
          },
        },
      })
    }

    it('when the page lacks the function that it calls', async () => {
      const { client } = await (await siteThat((socket) => socket.rpc('confirm'))).pair()
      const error = await rejection(client.rpc('orders.pay'))
      expect(error.code).to.equal('nested_failed')
      expect(error.data).to.deep.equal({ code: 'not_found', function: 'confirm' })
      expect(error.message).to.include('orders.pay').and.include('confirm')
    })

    it('when the page’s function fails with a code of the library', async () => {
      const site = await siteThat((socket) => socket.rpc('confirm'))
      const { client } = await site.pair(
        {},
        {
          confirm: () => {
            throw new RpcError('forbidden')
          },
        },
      )
      expect((await rejection(client.rpc('orders.pay'))).data).to.deep.equal({
        code: 'forbidden',
        function: 'confirm',
      })
    })

    it('when the caller is the server, and an action calls it back', async () => {
      const { client, socket } = await (await siteWith()).pair()
      client.register({ ask: () => client.rpc('no.such') })
      const error = await rejection(socket.rpc('ask'))
      expect(error.code).to.equal('nested_failed')
      expect(error.data).to.deep.equal({ code: 'not_found', function: 'no.such' })
    })

    it('but passes on what the function made itself', async () => {
      const site = await siteThat((socket) =>
        socket.rpc('confirm').catch((error: RpcError) => {
          throw new RpcError('not_found', 'No confirmation', { tried: 1 }, error)
        }),
      )
      const { client } = await site.pair()
      const error = await rejection(client.rpc('orders.pay'))
      expect([error.code, error.message, error.data]).to.deep.equal([
        'not_found',
        'No confirmation',
        { tried: 1 },
      ])
    })

    for (const event of ['subscribe', 'publish'] as const) {
      it(`in a veto listener of ${event}`, async () => {
        const site = await siteWith()
        site.sockets.on(event, (async (socket: ServerSocket) => {
          await socket.rpc('confirm')
        }) as never)
        const { client } = await site.pair()
        const error = await rejection(event === 'subscribe' ? client.subscribe('a') : client.publish('a', 1))
        expect(error.code).to.equal('nested_failed')
        expect(error.data).to.deep.equal({ code: 'not_found', function: 'confirm' })
      })
    }

    it('in a listener of authentication', async () => {
      const site = await siteWith()
      site.sockets.on('authentication', (async (socket: ServerSocket) => {
        await socket.rpc('confirm')
      }) as never)
      const client = site.client({ reconnect: false })
      const error = await rejection(client.ready())
      expect(error.code).to.equal('nested_failed')
      expect(error.data).to.deep.equal({ code: 'not_found', function: 'confirm' })
    })
  })

  it('of a rule that passes a failure on refuses with nested_failed', async () => {
    const site = await siteWith({
      channels: { '*': { subscribe: async (socket: ServerSocket) => socket.rpc('confirm') } },
    })
    const { client } = await site.pair()
    const error = await rejection(client.subscribe('a'))
    expect(error.code).to.equal('nested_failed')
    expect(error.data).to.deep.equal({ code: 'not_found', function: 'confirm' })
  })
})
