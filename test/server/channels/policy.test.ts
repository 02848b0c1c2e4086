import { RpcError, type ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { Policy } from '#server/channels/policy.js'
import type { ChannelRuleTable } from '#server/channels/rule-table.js'
import { readClaims, type TokenClaims } from '#server/claims/claims.js'
import type { ChannelRequest } from '#server/socket/server-socket.js'
import { makeSocket } from '../sockets.js'

type Verb = 'subscribe' | 'unsubscribe' | 'publish' | 'history' | 'broadcast'

describe('Policy', () => {
  const failed = sinon.spy()

  afterEach(() => {
    failed.resetHistory()
    sinon.restore()
  })

  const policyOf = (channels: ChannelRuleTable = {}, timeout = 1000) =>
    new Policy({ channels, timeout, failed })

  const socketWith = (claims?: TokenClaims): ServerSocket =>
    makeSocket({ identity: { claims: readClaims(claims) } }).socket

  const request = (type: Verb, channel = 'c', event?: string) =>
    ({ type, id: '1', channel, data: 1, ...(event && { event }) }) as ChannelRequest

  const allows = async (policy: Policy, socket: ServerSocket, asked: ChannelRequest): Promise<boolean> => {
    const refusal = await policy.allows(socket, asked)
    if (refusal) expect(refusal.error).to.have.property('code', 'forbidden')
    return refusal === undefined
  }

  describe('#allows', () => {
    it('everything, where neither rules nor claims say anything', async () => {
      for (const verb of ['subscribe', 'unsubscribe', 'publish', 'broadcast'] as const) {
        expect(await allows(policyOf(), socketWith(), request(verb)), verb).to.equal(true)
      }
    })

    it('nothing that nobody speaks of, once there is a rule or a grant', async () => {
      for (const [policy, socket] of [
        [policyOf({ other: { subscribe: true, publish: true } }), socketWith()],
        [policyOf(), socketWith({ channels: {} })],
        [policyOf(), socketWith({ channels: { other: { subscribe: true } } })],
      ] as const) {
        for (const verb of ['subscribe', 'publish', 'history', 'broadcast'] as const) {
          expect(await allows(policy, socket, request(verb)), verb).to.equal(false)
        }
      }
    })

    it('no client on the names of the legacy pair’s own, whatever rules and claims say', async () => {
      const all = { subscribe: true, historyStart: 0, messages: { '*': { publish: true } } }
      for (const name of ['___all___', '___sync___']) {
        for (const [policy, socket] of [
          [policyOf(), socketWith()],
          [policyOf({ '*': { subscribe: true, publish: true } }), socketWith()],
          [policyOf(), socketWith({ channels: { '*': all, [name]: all } })],
        ] as const) {
          for (const verb of ['subscribe', 'publish', 'history'] as const)
            expect(await allows(policy, socket, request(verb, name)), `${verb} ${name}`).to.equal(false)
          expect(await allows(policy, socket, request('unsubscribe', name))).to.equal(true)
          expect(await allows(policy, socket, request('subscribe', `_${name}`))).to.equal(true)
        }
      }
    })

    it('unsubscribing always', async () => {
      expect(
        await allows(policyOf({ c: { subscribe: false } }), socketWith(), request('unsubscribe')),
      ).to.equal(true)
    })

    for (const [rule, grant, expected] of [
      [true, undefined, true],
      [undefined, true, true],
      [true, true, true],
      [false, true, false],
      [true, false, false],
      [undefined, undefined, false],
    ] as const) {
      it(`subscribing: ${expected}, if the rule says ${rule} and the grant ${grant}`, async () => {
        const policy = policyOf({ c: rule === undefined ? {} : { subscribe: rule } })
        const socket = socketWith({ channels: { c: grant === undefined ? {} : { subscribe: grant } } })
        expect(await allows(policy, socket, request('subscribe'))).to.equal(expected)
      })
    }

    it('publishing by the event', async () => {
      const socket = socketWith({ channels: { c: { messages: { chat: { publish: true } } } } })
      expect(await allows(policyOf(), socket, request('publish', 'c', 'chat'))).to.equal(true)
      expect(await allows(policyOf(), socket, request('publish', 'c', 'other'))).to.equal(false)
      expect(await allows(policyOf(), socket, request('publish', 'c'))).to.equal(false)
    })

    it('what a function of a rule answers, which gets socket, channel, event and data', async () => {
      const publish = sinon.stub().resolves(true)
      const socket = socketWith()
      expect(await allows(policyOf({ c: { publish } }), socket, request('publish', 'c', 'e'))).to.equal(true)
      expect(publish.firstCall.args).to.deep.equal([socket, 'c', 'e', 1])
      publish.resolves('yes')
      expect(await allows(policyOf({ c: { publish } }), socket, request('publish', 'c', 'e'))).to.equal(false)
    })

    it('nothing for a function that throws, and tells of it', async () => {
      const throws = policyOf({ c: { subscribe: () => Promise.reject(new Error('no database')) } })
      const socket = socketWith()
      expect(await allows(throws, socket, request('subscribe'))).to.equal(false)
      const details = { sid: socket.sid, channel: 'c', rule: 'c' }
      expect(failed.args.map(([, told]) => told)).to.deep.equal([details])
    })

    it('nothing, with the reason that a function gives, also to who reads the history from outside', async () => {
      const soldOut = new RpcError('sold_out', 'Sold out', { left: 0 })
      const policy = policyOf({ c: { subscribe: () => soldOut, publish: () => 'Members only' } })
      const user = socketWith({ channels: { c: { historyStart: 0 } } })
      expect(await policy.allows(user, request('subscribe'))).to.deep.equal({ error: soldOut, by: 'rules' })
      expect(await policy.allows(user, request('history'))).to.deep.equal({ error: soldOut, by: 'rules' })
      const refusal = (await policy.allows(user, request('publish')))?.error
      expect(refusal).to.deep.include({ code: 'forbidden', message: 'Members only', data: { channel: 'c' } })
      expect(failed.called).to.equal(false)
    })

    it('nothing without asking a function where the grants refuse', async () => {
      const subscribe = sinon.stub().returns(true)
      const user = socketWith({ channels: { c: { subscribe: false } } })
      expect(await allows(policyOf({ c: { subscribe } }), user, request('subscribe'))).to.equal(false)
      expect(subscribe.called).to.equal(false)
    })

    it('reading the history where a socket without channel claims is subscribed', async () => {
      const socket = socketWith()
      const policy = policyOf({ c: { subscribe: true } })
      const refusal = await policy.allows(socket, request('history'))
      expect(refusal?.error).to.include({
        code: 'forbidden',
        message: 'Forbidden: subscribe first, or claim historyStart',
      })
      expect(refusal?.error).to.have.deep.property('data', { channel: 'c' })
      socket.addChannel('c')
      expect(await allows(policy, socket, request('history'))).to.equal(true)
    })

    for (const [claims, expected] of [
      [{ subscribe: true, historyStart: 0 }, true],
      [{ subscribe: true }, false],
      [{ historyStart: 0 }, false],
      [{ subscribe: false, historyStart: 0 }, false],
    ] as const) {
      it(`reading the history off the channel as a subscription: ${expected} with ${JSON.stringify(claims)}`, async () => {
        const socket = socketWith({ channels: { c: claims } })
        const subscribe = sinon.stub().resolves(true)
        expect(await allows(policyOf({ c: { subscribe } }), socket, request('history'))).to.equal(
          'historyStart' in claims &&
            claims.historyStart === 0 &&
            !('subscribe' in claims && claims.subscribe === false),
        )
        subscribe.resolves(false)
        expect(await allows(policyOf({ c: { subscribe } }), socket, request('history'))).to.equal(false)
      })

      it(`reading the history: ${expected} with ${JSON.stringify(claims)}`, async () => {
        const socket = socketWith({ channels: { c: claims } })
        expect(await allows(policyOf(), socket, request('history'))).to.equal(expected)
      })
    }
  })

  describe('#forPublication', () => {
    it('says who made it, unless nobody knows', () => {
      const policy = policyOf()
      const known = policy.forPublication(socketWith({ uid: 'jim', umd: { name: 'Jim' } }), 'c', 'e')
      expect(known.meta).to.equal('{"uid":"jim","umd":{"name":"Jim"}}')
      expect(policy.forPublication(socketWith(), 'c', 'e')).to.deep.equal({
        meta: undefined,
        echo: true,
        retention: undefined,
      })
    })

    it('keeps it as long as the rule or the grant says, whichever is longer', () => {
      const policy = policyOf({ c: { history: { size: 5, ttl: 60_000 } } })
      const storing = (store: number) =>
        socketWith({ channels: { c: { messages: { e: { publish: true, store } } } } })
      expect(policy.forPublication(storing(30), 'c', 'e').retention).to.deep.equal({ size: 5, ttl: 60_000 })
      expect(policy.forPublication(storing(90), 'c', 'e').retention).to.deep.equal({ size: 5, ttl: 90_000 })
      expect(policyOf().forPublication(storing(90), 'c', 'e').retention).to.deep.equal({
        size: 1000,
        ttl: 90_000,
      })
    })

    it('does not echo what a grant allows without `echo`', () => {
      const socket = socketWith({
        channels: { c: { messages: { a: { publish: true }, b: { publish: true, echo: true } } } },
      })
      expect(policyOf().forPublication(socket, 'c', 'a').echo).to.equal(false)
      expect(policyOf().forPublication(socket, 'c', 'b').echo).to.equal(true)
    })
  })

  describe('#retention', () => {
    it('is the rule’s, or longer, or none at all', () => {
      const policy = policyOf({ c: { history: { ttl: 60_000 } } })
      expect(policy.retention('c')).to.deep.equal({ size: 1000, ttl: 60_000 })
      expect(policy.retention('c', { store: 90_000 })).to.deep.equal({ size: 1000, ttl: 90_000 })
      expect(policy.retention('c', { store: 0 })).to.equal(undefined)
      expect(policy.retention('other')).to.equal(undefined)
      expect(policy.retention('other', { store: 1 })).to.deep.equal({ size: 1000, ttl: 1 })
    })
  })

  describe('#historyStart of a socket with a channel’s own token', () => {
    const tokenSocket = (claims: object) => {
      const socket = socketWith()
      const read = readClaims({ channels: { c: claims } })
      if (read) socket.grant('c', read)
      return socket
    }

    it('is the beginning where the socket may be there without the token', () => {
      for (const rules of [{}, { c: { subscribe: true } }, { '*': { subscribe: () => true } }])
        expect(policyOf(rules).historyStart(tokenSocket({ subscribe: true }), 'c')).to.equal(0)
    })

    it('is what the token says, or nothing, where only the token lets it in', () => {
      const policy = policyOf({ c: { publish: true }, other: { subscribe: true } })
      expect(policy.historyStart(tokenSocket({ subscribe: true }), 'c')).to.equal(undefined)
      expect(policy.historyStart(tokenSocket({ subscribe: true, historyStart: 5 }), 'c')).to.equal(5000)
      expect(policy.historyStart(tokenSocket({ subscribe: true }), 'other')).to.equal(0)
    })

    it('lets no token’s socket broadcast', async () => {
      expect(
        await allows(
          policyOf(),
          tokenSocket({ messages: { '*': { publish: false } } }),
          request('broadcast'),
        ),
      ).to.equal(false)
    })
  })

  it('#historyStart is the grant’s, or the beginning', () => {
    const socket = socketWith({ channels: { c: { historyStart: 1_700_000_000 } } })
    expect(policyOf().historyStart(socket, 'c')).to.equal(1_700_000_000_000)
    expect(policyOf().historyStart(socketWith(), 'c')).to.equal(0)
    expect(policyOf().historyStart(socketWith({ channels: { c: { subscribe: true } } }), 'c')).to.equal(
      undefined,
    )
  })
})
