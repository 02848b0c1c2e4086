import { type ChannelRuleTable, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import type { Channels } from '#server/channels/channels.js'
import type { ChannelsOwner } from '#server/channels/channels-owner.js'
import { type Claims, readClaims, type TokenClaims } from '#server/claims/claims.js'
import type { ChannelRequest } from '#server/socket/server-socket.js'
import { rejection } from '../protocol/rejection.js'
import { type ChannelsChanges, change, JudgedChannels } from './judged-channels.js'
import { makeSocket, type TestSocket } from './sockets.js'

const turn = () => new Promise(setImmediate)

/** Something that a test lets happen. */
function gate<T = void>() {
  let open!: (value: T) => void
  const promise = new Promise<T>((resolve) => {
    open = resolve
  })
  return { open, promise }
}

describe('Reauthorization', () => {
  let world: JudgedChannels
  let channels: Channels
  let { engine, failed, decide } = {} as JudgedChannels
  let unsubscribed: { channel: string; reason: string }[]

  beforeEach(() => {
    world = new JudgedChannels()
    ;({ engine, failed, decide } = world)
    unsubscribed = []
    make()
  })

  afterEach(() => engine.close())

  function make(rules: ChannelRuleTable = {}, changes: ChannelsChanges = {}): Channels {
    const events: ChannelsOwner['events'] = {
      begin: () => () => {},
      left: (_socket, channel, reason) => void unsubscribed.push({ channel, reason }),
      hears: () => false,
      published: () => {},
    }
    channels = world.make(rules, {
      events,
      ...changes,
      limits: { vetoTimeout: undefined, ...changes.limits },
    })
    return channels
  }

  const mayRead = (...names: string[]): TokenClaims => ({
    uid: 'ann',
    channels: Object.fromEntries(names.map((name) => [name, { subscribe: true, historyStart: 0 }])),
  })

  const member = (claims: TokenClaims = mayRead('*'), identity: object = {}) => world.member(claims, identity)

  const ask = (one: TestSocket, type: string, channel: string, more: object = {}) =>
    channels.request(one.socket, { type, id: '1', channel, ...more } as ChannelRequest)

  const join = async (one: TestSocket, ...names: string[]) => {
    for (const name of names) expect(await ask(one, 'subscribe', name)).to.deep.equal({ data: undefined })
  }

  /** What a client was told last, of one command. */
  const told = (one: TestSocket, command: string) =>
    one.frames().filter((frame) => (frame as { command?: string }).command === command)

  const messages = (one: TestSocket) =>
    one
      .frames()
      .flatMap((frame) => ('message' in (frame as object) ? [(frame as { message: unknown }).message] : []))

  const revoked = (channel: string) => ({
    internal: true,
    command: 'unsubscribe',
    data: { channel, reason: 'revoked' },
  })

  describe('of subscriptions', () => {
    it('ends those that the claims do not allow any longer, in the same turn, and no other', async () => {
      const one = member(mayRead('a', 'b'))
      await join(one, 'a', 'b')
      const done = change(one, mayRead('b'))
      expect(one.socket.channels).to.deep.equal(['b'])
      await done
      expect(told(one, 'unsubscribe')).to.deep.equal([revoked('a')])
      expect(unsubscribed).to.deep.equal([{ channel: 'a', reason: 'revoked' }])
      await channels.publish('a', 1)
      await channels.publish('b', 2)
      expect(messages(one)).to.deep.equal([2])
    })

    it('ends those that a static rule leaves to claims, or that a function refuses', async () => {
      make({ 'f-*': { subscribe: ({ auth }) => (auth as { ok?: boolean }).ok === true } })
      const one = member({ uid: 'ann' }, { auth: { ok: true } })
      await join(one, 'f-1')
      await change(one, { uid: 'ann' }, { ok: true })
      expect(one.socket.channels).to.deep.equal(['f-1'])
      await change(one, { uid: 'ann' }, { ok: false })
      expect(one.socket.channels).to.deep.equal([])
      expect(told(one, 'unsubscribe')).to.deep.equal([revoked('f-1')])
    })

    it('asks the listeners again, and delivers until they have answered', async () => {
      const one = member()
      await join(one, 'a')
      const answer = gate<{ error: unknown } | undefined>()
      decide.returns(answer.promise)
      let isDone = false
      const done = change(one, mayRead('*')).then(() => {
        isDone = true
      })
      await channels.publish('a', 1)
      await turn()
      expect([isDone, messages(one)]).to.deep.equal([false, [1]])
      answer.open({ error: new RpcError('forbidden') })
      await done
      await channels.publish('a', 2)
      expect(messages(one)).to.deep.equal([1])
      expect(decide.lastCall.args.slice(0, 1)).to.deep.equal(['subscribe'])
    })

    it('leaves what the server itself subscribed, until the client has unsubscribed', async () => {
      const one = member()
      await channels.subscribe(one.socket, 'own')
      await join(one, 'own', 'asked')
      await change(one, mayRead('x'))
      expect(one.socket.channels).to.deep.equal(['own'])
      await change(one, mayRead('*'))
      await ask(one, 'unsubscribe', 'own')
      await join(one, 'own')
      await change(one, mayRead('x'))
      expect(one.socket.channels).to.deep.equal([])
    })

    it('leaves what the server subscribed after the client', async () => {
      const one = member()
      await join(one, 'a')
      await channels.subscribe(one.socket, 'a')
      await change(one, mayRead('x'))
      expect(one.socket.channels).to.deep.equal(['a'])
    })

    it('leaves what the server subscribed in bulk after the client', async () => {
      const one = member()
      await join(one, 'a', 'asked')
      const group = channels.beginAll('a')
      group.add(one.socket)
      group.fill()
      expect(await channels.subscribeAll(group, 'a')).to.include({ count: 1, failed: 0 })
      await change(one, mayRead('x'))
      expect(one.socket.channels).to.deep.equal(['a'])
    })

    it('leaves what the server subscribes while a function refuses it', async () => {
      const asked = gate()
      let answer: boolean | Promise<boolean> = true
      make({ a: { subscribe: () => answer } })
      const one = member()
      await join(one, 'a')
      answer = asked.promise.then(() => false)
      const done = change(one, mayRead('a'))
      await channels.subscribe(one.socket, 'a')
      asked.open()
      await done
      expect(one.socket.channels).to.deep.equal(['a'])
    })

    it('leaves what only a token for the channel allows', async () => {
      make(
        {},
        {
          redeem: async (socket, channel) =>
            socket.grant(channel, readClaims({ channels: { [channel]: { subscribe: true } } }) as Claims),
        },
      )
      const one = member(mayRead('b'))
      expect(await ask(one, 'subscribe', 'a', { token: 't' })).to.deep.equal({ data: undefined })
      await change(one, mayRead('x'))
      expect(one.socket.channels).to.deep.equal(['a'])
    })

    it('does not end one whose token came while it was judged', async () => {
      make(
        {},
        {
          redeem: async (socket, channel) =>
            socket.grant(channel, readClaims({ channels: { [channel]: { subscribe: true } } }) as Claims),
        },
      )
      const one = member()
      await join(one, 'a')
      const answer = gate<{ error: unknown } | undefined>()
      decide.onSecondCall().returns(answer.promise)
      const done = change(one, mayRead('*'))
      expect(await ask(one, 'subscribe', 'a', { token: 't' })).to.deep.equal({ data: undefined })
      answer.open({ error: new RpcError('forbidden') })
      await done
      expect(one.socket.channels).to.deep.equal(['a'])
    })

    it('refuses where a listener throws, and reports it', async () => {
      const one = member()
      await join(one, 'a')
      const cause = new Error('down')
      decide.throws(cause)
      await change(one, mayRead('*'))
      decide.rejects(cause)
      expect(one.socket.channels).to.deep.equal([])
      expect(failed.firstCall.args[0]).to.equal(cause)
    })

    it('of 1,000 channels takes several turns, and is done when it resolves', async () => {
      const names = Array.from({ length: 1000 }, (_, index) => `c${index}`)
      let isSlow = false
      make({
        '*': {
          subscribe: (socket) => {
            for (const end = performance.now() + (isSlow ? 0.05 : 0); performance.now() < end; );
            return (socket.auth as { ok?: boolean }).ok === true
          },
        },
      })
      const one = member({ uid: 'ann' }, { auth: { ok: true } })
      for (const name of names) await ask(one, 'subscribe', name)
      isSlow = true
      let turns = 0
      let isDone = false
      const done = change(one, { uid: 'ann' }, { ok: false }).then(() => {
        isDone = true
      })
      for (; !isDone; turns += 1) await turn()
      await done
      expect(turns).to.be.above(4)
      expect(one.socket.channels).to.deep.equal([])
    })

    it('does nothing for a socket that closes meanwhile', async () => {
      const one = member()
      await join(one, 'a')
      const answer = gate<{ error: unknown } | undefined>()
      decide.returns(answer.promise)
      const done = change(one, mayRead('*'))
      one.client.close(1000, '')
      answer.open({ error: new RpcError('forbidden') })
      await done
      await turn()
      expect(unsubscribed).to.deep.equal([{ channel: 'a', reason: 'disconnected' }])
    })
  })

  describe('twice at once', () => {
    it('has the last word by the last authorization, and both promises resolve after it', async () => {
      const one = member()
      await join(one, 'a')
      const [first, second] = [gate<{ error: unknown } | undefined>(), gate<undefined>()]
      decide.onSecondCall().returns(first.promise)
      decide.onThirdCall().returns(second.promise)
      const order: string[] = []
      const changes = [change(one, mayRead('*')), change(one, mayRead('*'))]
      const all = changes.map((done, index) => done.then(() => order.push(`change ${index + 1}`)))
      first.open({ error: new RpcError('forbidden') })
      await turn()
      expect([order, one.socket.channels]).to.deep.equal([[], ['a']])
      order.push('answer')
      second.open(undefined)
      await Promise.all(all)
      expect(order).to.have.members(['answer', 'change 1', 'change 2'])
      expect(order[0]).to.equal('answer')
      expect(one.socket.channels).to.deep.equal(['a'])
    })
  })

  describe('of who it is', () => {
    it('refuses another user, and changes nothing', async () => {
      const one = member(mayRead('a'))
      await join(one, 'a')
      const before = one.socket.authorization
      const other = one.socket.changeAuthorization({ auth: {}, claims: readClaims({ uid: 'ben' }) })
      expect(await rejection(other)).to.include({ code: 'identity_changed' })
      const none = one.socket.changeAuthorization({ auth: {}, claims: readClaims({ channels: {} }) })
      expect(await rejection(none)).to.include({ code: 'identity_changed' })
      expect(one.socket.authorization).to.equal(before)
      expect(told(one, 'session')).to.deep.equal([])
    })

    it('refuses another session of a user without a uid, and keeps the known one', async () => {
      const one = member({ channels: {} }, { session: 's1' })
      const other = one.socket.changeAuthorization({ auth: {}, session: 's2' })
      expect(await rejection(other)).to.include({ code: 'identity_changed' })
      await one.socket.changeAuthorization({ auth: {} })
      expect(one.socket.session).to.equal('s1')
    })

    it('tells a client that can refresh, and no other', async () => {
      const [one, plain] = [member(), member(mayRead('*'), { can: [] })]
      const claims = { ...mayRead('*'), umd: 'new' }
      await Promise.all([change(one, claims), change(plain, claims)])
      expect(one.frames()).to.deep.equal([
        { internal: true, command: 'session', data: { uid: 'ann', umd: 'new' } },
      ])
      expect(plain.frames()).to.deep.equal([])
    })

    it('tells a client that is not let in yet by the answer to its token only', async () => {
      const { socket, connection, flusher } = makeSocket({
        identity: { claims: readClaims({ uid: 'ann', umd: 1 }), can: ['refresh'] },
        isJoining: true,
      })
      await socket.changeAuthorization({ auth: {}, claims: readClaims({ uid: 'ann', umd: 2 }) })
      flusher.flush()
      expect([connection.sent, socket.umd]).to.deep.equal([[], 2])
    })

    it('says on a channel what its token left out, as it is now', async () => {
      const one = member()
      one.socket.grant('a', readClaims({ uid: 'ann', channels: {} }) as Claims)
      one.socket.grant('b', readClaims({ uid: 'guest', channels: {} }) as Claims)
      await change(one, { ...mayRead('*'), umd: 'new' })
      expect(one.socket.identity('a')).to.deep.equal({ uid: 'ann', umd: 'new' })
      expect(one.socket.identity('b')).to.deep.equal({ uid: 'guest' })
    })

    it('gives the filter the new auth', async () => {
      world.hub.filter = ({ auth }, _channel, message) => (auth as { role?: string }).role ?? message
      const one = member()
      await join(one, 'a')
      await change(one, mayRead('*'), { role: 'admin' })
      await channels.publish('a', 1)
      expect(messages(one)).to.deep.equal(['admin'])
    })
  })

  describe('of pending subscriptions', () => {
    const refuses = { error: new RpcError('forbidden') }

    it('decides again while a listener decides', async () => {
      const one = member(mayRead('a'))
      const answer = gate<undefined>()
      decide.onFirstCall().returns(answer.promise)
      const asked = ask(one, 'subscribe', 'a')
      await turn()
      await change(one, mayRead('x'))
      answer.open(undefined)
      expect((await asked).error).to.include({ code: 'forbidden' })
      expect(told(one, 'subscribe')).to.deep.equal([])
    })

    it('lets in what the new authorization allows, though an older one refused', async () => {
      const one = member()
      const answer = gate<typeof refuses>()
      decide.onFirstCall().returns(answer.promise)
      const asked = ask(one, 'subscribe', 'a')
      await turn()
      await change(one, mayRead('*'))
      answer.open(refuses)
      expect(await asked).to.deep.equal({ data: undefined })
    })

    it('decides again between the decision and the joining', async () => {
      const broker = gate()
      sinon.stub(engine.broker, 'subscribe').returns(broker.promise)
      const one = member(mayRead('a'))
      const asked = ask(one, 'subscribe', 'a')
      await turn()
      await change(one, mayRead('x'))
      broker.open()
      expect((await asked).error).to.include({ code: 'forbidden' })
      expect([one.socket.channels, told(one, 'subscribe')]).to.deep.equal([[], []])
    })

    it('ends one that is being brought up to date', async () => {
      const reading = gate()
      const read = async () => {
        await reading.promise
        return NO_PAGE
      }
      make({}, { history: { read, position: (name: string) => engine.history.position(name) } })
      const one = member(mayRead('a'))
      const asked = ask(one, 'subscribe', 'a')
      await turn()
      expect(one.socket.channels).to.deep.equal(['a'])
      await change(one, mayRead('x'))
      reading.open()
      expect((await asked).error).to.include({ code: 'forbidden' })
      expect(told(one, 'subscribe')).to.deep.equal([])
      expect(one.socket.channels).to.deep.equal([])
    })
  })

  const NO_PAGE = { position: { epoch: 'e', offset: 0 }, publications: [], more: false }

  describe('of publications', () => {
    it('decides again while a listener decides, and publishes once by the new one', async () => {
      const one = member({
        uid: 'ann',
        channels: { a: { subscribe: true, messages: { '*': { publish: true } } } },
      })
      const reader = member()
      await join(reader, 'a')
      for (const [claims, expected] of [
        [mayRead('a'), []],
        [{ uid: 'ann', channels: { a: { messages: { '*': { publish: true } } } } }, [7]],
      ] as const) {
        const answer = gate<undefined>()
        decide.onCall(decide.callCount).returns(answer.promise)
        const asked = ask(one, 'publish', 'a', { data: 7 })
        await turn()
        await change(one, claims)
        answer.open(undefined)
        const { error } = await asked
        expect(messages(reader)).to.deep.equal(expected)
        expect(error === undefined).to.equal(expected.length === 1)
        await change(one, { uid: 'ann', channels: { a: { messages: { '*': { publish: true } } } } })
      }
    })

    it('decides again while it is asked whether a channel is new', async () => {
      const position = gate<{ epoch: string; offset: number }>()
      const history = { ...engine.history, position: () => position.promise }
      make(
        { a: { publish: true, subscribe: true, history: { ttl: 1000 } } },
        {
          history: history as never,
          limits: { channelsPerUser: 0 },
        },
      )
      const publish = sinon.spy(engine.broker, 'publish')
      const one = member({ uid: 'ann' })
      const asked = ask(one, 'publish', 'a', { data: 1 })
      await turn()
      await change(one, { uid: 'ann', channels: { a: { messages: { '*': { publish: false } } } } })
      position.open({ epoch: 'e', offset: 3 })
      expect((await asked).error).to.include({ code: 'forbidden' })
      expect(publish.called).to.equal(false)
    })

    it('are dropped where the socket closes while it is asked whether a channel is new', async () => {
      const position = gate<{ epoch: string; offset: number }>()
      const history = { ...engine.history, position: () => position.promise }
      const rule = { publish: true, subscribe: true, history: { ttl: 1000 } }
      make({ a: rule }, { history: history as never, limits: { channelsPerUser: 0 } })
      const publish = sinon.spy(engine.broker, 'publish')
      const one = member({ uid: 'ann' })
      const asked = ask(one, 'publish', 'a', { data: 1 })
      await turn()
      one.socket.closeFor('revoked')
      position.open({ epoch: 'e', offset: 3 })
      await asked
      expect(publish.called).to.equal(false)
    })

    for (const type of ['publish', 'broadcast'] as const) {
      it(`waits for a ${type} that the engine has not accepted yet, and not for later ones`, async () => {
        const accepted = gate<{ id: string }>()
        sinon.stub(engine.broker, type).callsFake((async () => accepted.promise) as never)
        const one = member({ uid: 'ann' })
        const asked = ask(one, type, 'a', { data: 1 })
        await turn()
        let isDone = false
        const done = change(one, { uid: 'ann' }).then(() => {
          isDone = true
        })
        await turn()
        expect(isDone).to.equal(false)
        accepted.open({ id: '1' })
        await Promise.all([done, asked])
        sinon.restore()
        await change(one, { uid: 'ann' })
      })
    }
  })

  it('waits for an engine that never answers as long as for a listener, and not for one that throws', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    make({}, { limits: { vetoTimeout: 1000 } })
    const one = member({ uid: 'ann' })
    const publish = sinon.stub(engine.broker, 'publish').returns(new Promise(() => {}))
    void ask(one, 'publish', 'a', { data: 1 })
    await turn()
    const done = change(one, { uid: 'ann' })
    await clock.tickAsync(1000)
    await done
    publish.throws(new RpcError('engine_unavailable'))
    expect((await ask(one, 'publish', 'b', { data: 1 })).error).to.include({ code: 'engine_unavailable' })
    clock.restore()
    publish.restore()
    await change(one, { uid: 'ann' })
  })

  describe('of history', () => {
    const RULES = { a: { publish: true, subscribe: true, history: { ttl: 60_000 } } }

    const slowly = () => {
      const reading = gate()
      const read = async (...query: Parameters<typeof engine.history.read>) => {
        await reading.promise
        return engine.history.read(...query)
      }
      make(RULES, { history: { read, position: (name: string) => engine.history.position(name) } })
      return reading
    }

    const dataOf = ({ data }: { data?: unknown }) =>
      (
        JSON.parse(String((data as { json?: string })?.json ?? JSON.stringify(data))) as {
          publications: unknown[]
        }
      ).publications.length

    it('is decided again while a page is read', async () => {
      const reading = slowly()
      const one = member(mayRead('a'))
      await channels.publish('a', 1)
      const asked = ask(one, 'history', 'a')
      await turn()
      await change(one, { uid: 'ann', channels: { a: { subscribe: true } } })
      reading.open()
      expect((await asked).error).to.include({ code: 'forbidden' })
    })

    it('is decided again when the channel is lost while a page is read, by a function that took its time', async () => {
      const reading = slowly()
      const asked = gate<boolean>()
      const read = async (...query: Parameters<typeof engine.history.read>) => {
        await reading.promise
        return engine.history.read(...query)
      }
      let answer: boolean | Promise<boolean> = true
      make(
        { a: { subscribe: () => answer, history: { ttl: 60_000 } } },
        { history: { read, position: (name: string) => engine.history.position(name) } },
      )
      const one = member(mayRead('a'))
      reading.open()
      await join(one, 'a')
      const later = gate()
      reading.promise = later.promise
      await channels.publish('a', 1)
      answer = asked.promise
      const done = change(one, mayRead('a'))
      const page = ask(one, 'history', 'a')
      await turn()
      asked.open(false)
      await done
      later.open()
      expect((await page).error).to.include({ code: 'forbidden' })
    })

    it('gives what the new authorization allows', async () => {
      const reading = slowly()
      const one = member(mayRead('a'))
      await channels.publish('a', 1)
      const asked = ask(one, 'history', 'a')
      await turn()
      const historyStart = Math.floor(Date.now() / 1000) + 3600
      await change(one, { uid: 'ann', channels: { a: { subscribe: true, historyStart } } })
      reading.open()
      expect(dataOf(await asked)).to.equal(0)
    })

    it('is not given by a middleware that held it until the authorization changed', async () => {
      const held = gate()
      make(RULES, {
        middleware: {
          has: (type: string) => type === 'history',
          aroundRequest: async (
            _socket: unknown,
            request: never,
            next: (request: never) => Promise<unknown>,
          ) => {
            const answer = await next(request)
            await held.promise
            return answer
          },
        } as never,
      })
      const one = member(mayRead('a'))
      const asked = ask(one, 'history', 'a')
      await turn()
      await change(one, mayRead('x'))
      held.open()
      expect((await asked).error).to.include({ code: 'aborted' })
    })
  })

  describe('of recovery', () => {
    const RULES = { '*': { publish: true, subscribe: true, history: { ttl: 60_000 } } }

    /** Recovers 250 publications, and changes the authorization between two pages. */
    const recovered = async (claims: TokenClaims) => {
      const pages = [gate(), gate(), gate(), gate()]
      let page = 0
      const read = async (...query: Parameters<typeof engine.history.read>) => {
        const at = pages[page]
        page += 1
        await at?.promise
        return engine.history.read(...query)
      }
      make(RULES, { history: { read, position: (name: string) => engine.history.position(name) } })
      for (let data = 1; data <= 250; data += 1) await channels.publish('a', data)
      const { epoch } = await engine.history.position('a')
      const one = member(mayRead('a'))
      const asked = ask(one, 'subscribe', 'a', { from: { epoch, offset: 0 } })
      pages[0]?.open()
      while (page < 2) await turn()
      await change(one, claims)
      for (const one of pages) one.open()
      await channels.publish('a', 251)
      return { one, answer: await asked }
    }

    it('goes on with the next page where it is still allowed', async () => {
      const { one } = await recovered(mayRead('a'))
      expect(messages(one)).to.deep.equal(Array.from({ length: 251 }, (_, index) => index + 1))
    })

    it('ends with a gap where the rest is not for it any longer, and goes on live', async () => {
      const { one } = await recovered({ uid: 'ann', channels: { a: { subscribe: true } } })
      expect(messages(one)).to.deep.equal([...Array.from({ length: 100 }, (_, index) => index + 1), 251])
      const gaps = told(one, 'subscribe').filter((frame) => JSON.stringify(frame).includes('forbidden'))
      expect(gaps).to.have.lengthOf(1)
    })

    it('ends where the channel is not for it any longer', async () => {
      const { one, answer } = await recovered({ uid: 'ann', channels: { a: { subscribe: false } } })
      expect(messages(one)).to.deep.equal(Array.from({ length: 100 }, (_, index) => index + 1))
      expect(answer.error).to.include({ code: 'forbidden' })
      expect(told(one, 'unsubscribe')).to.deep.equal([revoked('a')])
    })

    it('proves the position that it had, once that is needed', async () => {
      make(RULES)
      const one = member(mayRead('a'))
      await join(one, 'a')
      await channels.publish('a', 1)
      await channels.publish('a', 2)
      await change(one, { uid: 'ann', channels: { a: { subscribe: true } } })
      const { data } = told(one, 'subscribe').at(-1) as {
        data: { proof: string; epoch: string; offset: number }
      }
      const { proof, epoch, offset } = data
      expect([offset, typeof proof]).to.deep.equal([2, 'string'])
      one.client.close(1000, '')
      await channels.publish('a', 3)
      const back = member({ uid: 'ann', channels: { a: { subscribe: true } } })
      await ask(back, 'subscribe', 'a', { from: { epoch, offset }, proof })
      expect(messages(back)).to.deep.equal([3])
    })
  })

  describe('of presence', () => {
    const RULES: ChannelRuleTable = {
      room: {
        subscribe: true,
        publish: true,
        presence: ({ auth }) => (auth as { hidden?: boolean }).hidden !== true,
      },
    }
    const uids = async () => (await engine.presence.members('room')).members.map(({ uid }) => uid)
    const changes = (one: TestSocket) =>
      one.frames().filter((frame) => 'change' in ((frame as { data?: object }).data ?? {}))
    const user = (uid: string, umd?: unknown): TokenClaims =>
      ({ uid, ...(umd !== undefined && { umd }) }) as never

    beforeEach(() => make(RULES))

    it('ends at once with the right, and no change comes after it', async () => {
      const [ann, ben] = [member(user('ann')), member(user('ben'))]
      await join(ann, 'room')
      await join(ben, 'room')
      await turn()
      await change(ann, user('ann'), { hidden: true })
      expect(await uids()).to.deep.equal(['ben'])
      expect(ann.socket.channels).to.deep.equal(['room'])
      const before = ann.frames().length
      await join(member(user('cid')), 'room')
      await turn()
      expect(ann.frames().length).to.equal(before)
      expect(told(ann, 'subscribe').at(-1)).to.have.nested.property('data.members').that.deep.equals([])
      expect(JSON.stringify(changes(ben))).to.include('"left"')
    })

    it('begins with the right: the others see it, and it is told the members', async () => {
      const [ann, ben] = [member(user('ann'), { auth: { hidden: true } }), member(user('ben'))]
      await join(ben, 'room')
      await join(ann, 'room')
      expect(await uids()).to.deep.equal(['ben'])
      await change(ann, user('ann'))
      await turn()
      expect(await uids()).to.have.members(['ben', 'ann'])
      expect(told(ann, 'subscribe').at(-1))
        .to.have.nested.property('data.members')
        .that.deep.includes({ uid: 'ben' })
      expect(JSON.stringify(changes(ben))).to.include('"joined"')
    })

    it('shows the others a new `umd`, however often it changes', async () => {
      const [ann, ben] = [member(user('ann', 0)), member(user('ben'))]
      await join(ann, 'room')
      await join(ben, 'room')
      for (let umd = 1; umd <= 30; umd += 1) {
        await change(ann, user('ann', umd))
        await turn()
      }
      expect((await engine.presence.members('room')).members).to.deep.include({ uid: 'ann', umd: '30' })
      expect(JSON.stringify(changes(ben).at(-1)))
        .to.include('"updated"')
        .and.to.include('30')
      expect(failed.called).to.equal(false)
    })

    it('enters by the new authorization what is being entered', async () => {
      for (const hidden of [true, false]) {
        const entered = gate()
        const enter = async (...how: Parameters<typeof engine.presence.enter>) => {
          await entered.promise
          return engine.presence.enter(...how)
        }
        const leave: typeof engine.presence.leave = (...how) => engine.presence.leave(...how)
        const members: typeof engine.presence.members = (name) => engine.presence.members(name)
        make(RULES, { presence: { enter, leave, members } })
        const ann = member(user('ann', 'old'))
        const asked = ask(ann, 'subscribe', 'room')
        await turn()
        const done = change(ann, user('ann', 'new'), { hidden })
        entered.open()
        await done
        expect(await asked).to.deep.equal({ data: undefined })
        await turn()
        const expected = hidden ? [] : [{ uid: 'ann', umd: '"new"' }]
        expect((await engine.presence.members('room')).members).to.deep.equal(expected)
        ann.client.close(1000, '')
        await turn()
      }
    })

    it('does not end a subscription that cannot be entered', async () => {
      const ann = member(user('ann'), { auth: { hidden: true } })
      await join(ann, 'room')
      sinon.stub(engine.presence, 'enter').rejects(new RpcError('engine_unavailable'))
      await change(ann, user('ann'))
      sinon.restore()
      expect(ann.socket.channels).to.deep.equal(['room'])
      expect(failed.lastCall.args[1]).to.deep.include({ channel: 'room', step: 'presence' })
    })

    it('shows no list any longer to a member that cannot be renewed', async () => {
      const ann = member(user('ann', 'old'))
      await join(ann, 'room')
      sinon.stub(engine.presence, 'enter').rejects(new RpcError('engine_unavailable'))
      await change(ann, user('ann', 'new'))
      sinon.restore()
      expect(told(ann, 'subscribe').at(-1)).to.deep.include({ data: { channel: 'room', members: [] } })
      expect(await uids()).to.deep.equal([])
    })
  })

  describe('of automatic subscriptions', () => {
    const auto = (...names: string[]): TokenClaims => ({
      uid: 'ann',
      channels: Object.fromEntries(names.map((name) => [name, { subscribe: true, autoSubscribe: true }])),
    })

    it('joins those that are newly named, and not those that the client has left', async () => {
      const one = member(auto('a', 'b'))
      channels.autoSubscribe(one.socket, () => {})
      await turn()
      await ask(one, 'unsubscribe', 'b')
      await change(one, auto('b', 'c'))
      await turn()
      expect(one.socket.channels).to.deep.equal(['c'])
    })

    it('does not go on trying one that is not named any longer', async () => {
      const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      make({ '*': { subscribe: true } })
      decide.resolves({ error: new RpcError('engine_unavailable') })
      const one = member(auto('a'))
      const refused = sinon.spy()
      channels.autoSubscribe(one.socket, refused)
      await turn()
      expect(refused.callCount).to.equal(1)
      await change(one, { uid: 'ann' })
      decide.resolves(undefined)
      await clock.tickAsync(60_000)
      clock.restore()
      expect(one.socket.channels).to.deep.equal([])
    })
  })

  it('misses nothing on what goes on, while it changes 100 times', async () => {
    make({ '*': { subscribe: true, publish: true, history: { ttl: 60_000, size: 1000 } } })
    const one = member({ uid: 'ann' })
    await join(one, 'a')
    let answer: Promise<unknown> = Promise.resolve()
    decide.callsFake(async () => void (await turn()))
    for (let data = 1; data <= 100; data += 1) {
      answer = change(
        one,
        data % 2 ? { uid: 'ann', umd: data } : { uid: 'ann', channels: { a: { subscribe: true } } },
      )
      await channels.publish('a', data)
      if (data % 7 === 0) await answer
    }
    await answer
    const offsets = one
      .frames()
      .flatMap((frame) => ('message' in (frame as object) ? [(frame as { offset: number }).offset] : []))
    expect(offsets).to.deep.equal(Array.from({ length: 100 }, (_, index) => index + 1))
    expect(told(one, 'unsubscribe')).to.deep.equal([])
  })
})
