/** Calls of a contract whose schemas are asynchronous, with real servers. */
import { defineContract, procedure, type } from '@token-socket/contract'
import { safe, typed } from '@token-socket/contract/client'
import { implement, typed as typedServer } from '@token-socket/contract/server'
import type { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { z } from 'zod'
import { deferred, rejection, turn, until, useSites } from './fixture.js'

/** What a test lets pass later: texts that begin with `held`. */
let gate = deferred<void>()

const later = z.string().refine(async (text) => {
  if (text.startsWith('held')) await gate.promise
  else await turn()
  return true
})

const contract = defineContract({
  server: {
    buy: procedure({ input: later, output: type<string>() }),
    price: procedure({ input: z.string(), output: type<string>() }),
    read: procedure({ output: later }),
    note: procedure({ input: z.string() }),
  },
  client: { confirm: procedure({ input: later, output: type<boolean>() }) },
  channels: { room: { events: { say: later, ping: z.string() } } },
})

describe('a call whose schema is asynchronous', () => {
  const start = useSites()
  let heard: string[]
  let asked: boolean

  beforeEach(() => {
    gate = deferred()
    heard = []
    asked = false
  })

  async function open(options: object = {}) {
    const site = await start({
      channels: { room: { subscribe: true, publish: true } },
      socketController: implement(
        contract,
        {
          buy: async (text, { client, signal }) => {
            heard.push(text)
            if (asked) return String(await client.confirm('sure'))
            return text === 'hangs'
              ? new Promise((_, reject) => signal.addEventListener('abort', reject))
              : text
          },
          price: (text) => {
            heard.push(text)
            return text
          },
          read: () => 'held',
          note: (text) => void heard.push(text),
        },
        { checkSent: false },
      ),
    })
    const { client: socket, socket: remote } = await site.pair({ logLevel: 'none', ...options })
    return { site, socket, remote, client: typed(socket, contract, { checkSent: true }) }
  }

  it('holds up later ones until it is sent, and not until it is answered', async () => {
    const { client } = await open()
    void client.buy('hangs')
    void client.note('noted')
    expect(await client.price('tea')).to.equal('tea')
    // The server's own schemas let the shorter ones run first.
    expect(heard).to.have.members(['hangs', 'noted', 'tea'])
    expect(await client.buy('second')).to.equal('second')
  })

  it('may call the client, whose function calls the server', async () => {
    const { client } = await open()
    asked = true
    client.handle({ confirm: async (text) => (await client.price(text)) === text })
    expect(await client.buy('tea')).to.equal('true')
  })

  it('has its time from the call on, also while it waits for its turn', async () => {
    const { client } = await open()
    const first = client.buy('held', { timeout: 0 })
    const codes = await Promise.all(
      [client.price('late', { timeout: 20 }), client.buy('held, late', { timeout: 20 })].map(rejection),
    )
    for (const error of codes) expect(error.code).to.equal('timeout')
    gate.resolve()
    await first
    expect(await client.price('next')).to.equal('next')
    expect(heard).to.deep.equal(['held', 'next'])
  })

  it('can be given up while it waits, and is not sent then', async () => {
    const { client } = await open()
    const controller = new AbortController()
    const { signal } = controller
    const first = client.buy('held')
    const given = [client.price('behind', { signal }), client.buy('held, too', { signal })]
    controller.abort()
    for (const call of given) expect((await rejection(call)).code).to.equal('aborted')
    expect((await rejection(client.buy('x', { signal }))).code).to.equal('aborted')
    gate.resolve()
    await first
    await client.price('next')
    expect(heard).to.deep.equal(['held', 'next'])
  })

  it('takes the time for what its output’s schema does, too', async () => {
    const { client } = await open()
    const error = await rejection(client.read(undefined, { timeout: 30 }))
    expect(error).to.deep.include({ code: 'timeout', data: { function: 'read' } })
    const controller = new AbortController()
    const given = client.read(undefined, { signal: controller.signal })
    await client.$socket.rpc('price', 'after the answer')
    controller.abort()
    expect((await rejection(given)).code).to.equal('aborted')
  })

  it('counts in `queueSize`, and so does what waits behind it', async () => {
    const { client } = await open({ queueSize: 3 })
    const errors: RpcError[] = []
    client.$onError((error) => errors.push(error))
    const waiting = [client.buy('held'), client.price('b'), client.channel('room').send('ping', 'c')]
    for (const call of [client.buy('held'), client.note('d'), client.channel('room').send('say', 'e')])
      expect(await rejection(call)).to.deep.include({
        code: 'queue_full',
        data: { field: 'queueSize', limit: 3 },
      })
    gate.resolve()
    await Promise.all(waiting)
    expect(errors.map(({ code }) => code)).to.deep.equal(['queue_full'])
    await client.note('again')
  })

  it('waits with `queueSize` while the socket is away, as any call', async () => {
    const { client } = await open({ queueSize: 2 })
    await client.$disconnect()
    const calls = Array.from({ length: 6 }, (_, index) => safe(client.buy(`call ${index}`)))
    await turn()
    await turn()
    await client.$connect()
    const codes = (await Promise.all(calls)).map(([error]) => error?.code)
    expect(codes).to.deep.equal([undefined, undefined, ...Array(4).fill('queue_full')])
  })

  it('keeps its place among publications', async () => {
    const { client, site, socket } = await open()
    const frames: string[] = []
    socket.on('frameOut', (text) => frames.push(text))
    const room = client.channel('room')
    const sent = [
      room.send('say', 'held 1'),
      room.send('ping', 'ping 2'),
      client.note('note 3'),
      room.send('say', 'say 4'),
    ]
    await turn()
    expect(frames).to.deep.equal([])
    gate.resolve()
    await Promise.all(sent)
    const order = frames.join().match(/held 1|ping 2|note 3|say 4/g)
    expect(order).to.deep.equal(['held 1', 'ping 2', 'note 3', 'say 4'])
    expect(site.sockets.sockets()).to.have.length(1)
  })

  it('does not run the client’s function once the server has given it up', async () => {
    const { client, site, remote } = await open()
    const own = typedServer(site.sockets, contract, { checkSent: false })
    const calls: unknown[] = []
    const any: unknown[] = []
    client.handle({ confirm: (text) => calls.push(text) > 0 })
    client.$onAnyMessage(({ input }) => any.push(input))
    expect((await rejection(own.rpc(remote, 'confirm', 'held', { timeout: 10 }))).code).to.equal('timeout')
    await own.rpc(remote, 'confirm', 'between')
    gate.resolve()
    await own.rpc(remote, 'confirm', 'after')
    await turn()
    expect(calls).to.deep.equal(['between', 'after'])
    expect(any).to.deep.equal(['between', 'after'])
  })

  it('holds a client’s message only until `unbind`', async () => {
    const { client, site } = await open()
    const room = client.channel('room')
    const texts: string[] = []
    const unbind = room.bind('say', ({ data }) => texts.push(`first: ${data}`))
    room.bind('say', ({ data }) => texts.push(`second: ${data}`))
    await new Promise<void>((resolve) => room.on('subscribed', resolve))
    await site.sockets.publish('room', 'held', { event: 'say' })
    await client.$socket.rpc('price', 'after the publication')
    unbind()
    gate.resolve()
    await until(() => texts.length)
    expect(texts).to.deep.equal(['second: held'])
  })
})

describe('the members of a typed server', () => {
  const start = useSites()

  it('are as the presence’s schema takes them; what it refuses is the error event', async () => {
    const presence = z.object({ at: z.coerce.date() })
    const dated = defineContract({ channels: { room: { events: {}, presence } } })
    const site = await start({
      channels: { room: { subscribe: true, presence: true } },
      authentication: ({ query }: { query: { name?: string } }) => ({
        uid: query.name,
        umd: { at: query.name === 'wrong' ? 'never' : '2020-01-01' },
      }),
    })
    for (const name of ['right', 'wrong'])
      await site.client({ authentication: { name }, logLevel: 'none' }).subscribe('room')
    const failed = new Promise<unknown>((resolve) => site.sockets.on('error', resolve))
    const members = await typedServer(site.sockets, dated).members('room', {})
    expect(members).to.deep.equal([{ uid: 'right', umd: { at: new Date('2020-01-01') } }])
    expect(await failed).to.have.property('code', 'invalid_input')
  })
})
