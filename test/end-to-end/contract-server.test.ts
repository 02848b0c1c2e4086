/**
 * What a server of a contract calls, publishes and reads; and what it checks of what clients
 * publish.
 */

import type { Controller, TokenSocket } from '@token-socket/client'
import { type Contract, defineContract, procedure, type } from '@token-socket/contract'
import { implement, type TypedOptions, typed } from '@token-socket/contract/server'
import { RpcError } from '@token-socket/server'
import { type as ark } from 'arktype'
import { expect } from 'chai'
import * as v from 'valibot'
import { z } from 'zod'
import { next, rejection, type Site, type SiteOptions, turn, until, useSites } from './fixture.js'

const contract = defineContract({
  client: {
    confirm: procedure({ input: z.string(), output: z.boolean() }),
    a: { b: { c: { d: procedure({ input: z.number(), output: z.number() }) } } },
    deep: { say: procedure({ input: z.object({ text: z.string() }) }) },
  },
  both: { move: procedure({ input: type<{ x: number }>() }) },
  channels: {
    lobby: { events: { say: z.object({ text: z.string() }), at: z.coerce.date(), any: type<unknown>() } },
    'room-{id}': {
      events: { say: v.object({ text: v.string() }) },
      presence: z.object({ name: z.string() }),
    },
    'user/{id}/mail': {
      events: { new: ark({ from: 'string' }), later: z.string().refine(async () => true) },
    },
  },
})

