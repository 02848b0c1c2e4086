import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import { JoiningSockets } from '#server/authentication/joining-sockets.js'
import { Channels } from '#server/channels/channels.js'
import { Hub } from '#server/channels/hub.js'
import { PendingSubscriptions } from '#server/channels/pending-subscriptions.js'
import { Policy } from '#server/channels/policy.js'
import { PositionProofs } from '#server/channels/position-proofs.js'
import { readClaims } from '#server/claims/claims.js'
import { Cluster } from '#server/cluster.js'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { makeSocket, type TestSocket } from './sockets.js'

const ask = { type: 'subscribe', id: '1', channel: 'a', token: 't' } as const

describe('PendingSubscriptions', () => {
  it('forgets what has ended or was cancelled', () => {
    const pending = new PendingSubscriptions()
    const { socket } = makeSocket()
    const [one, two] = [pending.begin(socket, 'a'), pending.begin(socket, 'a')]
    one.end()
    expect(pending.on('a')).to.deep.equal([socket])
    pending.cancel(socket, 'a')
    expect([two.isCancelled, pending.size]).to.deep.equal([true, 0])
    const three = pending.begin(socket, 'a')
    two.end()
    expect([three.isCancelled, pending.on('a')]).to.deep.equal([false, [socket]])
    three.end()
    expect(pending.size).to.equal(0)
  })
})

describe('an unsubscribe of the server’s own while a client subscribes', () => {
  const engines: MemoryEngine[] = []

  afterEach(() => Promise.all(engines.splice(0).map((engine) => engine.close())))

  /** Everything that is asked for a subscription, each step held until `go` is called. */
  function make(moment: string) {
    const engine = new MemoryEngine()
    engines.push(engine)
    let go = () => {}
    const reached = new Promise<void>((resolve) => {
      held = resolve
    })
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const at = async (name: string) => {
      if (name !== moment) return
      held()
      await gate
    }
    const hub = new Hub(() => {})
    const hold = (target: object, method: string, name: string) => {
      const real = Reflect.get(target, method).bind(target)
      Reflect.set(target, method, async (...args: unknown[]) => {
        await at(name)
        return real(...args)
      })
    }
    hold(engine.broker, 'subscribe', 'broker')
    hold(engine.history, 'read', 'recovery')
    hold(engine.presence, 'enter', 'presence')
    const subscribe = async () => {
      await at('rule')
      return true
    }
    const failed = () => {}
    const channels = new Channels({
      ...engine,
      limits: DEFAULT_LIMITS,
      hub,
      presenceGrace: 0,
      redeem: async () => void (await at('token')),
      policy: new Policy({ channels: { a: { subscribe, presence: true } }, timeout: 1000, failed }),
      vetoes: { decide: async () => void (await at('listener')) },
      failed,
      proofs: new PositionProofs([Buffer.from('secret')]),
    })
    const cluster = new Cluster({
      limits: DEFAULT_LIMITS,
      nodes: engine.nodes,
      hub,
      joining: new JoiningSockets(),
      channels,
      tickets: engine.tickets,
      revocations: {} as never,
      authorizations: {} as never,
      failed,
    })
    return { hub, channels, cluster, reached, go }
  }

  let held = () => {}

  const ways: Readonly<Record<string, (made: ReturnType<typeof make>, member: TestSocket) => unknown>> = {
    'server.unsubscribe': ({ channels }, { socket }) => channels.unsubscribe(socket, 'a'),
    'socket.unsubscribe': (_made, { socket }) => socket.unsubscribe('a'),
    'cluster.unsubscribe': ({ cluster }, { socket }) => cluster.unsubscribe(socket.sid, 'a'),
    'cluster.unsubscribe of a user': ({ cluster }) => cluster.unsubscribe({ uid: 'ann' }, 'a'),
    'cluster.unsubscribe of all': ({ cluster }) => cluster.unsubscribe({ where: 'all' }, 'a'),
    unsubscribeAll: ({ channels }) => channels.unsubscribeAll('a'),
  }

  for (const moment of ['throttle', 'token', 'rule', 'listener', 'broker', 'recovery', 'presence'])
    for (const [way, take] of Object.entries(ways))
      it(`wins by ${way} at the moment of: ${moment}`, async () => {
        const made = make(moment)
        const { hub, channels, cluster } = made
        const member = makeSocket({
          identity: { sid: `s.${cluster.node}`, claims: readClaims({ uid: 'ann' }) },
          channels: { unsubscribe: (...what) => channels.unsubscribe(...what) },
        })
        hub.add(member.socket)
        const others = moment === 'throttle' ? 100 : 0
        for (let left = others; left > 0; left -= 1)
          channels.request(makeSocket().socket, { ...ask, channel: 'z' })
        const answer = channels.request(member.socket, ask)
        if (moment !== 'throttle') await made.reached
        await take(made, member)
        made.go()
        expect(await answer).to.have.nested.property('error.code', 'aborted')
        expect([hub.has(member.socket, 'a'), member.socket.channels]).to.deep.equal([false, []])
        await channels.publish('a', 'after')
        const told = member.frames()
        expect(told.at(-1)).to.deep.equal({ internal: true, command: 'unsubscribe', data: { channel: 'a' } })
        expect(await channels.members('a')).to.deep.equal([])
      })

  it('does not win over a subscription of the server that comes after it', async () => {
    const made = make('listener')
    const { socket } = makeSocket({ identity: { claims: readClaims({ uid: 'ann' }) } })
    made.hub.add(socket)
    const answer = made.channels.request(socket, ask)
    await made.reached
    made.channels.unsubscribe(socket, 'a')
    await made.channels.subscribe(socket, 'a')
    made.go()
    expect(await answer).to.deep.equal({ data: undefined })
    expect(socket.channels).to.deep.equal(['a'])
  })
})
