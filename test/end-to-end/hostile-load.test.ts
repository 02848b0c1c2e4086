import { RpcError } from '@token-socket/client'
import { expect } from 'chai'
import { deferred, rejection, until, useSites } from './fixture.js'
import { CARRIERS } from './peer.js'

describe('hostile load', () => {
  const start = useSites()

  it('1,000 connections that say nothing are all closed', async () => {
    const site = await start({ authTimeout: 1000 })
    const peers = await Promise.all(Array.from({ length: 1000 }, () => site.peer()))
    await site.servesHonestClients()
    const endings = await Promise.all(peers.map(({ closed }) => closed))
    expect(new Set(endings.map(({ code }) => code))).to.deep.equal(new Set([4003]))
    await site.servesHonestClients()
  })

  for (const carrier of CARRIERS) {
    it(`a ${carrier} that says nothing is closed with 4003`, async () => {
      const site = await start({ authTimeout: 50 })
      expect((await (await site.peer(carrier)).closed).code).to.equal(4003)
    })

    it(`calls over the limit on ${carrier} are answered, each, and the socket goes on`, async () => {
      const site = await start({ limits: { callsIn: 10, callTimeout: 500 } })
      const peer = await site.member(carrier)
      peer.send(...Array.from({ length: 50 }, (_, index) => ({ rpc: 'hang', uuid: `h${index}` })))
      await until(() => peer.frames.filter(({ rpc }) => rpc === 'hang').length === 50)
      const codes = peer.frames.filter(({ rpc }) => rpc === 'hang').map(({ code }) => code)
      expect(codes.filter((code) => code === 'too_many_calls')).to.have.length(40)
      expect(codes.filter((code) => code === 'timeout')).to.have.length(10)
      expect(await peer.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
      await site.servesHonestClients()
    })
  }

  it('requests about channels count as calls too', async () => {
    const site = await start({ limits: { callsIn: 3 } })
    const gate = deferred()
    site.sockets.on(
      'subscribe',
      (_socket, { channel }) => channel === 'honest' || gate.promise.then(() => true),
    )
    const peer = await site.member()
    const asks = ['a', 'b', 'c', 'd'].map((channel) => peer.ask({ rpc: '_subscribe', req: { channel } }))
    expect((await asks[3])?.code).to.equal('too_many_calls')
    gate.resolve()
    expect((await Promise.all(asks)).map(({ code }) => code)).to.deep.equal([
      undefined,
      undefined,
      undefined,
      'too_many_calls',
    ])
  })

  it('subscribe, unsubscribe, subscribe with slow vetoes leaves no ghost', async () => {
    const site = await start()
    const gates: ((allowed: boolean) => void)[] = []
    const slow = () => new Promise<boolean>((resolve) => gates.push(resolve))
    site.sockets.on('subscribe', (_socket, { channel }) => (channel === 'a' ? slow() : true))
    site.sockets.on('unsubscribe', slow)
    const peer = await site.member()
    const ask = (rpc: string) => peer.ask({ rpc, req: { channel: 'a' } })
    const asks = [ask('_subscribe'), ask('_unsubscribe'), ask('_subscribe'), ask('_unsubscribe')]
    for (let count = 1; count <= 4; count += 1) {
      await until(() => gates.length === count)
      gates[count - 1]?.(true)
      await asks[count - 1]
    }
    expect(site.sockets.channels()).to.deep.equal([])
    const notices = peer.frames.filter(({ internal }) => internal).map(({ command }) => command)
    expect(notices).to.deep.equal(['subscribe', 'unsubscribe', 'subscribe', 'unsubscribe'])
  })

  it('the same by the client: the last wish wins, on both sides', async () => {
    const site = await start()
    site.sockets.on('subscribe', async () => {
      await new Promise(setImmediate)
      return true
    })
    const client = await site.ready()
    const wishes = [
      client.subscribe('a'),
      client.unsubscribe('a'),
      client.subscribe('a'),
      client.unsubscribe('a'),
    ]
    const outcomes = await Promise.allSettled(wishes)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).to.be.instanceOf(RpcError).with.property('code', 'aborted')
    }
    expect(outcomes[3]?.status).to.equal('fulfilled')
    expect([client.channels(), site.sockets.channels()]).to.deep.equal([[], []])
    await client.subscribe('a')
    expect([client.channels(), site.sockets.channels()]).to.deep.equal([['a'], ['a']])
  })

  it('a socket that goes while its veto is slow leaves no ghost', async () => {
    const site = await start()
    const asked = deferred<() => void>()
    site.sockets.on('subscribe', (_socket, { channel }) =>
      channel === 'honest' ? true : new Promise((resolve) => asked.resolve(() => resolve(true))),
    )
    const { client, socket } = await site.pair()
    const wish = rejection(client.subscribe('a'))
    const allow = await asked.promise
    await client.end()
    await until(() => socket.isClosed)
    allow()
    expect((await wish).code).to.equal('ended')
    await site.servesHonestClients()
    await until(() => site.sockets.sockets().length === 0)
    expect(site.sockets.channels()).to.deep.equal([])
  })

  it('a client that never answers calls of the server harms itself only', async () => {
    const site = await start({ limits: { callsOut: 5, callTimeout: 50 } })
    await site.member()
    const [socket] = site.sockets.sockets()
    const calls = Array.from({ length: 10 }, () => rejection(socket?.rpc('any') ?? Promise.resolve()))
    const codes = (await Promise.all(calls)).map(({ code }) => code)
    expect(codes.filter((code) => code === 'too_many_calls')).to.have.length(5)
    expect(codes.filter((code) => code === 'timeout')).to.have.length(5)
    await site.servesHonestClients()
  })
})
