/** Channels whose sockets are judged again, with an engine in memory. */
import { type ChannelRuleTable, MemoryEngine } from '@token-socket/server'
import sinon from 'sinon'
import { Channels } from '#server/channels/channels.js'
import type { ChannelsOwner } from '#server/channels/channels-owner.js'
import { Hub } from '#server/channels/hub.js'
import { Policy } from '#server/channels/policy.js'
import { PositionProofs } from '#server/channels/position-proofs.js'
import { type Claims, readClaims, type TokenClaims } from '#server/claims/claims.js'
import type { ChannelRequest } from '#server/socket/server-socket.js'
import { makeSocket, type TestSocket } from './sockets.js'

/** Milliseconds that a decision may take. */
export const TIMEOUT = 1000

/** Claims that let a user on channels. */
export function mayRead(...names: string[]): TokenClaims {
  return { uid: 'ann', channels: Object.fromEntries(names.map((name) => [name, { subscribe: true }])) }
}

const LIMITS: ChannelsOwner['limits'] = {
  vetoTimeout: TIMEOUT,
  members: 10,
  subscriptions: 2000,
  subscriptionsPerUser: 5000,
  channelsPerUser: 100,
  publication: 1000,
  historyPage: 1024 * 1024,
  publicationRate: 1000,
  publicationBytes: 100_000,
  broadcastRate: 10,
  presencesPerUser: 100,
  presenceRate: 5,
}

/** What a test changes of the channels' owner. */
export type ChannelsChanges = Partial<Omit<ChannelsOwner, 'limits'>> & {
  readonly limits?: Partial<ChannelsOwner['limits']>
}

/** A world for one test. A request's `token` is the JSON of the claims that it brings. */
export class JudgedChannels {
  readonly hub = new Hub(() => {})
  readonly engine = new MemoryEngine()
  readonly decide = sinon.stub().returns(undefined)
  readonly failed = sinon.spy()
  readonly log = { write: sinon.spy() }
  channels: Channels

  constructor(rules: ChannelRuleTable = {}, changes: ChannelsChanges = {}) {
    this.channels = this.make(rules, changes)
  }

  /** Puts other channels in place of those that there are, with the same hub and engine. */
  make(rules: ChannelRuleTable = {}, changes: ChannelsChanges = {}): Channels {
    const { hub, engine, decide, failed, log } = this
    this.channels = new Channels({
      hub,
      broker: engine.broker,
      history: engine.history,
      presence: engine.presence,
      presenceGrace: 5000,
      redeem: async (socket, channel, token) =>
        socket.grant(channel, readClaims(JSON.parse(token)) as Claims),
      policy: new Policy({ channels: rules, timeout: TIMEOUT, failed }),
      vetoes: { decide },
      failed,
      log,
      proofs: new PositionProofs([Buffer.from('secret')]),
      ...changes,
      limits: { ...LIMITS, ...changes.limits },
    })
    return this.channels
  }

  /** A socket that was let in. */
  member(claims: TokenClaims = mayRead('*'), identity: object = {}): TestSocket {
    const made = makeSocket({
      identity: { claims: readClaims(claims), can: ['refresh'], ...identity },
      channels: {
        forget: (...how) => this.channels.forget(...how),
        prove: (...how) => this.channels.prove(...how),
        reauthorize: (...how) => this.channels.reauthorize(...how),
      },
    })
    this.hub.add(made.socket)
    return made
  }

  /** A client's request to subscribe. */
  subscribe({ socket }: TestSocket, channel: string, more: object = {}) {
    const request = { type: 'subscribe', id: '1', channel, ...more } as ChannelRequest
    return this.channels.request(socket, request)
  }
}

/** Replaces what a socket may do. */
export function change({ socket }: TestSocket, claims?: TokenClaims, auth: unknown = {}): Promise<void> {
  return socket.changeAuthorization({ auth, claims: readClaims(claims) })
}