describe('#typed', () => {
  const start = useSites()

  async function serve(site: SiteOptions = {}, options?: TypedOptions) {
    const running = await start(site)
    return { site: running, own: typed(running.sockets, contract, options) }
  }

  describe('publish', () => {
    it('publishes an event on the channel that a pattern and its parameters name', async () => {
      const { site, own } = await serve()
      const client = await site.ready()
      await client.subscribe('room-a%2Fb')
      const message = next(client, 'message')
      const receipt = await own.publish('room-{id}', { id: 'a/b' }, 'say', { text: 'hello' })
      expect(receipt).to.have.property('id')
      expect(await message).to.deep.equal(['room-a%2Fb', { text: 'hello' }])
      expect(own.channel('room-{id}', { id: 'a/b' })).to.equal('room-a%2Fb')
    })

    it('takes the options of a publication', async () => {
      const { own, site } = await serve({
        channels: { lobby: { subscribe: true, history: { ttl: 60_000 } } },
      })
      const publish = () => own.publish('lobby', {}, 'say', { text: 'once' }, { idempotencyKey: 'k' })
      const [one, two] = [await publish(), await publish()]
      expect(one.id).to.equal(two.id)
      expect((await site.sockets.history('lobby')).publications).to.have.length(1)
    })

    it('refuses data that is not the event’s, before anything is published, unless `checkSent` is false', async () => {
      const { own } = await serve()
      const wrong = { text: 5 } as never
      const error = await rejection(own.publish('room-{id}', { id: 1 }, 'say', wrong))
      expect(error.code).to.equal('invalid_input')
      expect(error.data).to.deep.include({ channel: 'room-1', event: 'say' })
      const unchecked = await serve({}, { checkSent: false })
      expect(await unchecked.own.publish('room-{id}', { id: 1 }, 'say', wrong)).to.have.property('id')
    })

    it('publishes the data itself, not what its schema makes of it', async () => {
      const { site, own } = await serve()
      const client = await site.ready()
      await client.subscribe('lobby')
      const message = next(client, 'message')
      await own.publish('lobby', {}, 'at', 0)
      expect(await message).to.deep.equal(['lobby', 0])
    })

    it('refuses channels, parameters and events that are not the contract’s', async () => {
      const { own } = await serve()
      const publish = own.publish as (...args: unknown[]) => Promise<unknown>
      for (const args of [
        ['none', {}, 'say', {}],
        ['__proto__', {}, 'say', {}],
        ['room-{id}', {}, 'say', { text: 'x' }],
        ['room-{id}', { id: '' }, 'say', { text: 'x' }],
        ['lobby', {}, 'no', {}],
        ['lobby', {}, 'toString', {}],
      ])
        expect((await rejection(publish(...args))).code, args.join()).to.equal('bad_message')
      expect((await rejection(publish('room-{id}', { id: 'x'.repeat(300) }, 'say', {}))).code).to.equal(
        'too_long',
      )
    })

    it('may be left alone when it fails', async () => {
      const { own } = await serve()
      void own.publish('lobby', {}, 'say', 1 as never)
      void own.rpc('no sid', 'confirm', 1 as never)
      void own.members('room-{id}', { id: '' })
      await turn()
    })
  })

  describe('rpc and notify', () => {
    const actions = (said: unknown[]): Controller => ({
      confirm: (text: unknown) => text === 'yes',
      a: { b: { c: { d: (number: unknown) => Number(number) + 1 } } },
      deep: { say: (data: unknown) => void said.push(data) },
      move: (data: unknown) => void said.push(data),
    })

    it('call a client by its socket, and by its sid', async () => {
      const { site, own } = await serve()
      const said: unknown[] = []
      const { socket } = await site.pair({}, actions(said))
      for (const who of [socket, socket.sid]) {
        expect(await own.rpc(who, 'confirm', 'yes')).to.equal(true)
        expect(await own.rpc(who, 'a.b.c.d', 1)).to.equal(2)
        expect(await own.notify(who, 'deep.say', { text: 'x' })).to.equal(undefined)
        await own.notify(who, 'move', { x: 1 })
      }
      await until(() => said.length === 4)
      expect(said).to.deep.equal([{ text: 'x' }, { x: 1 }, { text: 'x' }, { x: 1 }])
    })

    it('check what is sent, and what comes back', async () => {
      const { site, own } = await serve()
      const calls: unknown[] = []
      const wrong = { confirm: (text: unknown) => `no boolean ${calls.push(text)}` }
      const { socket } = await site.pair({}, wrong)
      expect((await rejection(own.rpc(socket, 'confirm', 5 as never))).code).to.equal('invalid_input')
      expect((await rejection(own.notify(socket, 'deep.say', {} as never))).code).to.equal('invalid_input')
      expect(calls).to.deep.equal([])
      const error = await rejection(own.rpc(socket, 'confirm', 'x'))
      expect([error.code, error.data]).to.deep.include('invalid_output')
      const unchecked = await serve({}, { checkSent: false })
      const pair = await unchecked.site.pair({}, { confirm: () => true })
      expect(await unchecked.own.rpc(pair.socket, 'confirm', 5 as never)).to.equal(true)
    })

    it('take a time-out and a signal', async () => {
      const { site, own } = await serve()
      const { socket } = await site.pair({}, { confirm: () => new Promise(() => {}) })
      for (const who of [socket, socket.sid]) {
        expect((await rejection(own.rpc(who, 'confirm', 'x', { timeout: 20 }))).code).to.equal('timeout')
        const given = { signal: AbortSignal.abort() }
        expect((await rejection(own.rpc(who, 'confirm', 'x', given))).code).to.equal('aborted')
      }
    })

    it('take sockets and sids only', async () => {
      const { site, own } = await serve()
      const { socket } = await site.pair()
      for (const who of [undefined, null, 7, {}, [socket]]) {
        for (const call of [
          own.rpc(who as never, 'confirm', 'yes'),
          own.notify(who as never, 'move', { x: 1 }),
        ]) {
          const error = await rejection(call)
          expect([error.code, error.message]).to.deep.equal([
            'bad_option',
            'Invalid option: who has to be a socket of this node, or the sid of any',
          ])
        }
        expect(() => own.client(who as never)).to.throw('socket has to be a socket of this node')
      }
      expect(() => own.client(socket.sid as never)).to.throw('`rpc` and `notify` take a sid')
    })

    it('report a one-way message that is not sent, since its input is wrong, whichever way it goes', async () => {
      const { site, own } = await serve()
      const { socket } = await site.pair()
      const { sid } = socket
      const sends = [
        () => own.notify(socket, 'deep.say', {} as never),
        () => own.notify(sid, 'deep.say', {} as never),
        () => own.notify('gone', 'deep.say', {} as never),
        () => own.client(socket).deep.say({} as never),
      ]
      for (const send of sends) expect((await rejection(send())).code).to.equal('invalid_input')
      expect(site.failures.map(({ cause }) => (cause as RpcError).code)).to.deep.equal(
        sends.map(() => 'invalid_input'),
      )
      expect(site.failures.map(({ details }) => details)).to.deep.equal(
        [sid, sid, 'gone', sid].map((id) => ({ function: 'deep.say', step: 'notification', sid: id })),
      )
    })

    it('bound a schema that never settles by `limits.callTimeout`, or by the call’s own time', async () => {
      const never = z.string().refine(() => new Promise<boolean>(() => {}))
      const slow = defineContract({
        client: { ask: procedure({ input: never, output: z.string() }), say: procedure({ input: never }) },
        channels: { lobby: { events: { say: never } } },
      })
      const site = await start({ limits: { callTimeout: 30 } })
      const own = typed(site.sockets, slow)
      const { socket } = await site.pair()
      for (const ask of [
        () => own.rpc(socket, 'ask', 'x'),
        () => own.rpc(socket.sid, 'ask', 'x'),
        () => own.notify(socket, 'say', 'x'),
        () => own.notify(socket.sid, 'say', 'x'),
        () => own.client(socket).say('x'),
        () => own.publish('lobby', {}, 'say', 'x'),
      ])
        expect((await rejection(ask())).code).to.equal('timeout')
      const longer = await start({ limits: { callTimeout: 60_000 } })
      const { socket: patient } = await longer.pair()
      const asked = typed(longer.sockets, slow).rpc(patient, 'ask', 'x', { timeout: 10 })
      expect((await rejection(asked)).code).to.equal('timeout')
    })

    it('refuse names that are not the contract’s, and what is called in the wrong way', async () => {
      const { site, own } = await serve()
      const { socket } = await site.pair()
      const [rpc, notify] = [own.rpc, own.notify] as unknown as ((...args: unknown[]) => Promise<unknown>)[]
      for (const name of ['then', 'constructor', '__proto__', 'deep', 'none', 'deep.say', Symbol.iterator])
        expect((await rejection(rpc?.(socket, name) as Promise<unknown>)).code).to.equal('bad_message')
      expect((await rejection(notify?.(socket, 'confirm') as Promise<unknown>)).code).to.equal('bad_message')
    })

    it('give not_connected for a sid that no socket has', async () => {
      const { own } = await serve()
      expect((await rejection(own.rpc('nobody', 'confirm', 'x'))).code).to.equal('not_connected')
    })
  })

  it('gives the client of a socket, always the same one', async () => {
    const { site, own } = await serve()
    const { socket } = await site.pair({}, { confirm: () => true })
    expect(await own.client(socket).confirm('x')).to.equal(true)
    expect(own.client(socket)).to.equal(own.client(socket))
  })

  it('gives the members of a channel', async () => {
    const { site, own } = await serve({
      authentication: () => ({ uid: 'ann', umd: { name: 'Ann' } }),
      channels: { 'room-*': { subscribe: true, presence: true } },
    })
    const client = await site.ready()
    await client.subscribe('room-7')
    expect(await own.members('room-{id}', { id: 7 })).to.deep.equal([{ uid: 'ann', umd: { name: 'Ann' } }])
  })

  it('refuses options that it does not know', async () => {
    const { site } = await serve()
    expect(() => typed(site.sockets, contract, { check: true } as never)).to.throw('check has to be')
  })

  it('makes what fails in a handler nested_failed', async () => {
    const failing = defineContract({ server: { go: procedure() } })
    const site: Site = await start({
      socketController: implement(failing, {
        go: async () => void (await typed(site.sockets, contract).publish('lobby', {}, 'say', 1 as never)),
      }),
    })
    const client = await site.ready()
    const error = await rejection(client.rpc('go'))
    expect(error.code).to.equal('nested_failed')
    expect(error.data).to.deep.equal({ code: 'invalid_input', function: 'server.publish' })
  })

  describe('of what clients publish on its channels', () => {
    const wrong: readonly (readonly [channel: string, event: string | undefined, data: unknown])[] = [
      ['lobby', 'say', { text: 5 }],
      ['lobby', 'say', undefined],
      ['lobby', 'no', { text: 'x' }],
      ['lobby', 'toString', { text: 'x' }],
      ['lobby', undefined, { text: 'x' }],
      ['room-7', 'say', { text: { secret: 1 } }],
      ['room-a%2Fb', 'say', 'x'],
      ['user/7/mail', 'new', {}],
      ['user/7/mail', 'later', 5],
    ]

    async function publishing(site: Site): Promise<{ client: TokenSocket; seen: unknown[][] }> {
      const [client, other] = [await site.ready(), await site.ready()]
      const seen: unknown[][] = []
      other.on('message', (channel, data) => seen.push([channel, data]))
      for (const channel of new Set([...wrong.map(([name]) => name), 'free'])) await other.subscribe(channel)
      return { client, seen }
    }

    it('lets right ones through as they are, and other channels alone', async () => {
      const { site } = await serve()
      const { client, seen } = await publishing(site)
      await client.publish('lobby', { text: 'x', more: 1 }, { event: 'say' })
      await client.publish('lobby', '2020-01-01', { event: 'at' })
      await client.publish('lobby', null, { event: 'any' })
      await client.publish('user/7/mail', 'x', { event: 'later' })
      await client.publish('free', { any: 'thing' })
      await until(() => seen.length === 5)
      expect(seen[0]).to.deep.equal(['lobby', { text: 'x', more: 1 }])
      expect(seen[1]).to.deep.equal(['lobby', '2020-01-01'])
    })

    for (const [channel, event, data] of wrong) {
      it(`refuses ${JSON.stringify(data)} as ${event} on ${channel}`, async () => {
        const { site } = await serve()
        const { client, seen } = await publishing(site)
        const error = await rejection(client.publish(channel, data, event === undefined ? {} : { event }))
        expect(error.code).to.equal('invalid_input')
        expect(error.data).to.deep.include({ channel, ...(event && { event }) })
        expect(error.data).to.have.nested.property('issues[0].path')
        expect(JSON.stringify(error.data)).not.to.contain('secret')
        await client.publish('free', 'last')
        await until(() => seen.length)
        expect(seen).to.deep.equal([['free', 'last']])
        expect(site.failures).to.deep.equal([])
      })
    }

    it('refuses those of legacy clients, which have no events', async () => {
      const { site } = await serve()
      const peer = await site.member()
      const answer = await peer.ask({ rpc: '_publish', req: { channel: 'lobby', data: { text: 'x' } } })
      expect(answer).to.have.property('code', 'invalid_input')
    })

    it('refuses broadcasts, which reach these channels, even where the application allows them', async () => {
      const site = await start()
      site.sockets.use('broadcast', (_request, go) => go())
      typed(site.sockets, contract)
      const client = await site.ready()
      expect((await rejection(client.broadcast({ text: 'x' }))).code).to.equal('forbidden')
    })

    it('leaves broadcasts alone where the contract has no channels', async () => {
      const site = await start()
      typed(site.sockets, defineContract({}))
      const client = await site.ready()
      await client.broadcast({ text: 'x' })
    })

    it('asks no rule and no listener about wrong ones', async () => {
      const asked: unknown[] = []
      const rule = { subscribe: true, publish: () => asked.push('rule') > 0 }
      const { site } = await serve({ channels: { '*': rule } })
      site.sockets.on('publish', () => asked.push('listener') > 0)
      const client = await site.ready()
      await rejection(client.publish('lobby', 5, { event: 'say' }))
      expect(asked).to.deep.equal([])
      await client.publish('lobby', { text: 'x' }, { event: 'say' })
      expect(asked).to.deep.equal(['rule', 'listener'])
    })

    it('checks each once, however often it is called; and both contracts where there are two', async () => {
      const asked: string[] = []
      const counting = (name: string) =>
        z.unknown().refine(() => {
          asked.push(name)
          return true
        })
      const one = defineContract({ channels: { lobby: { events: { say: counting('one') } } } })
      const two = defineContract({ channels: { lobby: { events: { say: counting('two') } } } })
      const site = await start()
      for (const each of [one, one, two, one, two] as Contract[]) typed(site.sockets, each)
      const client = await site.ready()
      await client.publish('lobby', 1, { event: 'say' })
      expect(asked).to.deep.equal(['one', 'two'])
    })

    it('takes the events of all contracts that a channel belongs to, under whichever pattern', async () => {
      const one = defineContract({
        channels: { 'room-{id}': { events: { say: z.string(), same: z.string() } } },
      })
      const two = defineContract({
        channels: { '{name}': { events: { count: z.number(), same: z.string().max(3) } } },
      })
      const site = await start()
      typed(site.sockets, one)
      typed(site.sockets, two)
      const client = await site.ready()
      const code = async (event: string, data: unknown) =>
        (await client.publish('room-7', data, { event }).then(
          () => 'ok',
          ({ code }) => code,
        )) as string
      expect(await code('say', 'x')).to.equal('ok')
      expect(await code('count', 1)).to.equal('ok')
      expect(await code('same', 'x')).to.equal('ok')
      for (const [event, data] of [
        ['say', 1],
        ['count', 'x'],
        ['same', 'long'],
        ['other', 1],
      ] as const)
        expect(await code(event, data)).to.equal('invalid_input')
    })

    it('refuses data of more than `maxParts` parts, and asks no schema', async () => {
      let asked = 0
      const counting = z.unknown().refine(() => {
        asked += 1
        return true
      })
      const one = defineContract({ channels: { lobby: { events: { say: counting } } } })
      const site = await start()
      typed(site.sockets, one, { maxParts: 3 })
      const client = await site.ready()
      const error = await rejection(client.publish('lobby', [1, 2, 3, 4], { event: 'say' }))
      expect(error.code).to.equal('invalid_input')
      expect(error.data).to.have.nested.property('issues[0].message', 'must have at most 3 parts')
      expect(asked).to.equal(0)
      await client.publish('lobby', [1, 2, 3], { event: 'say' })
      expect(asked).to.equal(1)
    })

    it('leaves what middleware does after the check alone', async () => {
      const { site } = await serve()
      site.sockets.use('publish', (request, go) => {
        request.data = { text: 5 }
        return go()
      })
      const { client, seen } = await publishing(site)
      await client.publish('lobby', { text: 'x' }, { event: 'say' })
      await until(() => seen.length)
      expect(seen).to.deep.equal([['lobby', { text: 5 }]])
    })

    it('gives internal for schemas that throw, and veto_timeout for those that never settle', async () => {
      const schema = (run: () => unknown) => z.unknown().refine(run as () => boolean)
      const failing = schema(() => {
        throw new RpcError('forbidden')
      })
      const hanging = schema(() => new Promise(() => {}))
      const bad = defineContract({ channels: { lobby: { events: { failing, hanging } } } })
      const site = await start({ limits: { vetoTimeout: 50 } })
      typed(site.sockets, bad)
      const client = await site.ready()
      const publish = (event: string) => rejection(client.publish('lobby', 1, { event }))
      expect((await publish('failing')).code).to.equal('internal')
      expect(site.failures[0]?.cause).to.have.nested.property('cause.code', 'forbidden')
      expect((await publish('hanging')).code).to.equal('veto_timeout')
      await site.servesHonestClients()
    })
  })

  it('goes with implement', async () => {
    const site = await start({ socketController: implement(contract, { move: () => {} }) })
    const own = typed(site.sockets, contract)
    const { client, socket } = await site.pair({}, { confirm: () => true })
    expect(await client.rpc('move', { x: 1 })).to.equal(undefined)
    expect(await own.rpc(socket, 'confirm', 'x')).to.equal(true)
  })
})
