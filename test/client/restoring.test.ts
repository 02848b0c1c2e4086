/** The order on each connection: subscriptions, what the callbacks of `onrestored` send, calls that wait. */
import type { TokenSocket } from '@token-socket/client'
import type { ClientMessage, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { Random } from '../protocol/random.js'
import type { Peer } from './scripted-server.js'
import { errorOf, turn, until } from './waiting.js'
import { World } from './world.js'

const never = () => new Promise<void>(() => {})

describe('#onrestored', () => {
  let world: World
  const errors: RpcError[] = []

  beforeEach(async () => {
    world = await World.create()
    world.server.session = { can: ['cancel', 'notify'] }
    world.reconnectAtOnce()
    errors.length = 0
  })

  afterEach(() => world.close())

  function open(options: object = {}): TokenSocket {
    const socket = world.open(options)
    socket.on('error', (error) => errors.push(error))
    return socket
  }

  /** What a connection was sent, in order. */
  const sent = () =>
    (world.server.peers.at(-1)?.received ?? []).flatMap((message) => {
      if (message.type === 'subscribe') return [`subscribe ${message.channel}`]
      return message.type === 'call' ? [message.name] : []
    })

  it('runs after the subscriptions, and before the calls that wait', async () => {
    const socket = open()
    const order: string[] = []
    void socket.subscribe('a').then(() => order.push('subscribed'))
    void socket.rpc('waits')
    void socket.notify('waits too')
    socket.onrestored(async () => {
      order.push('restored')
      await socket.rpc('echo')
      await socket.notify('note')
      void socket.rpc('last')
    })
    await until(() => sent().length === 6)
    expect(sent()).to.deep.equal(['subscribe a', 'echo', 'note', 'last', 'waits', 'waits too'])
    expect(order).to.deep.equal(['subscribed', 'restored'])
  })

  it('does not run once an earlier one of the same round has undone it', async () => {
    const socket = open()
    const order: string[] = []
    const undo: (() => void)[] = []
    socket.onrestored(() => {
      order.push('first')
      undo[0]?.()
    })
    undo.push(socket.onrestored(() => order.push('second')))
    socket.onrestored(() => order.push('third'))
    await socket.ready()
    await until(() => order.includes('third'))
    expect(order).to.deep.equal(['first', 'third'])
  })

  it('runs on each connection, the first one included', async () => {
    const socket = open()
    let runs = 0
    socket.onrestored(() => void socket.notify(`run ${++runs}`))
    await socket.ready()
    await until(() => runs === 1)
    for (const run of [2, 3]) {
      await world.cut(socket)
      void socket.rpc('waits')
      await until(() => world.server.peers.length === run && sent().length === 2)
      expect(sent()).to.deep.equal([`run ${run}`, 'waits'])
    }
  })

  it('runs after the listeners of ready and reconnect, whose calls wait', async () => {
    const socket = open()
    for (const event of ['ready', 'reconnect'] as const) socket.on(event, () => void socket.rpc(event))
    socket.onrestored(() => void socket.notify('restored'))
    await until(() => world.server.peers.length === 1 && sent().length === 2)
    expect(sent()).to.deep.equal(['restored', 'ready'])
    await world.cut(socket)
    await until(() => world.server.peers.length === 2 && sent().length === 2)
    expect(sent()).to.deep.equal(['restored', 'reconnect'])
  })

  it('runs at once on a connection that is there, and nothing waits for it', async () => {
    const socket = open()
    await socket.rpc('echo')
    let runs = 0
    socket.onrestored(() => {
      runs += 1
      return never()
    })
    expect(runs).to.equal(1)
    expect(await socket.rpc('echo', 1)).to.equal(1)
  })

  it('runs at once within a callback', async () => {
    const socket = open()
    const order: string[] = []
    socket.onrestored(() => {
      order.push('outer')
      socket.onrestored(() => void order.push('inner'))
      order.push('end')
    })
    void socket.rpc('echo').then(() => order.push('call'))
    await until(() => order.length === 4)
    expect(order).to.deep.equal(['outer', 'inner', 'end', 'call'])
  })

  it('starts callbacks in their order, and waits for all of them', async () => {
    const socket = open()
    const order: string[] = []
    let finish = () => {}
    socket.onrestored(() => {
      order.push('first')
      return new Promise<void>((resolve) => {
        finish = resolve
      })
    })
    socket.onrestored(async () => {
      order.push('second')
      await turn()
      order.push('second is done')
    })
    void socket.rpc('echo').then(() => order.push('call'))
    await until(() => order.length === 3)
    await turn()
    expect(order).to.deep.equal(['first', 'second', 'second is done'])
    finish()
    await until(() => order.length === 4)
  })

  it('gives a function that undoes it, each for itself', async () => {
    const socket = open()
    let runs = 0
    const run = () => {
      runs += 1
    }
    const undo = socket.onrestored(run)
    socket.onrestored(run)
    await until(() => runs === 2)
    undo()
    undo()
    await world.cut(socket)
    await until(() => runs === 3)
    await socket.rpc('echo')
    expect(runs).to.equal(3)
  })

  it('waits for no callback that is undone before the connection', async () => {
    const socket = open()
    socket.onrestored(never)()
    expect(await socket.rpc('echo', 1)).to.equal(1)
  })

  for (const [title, callback] of [
    ['throws', () => Promise.reject(new Error('no'))],
    [
      'rejects',
      () => {
        throw new Error('no')
      },
    ],
  ] as const) {
    it(`reports what a callback ${title}, and goes on`, async () => {
      const socket = open()
      socket.onrestored(callback)
      expect(await socket.rpc('echo', 1)).to.equal(1)
      expect(errors.map(({ code, message }) => [code, message])).to.deep.equal([['internal', 'no']])
    })
  }

  for (const callTimeout of [50, 0, Number.POSITIVE_INFINITY]) {
    it(`waits ${callTimeout || 30_000} ms at most for a callback that never settles`, async () => {
      const clock = world.stopClock()
      const socket = open({ callTimeout })
      socket.onrestored(never)
      const answer = socket.rpc('echo', 1, { timeout: 0 })
      await socket.ready()
      for (let turns = 0; turns < 5; turns += 1) await turn()
      expect(sent()).to.deep.equal([])
      const wait = callTimeout === 50 ? 50 : 30_000
      clock.tick(wait - 1)
      await turn()
      expect([sent(), errors]).to.deep.equal([[], []])
      clock.tick(1)
      expect(await answer).to.equal(1)
      expect(errors.map(({ code }) => code)).to.deep.equal(['timeout'])
    })
  }

  for (const method of ['end', 'suspend'] as const) {
    it(`starts no callback after one that calls ${method}()`, async () => {
      const socket = open()
      const failed = errorOf(socket.rpc('waits'))
      let runs = 0
      socket.onrestored(() => void socket[method]())
      socket.onrestored(() => {
        runs += 1
      })
      await until(() => socket.state === `${method}ed`)
      for (let turns = 0; turns < 5; turns += 1) await turn()
      expect([runs, sent(), errors]).to.deep.equal([0, [], []])
      if (method === 'end') expect((await failed).code).to.equal('ended')
    })
  }

  for (const method of ['end', 'suspend'] as const)
    it(`runs on no connection whose listener of ready calls ${method}()`, async () => {
      const socket = open()
      socket.once('ready', () => void socket[method]())
      const waits = socket.rpc('echo', 1)
      waits.catch(() => {})
      let runs = 0
      socket.onrestored(() => {
        runs += 1
        void socket.notify('restored')
      })
      await until(() => socket.state === `${method}ed`)
      for (let turns = 0; turns < 5; turns += 1) await turn()
      expect([runs, sent(), errors]).to.deep.equal([0, [], []])
      if (method === 'end') return
      socket.resume()
      expect(await waits).to.equal(1)
      expect([runs, sent()]).to.deep.equal([1, ['restored', 'echo']])
    })

  it('keeps what waits while it is suspended, and runs again after that', async () => {
    const socket = open()
    let runs = 0
    socket.onrestored(async () => {
      runs += 1
      if (runs > 1) return void socket.notify('restored')
      await turn()
      socket.suspend()
    })
    const answer = socket.rpc('echo', 1)
    await until(() => socket.state === 'suspended')
    socket.resume()
    expect(await answer).to.equal(1)
    expect(sent()).to.deep.equal(['restored', 'echo'])
    expect(errors).to.deep.equal([])
  })

  it('runs again after a loss meanwhile, which is no error of the callback', async () => {
    const socket = open()
    const outcomes: unknown[] = []
    socket.onrestored(async () => {
      const { sid } = socket
      await socket.rpc(sid === 'sid-1' ? 'hang' : 'echo').catch((error) => outcomes.push(error.code))
      if (sid === 'sid-1') throw new Error('of a connection that is gone')
      outcomes.push(sid)
    })
    const answer = socket.rpc('echo', 1)
    await until(() => world.server.peers.length === 1 && sent().length === 1)
    await world.cut(socket)
    expect(await answer).to.equal(1)
    expect(outcomes).to.deep.equal(['connection_lost', 'sid-2'])
    expect(sent()).to.deep.equal(['echo', 'echo'])
    expect(errors).to.deep.equal([])
  })

  it('does not let a callback of a lost connection release the queue of the next one', async () => {
    const socket = open()
    const finish: (() => void)[] = []
    socket.onrestored(
      () =>
        new Promise<void>((resolve) => {
          finish.push(resolve)
        }),
    )
    const answer = socket.rpc('echo', 1)
    await until(() => finish.length === 1)
    await world.cut(socket)
    await until(() => finish.length === 2)
    finish[0]?.()
    for (let turns = 0; turns < 5; turns += 1) await turn()
    expect(sent()).to.deep.equal([])
    finish[1]?.()
    expect(await answer).to.equal(1)
  })

  it('lets as many calls out meanwhile as `callsOut`, whatever waits', async () => {
    const socket = open({ limits: { callsOut: 2 } })
    const waiting = Array.from({ length: 5 }, () => socket.rpc('echo', 1))
    const codes: unknown[] = []
    socket.onrestored(async () => {
      const calls = [1, 2, 3].map((data) => socket.rpc('echo', data).catch(({ code }) => codes.push(code)))
      await Promise.all(calls)
    })
    await Promise.all(waiting)
    expect(codes).to.deep.equal(['too_many_calls'])
  })

  it('runs on the legacy server', async () => {
    world.server.isOld = true
    const socket = open()
    socket.onrestored(() => socket.rpc('echo'))
    const controller = new AbortController()
    const hanging = socket.rpc('hang', 1, { signal: controller.signal }).catch(() => {})
    await until(() => sent().length === 2)
    expect(sent()).to.deep.equal(['echo', 'hang'])
    controller.abort()
    await hanging
  })

  for (const callback of [undefined, null, 'a', {}]) {
    it(`throws bad_message for ${JSON.stringify(callback)}`, () => {
      const socket = open()
      expect(() => socket.onrestored(callback as never))
        .to.throw()
        .with.property('code', 'bad_message')
    })
  }

  describe('at random', () => {
    /** What one connection was sent, by its kind. */
    type Kind = 'subscription' | 'callback' | 'waiting' | 'either'

    const data = (message: ClientMessage) =>
      (message as { data?: { sid?: string; number?: number; isMeanwhile?: boolean } }).data ?? {}

    /** What is sent by a callback that began on this very connection is a callback's; all else has waited, unless it came meanwhile. */
    function kindOf(message: ClientMessage, ownSid: string): Kind {
      if (message.type === 'subscribe') return 'subscription'
      const { sid, isMeanwhile } = data(message)
      return sid === ownSid ? 'callback' : isMeanwhile ? 'either' : 'waiting'
    }

    /** The server answers after a few turns, and cuts some connections after some messages. */
    function script(random: Random): void {
      const budgets = new Map<Peer, number>()
      let cuts = 3
      world.server.onmessage = (message, peer) => {
        if (message.type === 'auth' && cuts > 0) budgets.set(peer, random.number(25))
        const left = (budgets.get(peer) ?? Number.POSITIVE_INFINITY) - 1
        budgets.set(peer, left)
        if (left === 0) {
          cuts -= 1
          peer.socket.terminate()
        }
        if (message.type !== 'subscribe' && message.type !== 'call') return false
        const { id } = message
        const answer = () => {
          if (message.type === 'subscribe') peer.send({ type: 'subscribed', channel: message.channel })
          const rpc = message.type === 'call' ? message.name : '_subscribe'
          if (id !== undefined) peer.send({ type: 'answer', rpc, id, outcome: { data: 1 } })
        }
        const answerAfter = async (turns: number): Promise<void> => {
          if (turns === 0) return answer()
          await turn()
          return answerAfter(turns - 1)
        }
        void answerAfter(random.number(4))
        return true
      }
    }

    for (let seed = 1; seed <= 40; seed += 1) {
      it(`has this order, seed ${seed}`, async () => {
        const random = new Random(seed)
        script(random)
        const socket = open()
        for (let left = random.number(4); left > 0; left -= 1) void socket.subscribe(`c${left}`)
        let running = 0
        const send = (body: object) =>
          random.number(2) ? socket.notify('n', body) : socket.rpc('r', body).catch(() => {})
        for (let left = random.number(3); left > 0; left -= 1) {
          const steps = 1 + random.number(4)
          socket.onrestored(async () => {
            const { sid } = socket
            running += 1
            for (let step = 0; step < steps; step += 1) {
              const done = send({ sid })
              await [done, turn(), undefined][random.number(3)]
            }
            running -= 1
            if (random.number(4) === 0) throw new Error('no')
          })
        }
        const outcomes: Promise<unknown>[] = []
        for (let number = 0; number < 30; number += 1) {
          outcomes.push(send({ number, isMeanwhile: running > 0 }))
          if (random.number(5) === 0) await turn()
        }
        await Promise.all(outcomes)
        const [all, waited]: [number[], number[]] = [[], []]
        for (const [at, peer] of world.server.peers.entries()) {
          const messages = peer.received.filter(({ type }) => type === 'subscribe' || type === 'call')
          const kinds = messages.map((message) => kindOf(message, `sid-${at + 1}`))
          expect(kinds.lastIndexOf('subscription'), `${kinds}`).to.be.below(
            kinds.includes('callback') ? kinds.indexOf('callback') : kinds.length,
          )
          const first = kinds.indexOf('waiting')
          if (first >= 0) expect(kinds.slice(first), `${kinds}`).not.to.include('callback')
          const own = messages.filter((message) => data(message).number !== undefined)
          all.push(...own.map((message) => Number(data(message).number)))
          waited.push(
            ...own.filter((message) => !data(message).isMeanwhile).map((one) => Number(data(one).number)),
          )
        }
        expect(all, 'each once').to.have.length(new Set(all).size)
        expect(waited, 'in order').to.deep.equal([...waited].sort((one, other) => one - other))
      })
    }
  })
})
